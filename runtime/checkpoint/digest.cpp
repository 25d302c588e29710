#include "runtime/checkpoint/digest.h"

#include <xxhash.h>

#include <algorithm>
#include <atomic>
#include <system_error>
#include <thread>

#include "base/limits.h"
#include "base/text.h"

namespace roux {
namespace {

constexpr std::uint64_t kBlockBytes = 1u << 20;

struct Block {
  std::uint32_t file;
  std::uint64_t offset;
  std::uint64_t bytes;
};

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

std::vector<Block> blocks_of(const std::vector<OpenFile>& files) {
  std::vector<Block> blocks;
  for (std::uint32_t f = 0; f < files.size(); ++f)
    for (std::uint64_t at = 0; at < files[f].bytes; at += kBlockBytes)
      blocks.push_back({f, at, std::min(kBlockBytes, files[f].bytes - at)});
  return blocks;
}

// Hashes blocks in parallel; each thread takes the next block that nobody has.
class BlockHasher {
 public:
  explicit BlockHasher(const std::vector<OpenFile>& files)
      : files_(files), blocks_(blocks_of(files)), hashes_(blocks_.size()) {}

  void run(int threads) {
    const std::size_t wanted = std::min<std::size_t>(
        static_cast<std::size_t>(std::clamp(threads, 1, limits::kThreads)), blocks_.size());
    std::vector<std::jthread> helpers;
    try {
      for (std::size_t i = 1; i < wanted; ++i) helpers.emplace_back([this] { work(); });
    } catch (const std::system_error&) {
      // No more threads to be had: those that there are do the work.
    }
    work();
  }

  // Canonical (big-endian) block hashes, so that the digest is the same on any machine.
  std::string hex() const {
    std::vector<XXH128_canonical_t> canonical(hashes_.size());
    for (std::size_t i = 0; i < hashes_.size(); ++i)
      XXH128_canonicalFromHash(&canonical[i], hashes_[i]);
    return hex_of(XXH3_128bits(canonical.data(), canonical.size() * sizeof(XXH128_canonical_t)));
  }

  // The first block, in file order, that could not be read.
  std::optional<Diagnostic> failure(Span span) const {
    const std::size_t failed = failed_.load();
    if (failed >= blocks_.size()) return std::nullopt;
    const Block& block = blocks_[failed];
    const OpenFile& file = files_[block.file];
    const Transfer again = read_block(block, std::make_unique<char[]>(kBlockBytes).get());
    const std::string place = "byte " + std::to_string(block.offset + again.done);
    if (again.error_number != 0)
      return io_error(span, "read " + place + " of", file.path, again.error_number);
    return error(DiagnosticKind::io, span,
                 quoted(file.path) + " ends at " + place + ", expected " +
                     format_count(file.bytes, "byte") + " as when it was opened")
        .hint("the file shrank while it was used: let nothing write to it, and run again");
  }

 private:
  Transfer read_block(const Block& block, char* to) const {
    return read_at(files_[block.file].fd, to, block.bytes, block.offset);
  }

  void work() {
    const auto buffer = std::make_unique<char[]>(kBlockBytes);
    for (std::size_t i = next_++; i < blocks_.size(); i = next_++) {
      if (read_block(blocks_[i], buffer.get()).done != blocks_[i].bytes) {
        std::size_t least = failed_.load();
        while (i < least && !failed_.compare_exchange_weak(least, i)) {
        }
        return;
      }
      hashes_[i] = XXH3_128bits(buffer.get(), blocks_[i].bytes);
    }
  }

  const std::vector<OpenFile>& files_;
  std::vector<Block> blocks_;
  std::vector<XXH128_hash_t> hashes_;
  std::atomic<std::size_t> next_{0};
  std::atomic<std::size_t> failed_{SIZE_MAX};
};

}  // namespace

struct HeaderHash::State {
  XXH3_state_t* hash = XXH3_createState();
  ~State() { XXH3_freeState(hash); }
};

HeaderHash::HeaderHash() : state_(std::make_unique<State>()) { XXH3_128bits_reset(state_->hash); }
HeaderHash::~HeaderHash() = default;

void HeaderHash::add(std::string_view header, std::uint64_t file_bytes) {
  const std::string size = std::to_string(file_bytes) + ' ';
  XXH3_128bits_update(state_->hash, size.data(), size.size());
  XXH3_128bits_update(state_->hash, header.data(), header.size());
}

std::string HeaderHash::hex() const { return hex_of(XXH3_128bits_digest(state_->hash)); }

void BlockDigest::add(const void* data, std::uint64_t bytes) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits(data, bytes));
  hashes_.append(reinterpret_cast<const char*>(canonical.digest), sizeof canonical.digest);
}

std::string BlockDigest::hex() const { return hex_of(XXH3_128bits(hashes_.data(), hashes_.size())); }

Result<Digest> digest_of_files(const std::vector<OpenFile>& files, int threads, Span span) {
  BlockHasher hasher(files);
  hasher.run(threads);
  if (auto failure = hasher.failure(span)) return *std::move(failure);
  return Digest{hasher.hex(), true};
}

}  // namespace roux
