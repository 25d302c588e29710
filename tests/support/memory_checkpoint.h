// Checkpoints and writers in memory, so that tests of the executor touch no files and can
// misbehave.
#pragma once

#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/checkpoint/checkpoint.h"
#include "runtime/checkpoint/writer.h"

namespace roux::testing {

using Bytes = std::vector<unsigned char>;

template <class T>
Bytes bytes_of_values(const std::vector<T>& values) {
  Bytes bytes(values.size() * sizeof(T));
  if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

template <class T>
std::vector<T> values_of_bytes(const Bytes& bytes) {
  std::vector<T> values(bytes.size() / sizeof(T));
  if (!bytes.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

class MemoryCheckpoint : public Checkpoint {
 public:
  std::function<Status()> before_read;  // may fail, throw or count

  // Tensors have to be added in canonical order; all are one-dimensional.
  std::uint32_t add(std::string name, DType dtype, Bytes bytes) {
    TensorInfo info;
    info.name = std::move(name);
    info.dtype = dtype;
    info.byte_count = bytes.size();
    info.element_count = bytes.size() / static_cast<std::size_t>(roux::bytes_of(dtype));
    info.shape = {static_cast<std::int64_t>(info.element_count)};
    tensors_.push_back(std::move(info));
    data_.push_back(std::move(bytes));
    return static_cast<std::uint32_t>(tensors_.size() - 1);
  }

  const std::string& path() const override { return path_; }
  bool is_folder() const override { return false; }
  const std::vector<std::string>& files() const override { return files_; }
  const std::vector<TensorInfo>& tensors() const override { return tensors_; }
  const std::map<std::string, std::string>& metadata() const override { return metadata_; }
  const std::optional<std::string>& config() const override { return none_; }
  const std::optional<std::string>& quantized() const override { return none_; }
  Status read(std::size_t tensor, std::uint64_t offset, std::uint64_t size,
              void* to) const override {
    if (before_read) ROUX_DO(before_read());
    ROUX_CHECK(offset + size <= data_[tensor].size());
    std::memcpy(to, data_[tensor].data() + offset, size);
    return ok();
  }
  const std::string& header_digest() const override { return path_; }
  Result<Digest> digest(int) const override { return Digest{}; }

 private:
  std::string path_ = "memory";
  std::vector<std::string> files_;
  std::vector<TensorInfo> tensors_;
  std::vector<Bytes> data_;
  std::map<std::string, std::string> metadata_;
  std::optional<std::string> none_;
};

class MemoryWriter : public CheckpointWriter {
 public:
  std::vector<Bytes> tensors;

  std::uint32_t add(std::uint64_t bytes) {
    tensors.emplace_back(bytes, 0xCD);
    return static_cast<std::uint32_t>(tensors.size() - 1);
  }
  Status write(std::size_t tensor, std::uint64_t offset, const void* data,
               std::uint64_t size) override {
    ROUX_CHECK(offset + size <= tensors[tensor].size());
    std::memcpy(tensors[tensor].data() + offset, data, size);
    return ok();
  }
  void set_metadata(std::map<std::string, std::string>) override {}
  Status finish(bool) override { return ok(); }
  Status put_in_place() override { return ok(); }
  Status take_back() override { return ok(); }
  void settle() override {}
  const std::string& path() const override { return path_; }
  const std::string& temporary_path() const override { return path_; }

 private:
  std::string path_ = "memory";
};

}  // namespace roux::testing
