// Checkpoints in the memory of the host program, under paths that begin with `memory:`. To everything above they
// are like others: opening validates what a header would say, reads gather strided tensors, and a writer keeps what
// it is given until somebody takes it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/host_model.h"
#include "runtime/checkpoint/checkpoint.h"
#include "runtime/checkpoint/writer.h"

namespace roux {

bool is_host_path(std::string_view path);
std::string host_path(std::string_view name);       // "memory:base"
std::string_view name_of_host_path(std::string_view path);  // "base"

// `path`: a host path. Refuses unknown dtypes, names that come twice or are too long, negative or overflowing
// shapes, strides of another rank than the shape, elements without data, a config that is no JSON object.
Result<Checkpoint::Ptr> open_host_model(std::string path, const HostModel& model, Span span);

class HostWriter final : public CheckpointWriter {
 public:
  // Takes the memory for all tensors at once; an error where there is none.
  static Result<std::unique_ptr<HostWriter>> create(const OutputLayout& layout);

  Status write(std::size_t tensor, std::uint64_t offset, const void* data, std::uint64_t size) override;
  void set_metadata(std::map<std::string, std::string> metadata) override { model_.metadata = std::move(metadata); }
  Status finish(bool) override { return ok(); }
  // Nothing is in place before somebody takes the model.
  Status put_in_place() override { return ok(); }
  Status take_back() override { return ok(); }
  void settle() override {}
  const std::string& path() const override { return path_; }
  const std::string& temporary_path() const override { return path_; }

  const HostModel* host_model() const override { return &model_; }

 private:
  std::string path_;
  HostModel model_;
  std::vector<std::shared_ptr<unsigned char[]>> data_;  // of the tensors, to be written into
};

}  // namespace roux
