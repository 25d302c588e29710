#include "runtime/checkpoint/digest.h"

#include <xxhash.h>
#if defined(__x86_64__)
#include <xxh_x86dispatch.h>  // the same hashes, by the widest vectors that the CPU has
#endif

#include <algorithm>
#include <atomic>
#include <system_error>
#include <thread>

#include "base/limits.h"
#include "base/text.h"

namespace roux {
namespace {

constexpr std::uint64_t kBlockBytes = 1u << 20;
constexpr std::uint64_t kReadOnBytes = 1u << 16;

struct FreeHash {
  void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
};
using HashState = std::unique_ptr<XXH3_state_t, FreeHash>;

std::string hex_of(XXH128_hash_t hash) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, hash);
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : canonical.digest) {
    text += kHex[byte >> 4];
    text += kHex[byte & 15];
  }
  return text;
}

}  // namespace

struct HeaderHash::State {
  HashState hash{XXH3_createState()};
};

HeaderHash::HeaderHash() : state_(std::make_unique<State>()) { XXH3_128bits_reset(state_->hash.get()); }
HeaderHash::~HeaderHash() = default;

void HeaderHash::add(std::string_view header, std::uint64_t file_bytes) {
  const std::string size = std::to_string(file_bytes) + ' ';
  XXH3_128bits_update(state_->hash.get(), size.data(), size.size());
  XXH3_128bits_update(state_->hash.get(), header.data(), header.size());
}

std::string HeaderHash::hex() const { return hex_of(XXH3_128bits_digest(state_->hash.get())); }

// All blocks of all files, in order.
struct BlockDigests::State {
  struct Block {
    std::uint32_t file;
    std::uint64_t offset, bytes;
  };
  enum Stage : unsigned char { kFree, kTaken, kHashed };

  const std::vector<OpenFile>& files;
  std::vector<std::uint64_t> first_block;  // by file
  std::uint64_t block_count = 0;
  std::vector<XXH128_hash_t> hashes;
  std::unique_ptr<std::atomic<unsigned char>[]> stages;
  std::atomic<std::uint64_t> failed{~std::uint64_t{0}};  // the first block that could not be read

  explicit State(const std::vector<OpenFile>& opened) : files(opened) {
    for (const OpenFile& file : files) {
      first_block.push_back(block_count);
      block_count += (file.bytes + kBlockBytes - 1) / kBlockBytes;
    }
    hashes.resize(block_count);
    stages = std::make_unique<std::atomic<unsigned char>[]>(block_count);
  }

  Block block(std::uint64_t index) const {
    const auto after = std::upper_bound(first_block.begin(), first_block.end(), index);
    const auto file = static_cast<std::uint32_t>(after - first_block.begin() - 1);
    const std::uint64_t offset = (index - first_block[file]) * kBlockBytes;
    return {file, offset, std::min(kBlockBytes, files[file].bytes - offset)};
  }
  bool take(std::uint64_t index) {
    unsigned char free = kFree;
    return stages[index].load(std::memory_order_relaxed) == kFree &&
           stages[index].compare_exchange_strong(free, kTaken);
  }
  void set(std::uint64_t index, XXH128_hash_t hash) {
    hashes[index] = hash;
    stages[index] = kHashed;
  }

  void hash_free_blocks(std::atomic<std::uint64_t>& next) {
    const auto buffer = std::make_unique_for_overwrite<char[]>(kBlockBytes);
    for (std::uint64_t i = next++; i < block_count; i = next++) {
      if (!take(i)) continue;
      const Block at = block(i);
      if (read_at(files[at.file].fd, buffer.get(), at.bytes, at.offset).done == at.bytes) {
        set(i, XXH3_128bits(buffer.get(), at.bytes));
        continue;
      }
      stages[i] = kFree;
      std::uint64_t least = failed;
      while (i < least && !failed.compare_exchange_weak(least, i)) {
      }
      return;
    }
  }

  Diagnostic failure(Span span) const {
    const Block at = block(failed);
    const OpenFile& file = files[at.file];
    const Transfer again = read_at(file.fd, std::make_unique<char[]>(at.bytes).get(), at.bytes, at.offset);
    const std::string place = "byte " + std::to_string(at.offset + again.done);
    if (again.error_number != 0) return io_error(span, "read " + place + " of", file.path, again.error_number);
    return error(DiagnosticKind::io, span,
                 quoted(file.path) + " ends at " + place + ", expected " + format_count(file.bytes, "byte") +
                     " as when it was opened")
        .hint("the file shrank while it was used: let nothing write to it, and run again");
  }

  // Canonical (big-endian) block hashes, so that the digest is the same on any machine.
  std::string hex() const {
    std::vector<XXH128_canonical_t> canonical(hashes.size());
    for (std::size_t i = 0; i < hashes.size(); ++i) XXH128_canonicalFromHash(&canonical[i], hashes[i]);
    return hex_of(XXH3_128bits(canonical.data(), canonical.size() * sizeof(XXH128_canonical_t)));
  }
};

namespace {

class BlockFeed final : public DigestFeed {
 public:
  using State = BlockDigests::State;
  BlockFeed(State& state, std::uint32_t file, std::uint64_t begin) : state_(state), file_(file), begin_(begin) {}
  ~BlockFeed() override { close(); }

  void take(std::uint64_t offset, const void* data, std::uint64_t size) override {
    std::uint64_t at = begin_ + offset;
    const auto* bytes = static_cast<const char*>(data);
    if (at != next_) close();
    const std::uint64_t end = at + size;
    while (at < end) {
      if (left_ == 0) {
        const std::uint64_t within = at % kBlockBytes;
        const std::uint64_t skipped = within == 0 && open(at) ? 0 : std::min(end - at, kBlockBytes - within);
        at += skipped, bytes += skipped;
        if (left_ == 0) continue;
      }
      const std::uint64_t count = std::min(left_, end - at);
      add(bytes, count);
      at += count, bytes += count;
    }
    next_ = at;
  }

 private:
  bool open(std::uint64_t at) {
    block_ = state_.first_block[file_] + at / kBlockBytes;
    if (!state_.take(block_)) return false;
    if (!hash_) hash_.reset(XXH3_createState());
    XXH3_128bits_reset(hash_.get());
    left_ = state_.block(block_).bytes;
    return true;
  }

  void add(const char* bytes, std::uint64_t count) {
    XXH3_128bits_update(hash_.get(), bytes, count);
    left_ -= count;
    if (left_ == 0) state_.set(block_, XXH3_128bits_digest(hash_.get()));
  }

  // Reads on to the end of the block that was begun.
  void close() {
    if (left_ == 0) return;
    const auto buffer = std::make_unique_for_overwrite<char[]>(std::min(left_, kReadOnBytes));
    while (left_ > 0) {
      const std::uint64_t count = std::min(left_, kReadOnBytes);
      if (read_at(state_.files[file_].fd, buffer.get(), count, next_).done != count) {
        state_.stages[block_] = State::kFree;  // whoever finishes says what is wrong
        left_ = 0;
        return;
      }
      add(buffer.get(), count);
      next_ += count;
    }
  }

  State& state_;
  std::uint32_t file_;
  std::uint64_t begin_;      // of the tensor, in the file
  std::uint64_t next_ = 0;   // in the file
  std::uint64_t block_ = 0;  // the one that is being hashed, while bytes of it are left
  std::uint64_t left_ = 0;
  HashState hash_;
};

}  // namespace

BlockDigests::BlockDigests(const std::vector<OpenFile>& files) : state_(std::make_unique<State>(files)) {}
BlockDigests::~BlockDigests() = default;

std::unique_ptr<DigestFeed> BlockDigests::feed(std::uint32_t file, std::uint64_t begin) {
  return std::make_unique<BlockFeed>(*state_, file, begin);
}

Result<Digest> BlockDigests::finish(int threads, Span span) {
  State& state = *state_;
  const auto is_free = [&](std::uint64_t block) { return state.stages[block] != State::kHashed; };
  std::uint64_t missing = 0;
  for (std::uint64_t block = 0; block < state.block_count; ++block) missing += is_free(block);
  const auto wanted =
      std::min<std::uint64_t>(static_cast<std::uint64_t>(std::clamp(threads, 1, limits::kThreads)), missing);
  std::atomic<std::uint64_t> next{0};
  state.failed = ~std::uint64_t{0};
  {
    std::vector<std::jthread> helpers;
    try {
      for (std::uint64_t i = 1; i < wanted; ++i) helpers.emplace_back([&] { state.hash_free_blocks(next); });
    } catch (const std::system_error&) {
      // No more threads to be had: those that there are do the work.
    }
    state.hash_free_blocks(next);
  }
  if (state.failed < state.block_count) return state.failure(span);
  return Digest{state.hex(), true};
}

void MemoryDigest::add(const void* data, std::uint64_t bytes) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits(data, bytes));
  hashes_.append(reinterpret_cast<const char*>(canonical.digest), sizeof canonical.digest);
}

std::string MemoryDigest::hex() const { return hex_of(XXH3_128bits(hashes_.data(), hashes_.size())); }

}  // namespace roux
