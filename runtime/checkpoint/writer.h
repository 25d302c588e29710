// A checkpoint being written: its layout is known before any data, so files are sized at once (a full disk is
// found before any arithmetic), and tensors are written in place in any order from any thread. Headers have their
// room and are written last, since metadata may tell of what the sweep found. Everything goes to a hidden temporary
// beside the destination, `.NAME.roux-PID`, until `put_in_place` renames it; a writer that is destroyed unsettled removes
// its temporary, and the folders above that it made. Temporaries of processes that are gone are removed by the next writer
// to the same destination, or it goes on with one of them (OutputLayout::resume).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/dtype.h"
#include "base/host_model.h"
#include "base/result.h"
#include "runtime/checkpoint/checkpoint.h"

namespace roux {

struct OutputTensor {
  std::string name;
  DType dtype;
  std::vector<std::int64_t> shape;
};

struct OutputLayout {
  std::string path;  // ends in `.safetensors`: one file; begins with `memory:`: the host's; otherwise a folder
  std::vector<OutputTensor> tensors;
  std::map<std::string, std::string> metadata;  // `format` is set to `pt` if absent
  // The checkpoint whose config.json, tokenizer and generation files travel along (folders only), with
  // `torch_dtype` / `dtype` (nested ones too) set to the output's dtype. Null: none.
  Checkpoint::Ptr companions;
  std::uint64_t shard_bytes = 5'000'000'000;  // folders: at most this much data per file, if it can be kept
  bool overwrite = false;
  // What the tensors are computed by and from, for a journal of those that are complete: with `resume` a writer goes on
  // with what one of equal work, inputs and layout left behind, and leaves behind what it has if it is destroyed
  // unsettled. Empty: no journal.
  std::string work = {};
  std::string inputs = {};
  bool resume = false;
  bool sync_journal = false;  // complete tensors are to outlive the machine, too
  Span span;  // the `save` that asked for it
};

// What can be told before anything is written: the path exists (an error without `overwrite`), lies
// inside or holds or is one of `inputs`, no folder above it is writable (missing ones are made), the
// disk has too little room for `bytes`. With `overwrite` an input itself may be replaced; but only checkpoints are
// (a file, or a folder that holds safetensors files or nothing), never the working directory.
Status check_output(const OutputLayout& layout, std::uint64_t bytes, const std::vector<Checkpoint::Ptr>& inputs);

// Bytes that the output will take, all files together; in memory its tensors alone.
std::uint64_t output_bytes(const OutputLayout& layout);

// Puts all of them in place, or none: where one cannot be, those before it are taken back.
class CheckpointWriter;
Status put_all_in_place(const std::vector<std::unique_ptr<CheckpointWriter>>& writers);

// Tensors that are complete, of how many, and their bytes.
struct WrittenPart {
  std::uint64_t tensors = 0;
  std::uint64_t of = 0;
  std::uint64_t bytes = 0;
};

// What an interrupted run left of an output, by how near it comes to what is to be written.
enum class Leftover : unsigned char { nothing, no_tensor, other_work, other_inputs, tensors };

class CheckpointWriter {
 public:
  static Result<std::unique_ptr<CheckpointWriter>> create(OutputLayout layout);

  virtual ~CheckpointWriter() = default;

  // `tensor` indexes OutputLayout::tensors; `offset` is in bytes from the tensor's start. Thread-safe.
  virtual Status write(std::size_t tensor, std::uint64_t offset, const void* data, std::uint64_t size) = 0;
  // In place of the layout's metadata; its headers need no more bytes than those of the layout. Before `finish`.
  virtual void set_metadata(std::map<std::string, std::string> metadata) = 0;
  // Whether the tensor was complete when this writer went on with it: it need not be written.
  virtual bool is_kept(std::size_t) const { return false; }
  // Something about the tensor's values is to be told whenever it is made: no journal may name it.
  virtual void forget_when_resumed(std::size_t) {}
  // What it found of an interrupted run, what it kept of that, and what it would leave behind if it were destroyed now.
  virtual Leftover found() const { return Leftover::nothing; }
  virtual WrittenPart kept() const { return {}; }
  virtual WrittenPart left() const { return {}; }
  // All data is there: write the headers, flush to the device (unless `sync` is false), without renaming.
  virtual Status finish(bool sync) = 0;
  // Puts the result in place of whatever is there (only with `overwrite`), by renaming. Until `settle`, what
  // was there is kept, and comes back by `take_back` or if the writer is destroyed.
  virtual Status put_in_place() = 0;
  virtual Status take_back() = 0;
  virtual void settle() = 0;
  // All of it, for an output that stands alone.
  Status commit() {
    ROUX_DO(put_in_place());
    settle();
    return ok();
  }

  // What it keeps in memory, where the destination is there (`memory:NAME`); null for files.
  virtual const HostModel* host_model() const { return nullptr; }

  virtual const std::string& path() const = 0;            // the destination
  virtual const std::string& temporary_path() const = 0;  // where the data is until commit
};

}  // namespace roux
