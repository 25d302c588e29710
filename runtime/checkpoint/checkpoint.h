// A checkpoint opened for reading: one safetensors file, or a folder in Hugging Face's layout (one file, or
// shards with `model.safetensors.index.json`). Opening reads and validates headers only; tensor bytes are
// read on demand. A Checkpoint is immutable and may be read from any thread. It does no arithmetic.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/dtype.h"
#include "base/result.h"

namespace roux {

struct TensorInfo {
  std::string name;
  DType dtype = DType::f32;
  std::vector<std::int64_t> shape;
  std::uint64_t element_count = 0;  // product of the shape; 1 for a scalar
  std::uint32_t file = 0;           // index into Checkpoint::files()
  std::uint64_t offset = 0;         // of the first byte, from the start of the file
  std::uint64_t byte_count = 0;
};

// XXH3-128 as 32 hex digits. `whole` is false for a digest of headers only.
struct Digest {
  std::string hex;
  bool whole = true;
  bool operator==(const Digest&) const = default;
};

// Takes the bytes of one tensor as one thread reads them, for the digest of the files that they stand in.
// Runs that continue each other are the cheapest; what lies between them is read once more.
class DigestFeed {
 public:
  virtual ~DigestFeed() = default;
  virtual void take(std::uint64_t offset, const void* data, std::uint64_t size) = 0;  // from the tensor's start
};

class Checkpoint {
 public:
  using Ptr = std::shared_ptr<const Checkpoint>;

  // `path`: a `.safetensors` file or a folder. `span` is the place in the recipe that asked for it.
  // Refuses (with file, tensor, seen, expected): truncated files, headers beyond the file or over the limit,
  // text that is not JSON or nested too deeply, duplicate names, unknown dtypes, offsets that overlap, leave
  // gaps or lie outside the file, shapes whose size overflows or disagrees with the bytes, an index that
  // names a missing shard, leaves its folder, or places a tensor where it is not.
  static Result<Ptr> open(const std::string& path, Span span);

  virtual ~Checkpoint() = default;

  virtual const std::string& path() const = 0;              // as given, without a trailing slash
  virtual bool is_folder() const = 0;
  virtual const std::vector<std::string>& files() const = 0;  // safetensors files, full paths

  // In canonical order: by name, bytewise.
  virtual const std::vector<TensorInfo>& tensors() const = 0;
  std::optional<std::size_t> find(std::string_view name) const;

  // `__metadata__` of the (first) file.
  virtual const std::map<std::string, std::string>& metadata() const = 0;
  // The text of config.json, if the folder has one (valid JSON: checked at open).
  virtual const std::optional<std::string>& config() const = 0;
  // Why the checkpoint counts as quantized (its config or partner tensors say so), or nothing.
  virtual const std::optional<std::string>& quantized() const = 0;

  // Of a view (aligned.h), which holds other tensors than stand at its path: the checkpoints that they are in.
  virtual const std::vector<Ptr>& parts() const {
    static const std::vector<Ptr> kNoParts;
    return kNoParts;
  }

  // Reads `size` bytes of a tensor's data from `offset` (bytes from the tensor's start) into `to`.
  virtual Status read(std::size_t tensor, std::uint64_t offset, std::uint64_t size, void* to) const = 0;

  // Equal header text and equal sizes: a quick test before digests are compared.
  virtual const std::string& header_digest() const = 0;
  // What tells this state of the opened files from any earlier or later one without reading them, whatever their
  // paths; empty where it is in no file.
  virtual const std::string& stamp() const {
    static const std::string kNoStamp;
    return kNoStamp;
  }
  // XXH3-128 over the XXH3-128s of the files' 1 MiB blocks, files in order. Computed once, on up to
  // `threads` threads; reads everything.
  virtual Result<Digest> digest(int threads) const = 0;

  // The same without reading for it: from `begin_digest` on whoever reads a tensor asks for its feed (null: there
  // is nothing to collect), and `fed_digest` reads only what is missing. Where much of the checkpoint was not
  // asked for, it is the digest of the headers.
  virtual void begin_digest() const {}
  virtual std::unique_ptr<DigestFeed> feed_digest(std::size_t) const { return nullptr; }
  virtual Result<Digest> fed_digest(int threads) const { return digest(threads); }
};

}  // namespace roux
