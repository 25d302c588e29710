#include "runtime/checkpoint/reader.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <utility>

#include "base/limits.h"
#include "base/text.h"
#include "runtime/checkpoint/config.h"
#include "runtime/checkpoint/digest.h"
#include "runtime/checkpoint/file.h"
#include "runtime/checkpoint/safetensors.h"

namespace roux {
namespace {

class StoredCheckpoint final : public Checkpoint {
 public:
  StoredCheckpoint(CheckpointParts parts, Span span) : parts_(std::move(parts)), span_(span) {}

  Status load() {
    HeaderHash hash;
    for (const std::string& file : parts_.files) ROUX_DO(load_file(file, hash));
    header_digest_ = hash.hex();
    ROUX_DO(sort_tensors());
    quantized_ = quantized_tensors(tensors_);
    return load_config();
  }

  const std::string& path() const override { return parts_.path; }
  bool is_folder() const override { return parts_.is_folder; }
  const std::vector<std::string>& files() const override { return parts_.files; }
  const std::vector<TensorInfo>& tensors() const override { return tensors_; }
  const std::map<std::string, std::string>& metadata() const override { return metadata_; }
  const std::optional<std::string>& config() const override { return config_; }
  const std::optional<std::string>& quantized() const override { return quantized_; }
  const std::string& header_digest() const override { return header_digest_; }
  const std::string& stamp() const override { return stamp_; }

  Status read(std::size_t tensor, std::uint64_t offset, std::uint64_t size,
              void* to) const override {
    const TensorInfo& info = tensors_.at(tensor);
    ROUX_CHECK(offset <= info.byte_count && size <= info.byte_count - offset);
    const Transfer transfer = read_onwards(opened_[info.file].fd, to, size, info.offset + offset);
    if (transfer.done == size) return ok();
    const std::string& file = parts_.files[info.file];
    const std::uint64_t place = info.offset + offset + transfer.done;
    const std::string where = "tensor " + quoted(info.name) + " at byte " + std::to_string(place);
    if (transfer.error_number != 0)
      return io_error(span_, "read " + where + " of", file, transfer.error_number);
    return error(DiagnosticKind::io, span_,
                 quoted(file) + " ends inside " + where + ", expected " +
                     format_count(opened_[info.file].bytes, "byte") + " as when it was opened")
        .hint("the file shrank while it was used: let nothing write to it, and run again");
  }

  Result<Digest> digest(int threads) const override {
    const std::lock_guard<std::mutex> lock(digest_mutex_);
    if (!digest_) {
      ROUX_TRY(digest_, blocks().finish(threads, span_));
      has_digest_ = true;
    }
    return *digest_;
  }

  void begin_digest() const override {
    const std::lock_guard<std::mutex> lock(digest_mutex_);
    blocks();
    asked_for_ = std::make_unique<std::atomic<bool>[]>(tensors_.size());
  }

  std::unique_ptr<DigestFeed> feed_digest(std::size_t tensor) const override {
    if (!asked_for_) return nullptr;
    asked_for_[tensor] = true;
    if (has_digest_) return nullptr;
    return blocks_->feed(tensors_[tensor].file, tensors_[tensor].offset);
  }

  Result<Digest> fed_digest(int threads) const override {
    std::uint64_t left_out = 0;
    for (std::size_t i = 0; i < tensors_.size(); ++i)
      if (!asked_for_ || !asked_for_[i]) left_out += tensors_[i].byte_count;
    if (left_out * kMostLeftOut > file_bytes_) return Digest{header_digest_, false};
    return digest(threads);
  }

 private:
  // A checkpoint of which no more than one part in so many is left out counts as read: a counter that belongs to
  // no model of a merge is no reason to forget which weights it was.
  static constexpr std::uint64_t kMostLeftOut = 16;

  BlockDigests& blocks() const {
    if (!blocks_) blocks_ = std::make_unique<BlockDigests>(opened_);
    return *blocks_;
  }

  Status load_file(const std::string& path, HeaderHash& hash) {
    ROUX_TRY(Fd fd, open_to_read(path, span_));
    ROUX_TRY(const std::uint64_t bytes, size_of_file(fd, path, span_));
    ROUX_TRY(SafetensorsHeader header, read_safetensors_header(fd, bytes, path, span_));
    if (tensors_.size() + header.tensors.size() > limits::kTensors)
      return error(DiagnosticKind::limit, span_,
                   quoted(parts_.path) + " holds more than " +
                       format_count(limits::kTensors, "tensor"))
          .hint("merge its parts one by one");
    hash.add(header.text, bytes);
    stamp_ += stamp_of_file(fd);
    for (TensorInfo& tensor : header.tensors) {
      tensor.file = static_cast<std::uint32_t>(opened_.size());
      tensors_.push_back(std::move(tensor));
    }
    if (opened_.empty()) metadata_ = std::move(header.metadata);
    opened_.push_back({std::move(fd), path, bytes});
    file_bytes_ += bytes;
    return ok();
  }

  Status sort_tensors() {
    const auto by_name = [](const TensorInfo& a, const TensorInfo& b) { return a.name < b.name; };
    std::sort(tensors_.begin(), tensors_.end(), by_name);
    const auto same_name = [](const TensorInfo& a, const TensorInfo& b) {
      return a.name == b.name;
    };
    const auto twice = std::adjacent_find(tensors_.begin(), tensors_.end(), same_name);
    if (twice == tensors_.end()) return ok();
    return error(DiagnosticKind::bad_checkpoint, span_,
                 "tensor " + quoted(twice->name) + " is in two shards, " +
                     quoted(parts_.files[twice->file]) + " and " +
                     quoted(parts_.files[std::next(twice)->file]) + ", expected it in one")
        .hint("shards of two checkpoints may be mixed: download the folder again");
  }

  Status load_config() {
    if (!parts_.config_path) return ok();
    ROUX_TRY(config_, read_text(*parts_.config_path, limits::kConfigBytes, span_));
    ROUX_TRY(const ConfigFacts facts, read_config(*config_, *parts_.config_path, span_));
    if (facts.quantized) quantized_ = facts.quantized;
    return ok();
  }

  CheckpointParts parts_;
  Span span_;
  std::vector<OpenFile> opened_;
  std::uint64_t file_bytes_ = 0;
  std::vector<TensorInfo> tensors_;
  std::map<std::string, std::string> metadata_;
  std::optional<std::string> config_;
  std::optional<std::string> quantized_;
  std::string header_digest_;
  std::string stamp_;
  mutable std::mutex digest_mutex_;
  mutable std::optional<Digest> digest_;
  mutable std::atomic<bool> has_digest_{false};
  mutable std::unique_ptr<BlockDigests> blocks_;
  mutable std::unique_ptr<std::atomic<bool>[]> asked_for_;  // by tensor, since `begin_digest`
};

}  // namespace

Result<Checkpoint::Ptr> open_parts(CheckpointParts parts, Span span) {
  const auto checkpoint = std::make_shared<StoredCheckpoint>(std::move(parts), span);
  ROUX_DO(checkpoint->load());
  return Checkpoint::Ptr(checkpoint);
}

}  // namespace roux
