#include "runtime/checkpoint/host_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>
#include <set>

#include "base/limits.h"
#include "base/text.h"
#include "base/utf8.h"
#include "runtime/checkpoint/companions.h"
#include "runtime/checkpoint/config.h"
#include "runtime/checkpoint/digest.h"
#include "runtime/checkpoint/safetensors.h"

namespace roux {
namespace {

constexpr std::string_view kPrefix = "memory:";
constexpr std::uint64_t kBlockBytes = 1u << 20;

constexpr std::string_view kMetadataName = "__metadata__";  // a key of its own in files
constexpr std::string_view kTorch = "torch.";

std::optional<DType> dtype_of(std::string_view text) {
  if (text.starts_with(kTorch)) text.remove_prefix(kTorch.size());
  const std::optional<DType> dtype = dtype_from_name(text);
  return dtype ? dtype : dtype_from_file_name(text);
}

// Whether the distance of every element from the first, in bytes, is a number.
bool reaches(const HostTensor& tensor, DType dtype) {
  std::int64_t forward = 0, backward = 0;
  for (std::size_t axis = 0; axis < tensor.strides.size(); ++axis) {
    std::int64_t last;
    if (__builtin_mul_overflow(tensor.shape[axis] - 1, tensor.strides[axis], &last) ||
        __builtin_mul_overflow(last, static_cast<std::int64_t>(bytes_of(dtype)), &last))
      return false;
    std::int64_t& side = last > 0 ? forward : backward;
    if (__builtin_add_overflow(side, last, &side)) return false;
  }
  return true;
}

// The elements of a strided tensor in row-major order. Trailing axes that lie without gaps are one run.
class Gather {
 public:
  Gather(const std::vector<std::int64_t>& shape, const std::vector<std::int64_t>& strides, std::uint64_t width)
      : width_(width) {
    std::size_t axis = shape.size();
    while (axis > 0 && (strides.empty() || shape[axis - 1] == 1 ||
                        strides[axis - 1] == static_cast<std::int64_t>(run_))) {
      run_ *= static_cast<std::uint64_t>(shape[axis - 1]);
      --axis;
    }
    for (std::size_t i = 0; i < axis; ++i) outer_.push_back({shape[i], strides[i]});
  }

  // `count` elements from the element `first` on.
  void copy(const unsigned char* data, std::uint64_t first, std::uint64_t count, unsigned char* to) const {
    if (count == 0) return;
    std::vector<std::int64_t> at(outer_.size());
    std::int64_t offset = 0;
    std::uint64_t rest = first / run_;
    for (std::size_t i = outer_.size(); i-- > 0;) {
      const auto extent = static_cast<std::uint64_t>(outer_[i].extent);
      at[i] = static_cast<std::int64_t>(rest % extent);
      rest /= extent;
      offset += at[i] * outer_[i].stride;
    }
    std::uint64_t inside = first % run_;
    while (true) {
      const std::uint64_t some = std::min(run_ - inside, count);
      const std::int64_t begin = (offset + static_cast<std::int64_t>(inside)) * static_cast<std::int64_t>(width_);
      std::memcpy(to, data + begin, some * width_);
      to += some * width_;
      count -= some;
      if (count == 0) return;
      inside = 0;
      advance(at, offset);
    }
  }

 private:
  struct Axis {
    std::int64_t extent, stride;
  };

  void advance(std::vector<std::int64_t>& at, std::int64_t& offset) const {
    for (std::size_t i = outer_.size(); i-- > 0;) {
      offset += outer_[i].stride;
      if (++at[i] < outer_[i].extent) return;
      offset -= outer_[i].extent * outer_[i].stride;
      at[i] = 0;
    }
  }

  std::vector<Axis> outer_;
  std::uint64_t run_ = 1;
  std::uint64_t width_;
};

// For a result. Large ones are made of large pages, since each page that is touched first costs a fault.
std::shared_ptr<unsigned char[]> memory_for(std::uint64_t bytes) {
  constexpr std::uint64_t kLargePage = 2u << 20;
  if (bytes < 2 * kLargePage) return std::make_shared_for_overwrite<unsigned char[]>(bytes);
  const std::uint64_t rounded = (bytes + kLargePage - 1) / kLargePage * kLargePage;
  auto* const data = static_cast<unsigned char*>(std::aligned_alloc(kLargePage, rounded));
  if (!data) throw std::bad_alloc();
  ::madvise(data, rounded, MADV_HUGEPAGE);  // where there are none, small ones do
  return {data, [](unsigned char* memory) { std::free(memory); }};
}

class HostCheckpoint final : public Checkpoint {
 public:
  HostCheckpoint(std::string path, const HostModel& model, Span span)
      : path_(std::move(path)), metadata_(model.metadata), config_(model.config), span_(span) {}

  Status load(const HostModel& model) {
    if (model.tensors.size() > limits::kTensors)
      return refuse(DiagnosticKind::limit, "it holds more than " + format_count(limits::kTensors, "tensor"));
    for (const HostTensor& tensor : model.tensors) ROUX_DO(add(tensor));
    std::sort(held_.begin(), held_.end(), [](const Held& a, const Held& b) { return a.name < b.name; });
    HeaderHash hash;
    for (const Held& held : held_) {
      const TensorInfo info = info_of(held);
      if (!tensors_.empty() && tensors_.back().name == info.name)
        return refuse(DiagnosticKind::bad_checkpoint, "tensor " + quoted(info.name) + " is given twice");
      hash.add(info.name + "\n" + std::string(name_of(info.dtype)) + format_shape(info.shape), info.byte_count);
      tensors_.push_back(info);
    }
    header_digest_ = hash.hex();
    quantized_ = quantized_tensors(tensors_);
    if (!config_) return ok();
    ROUX_TRY(const ConfigFacts facts, read_config(*config_, path_, span_));
    if (facts.quantized) quantized_ = facts.quantized;
    return ok();
  }

  const std::string& path() const override { return path_; }
  bool is_folder() const override { return config_.has_value(); }  // like one, it has a config that travels along
  const std::vector<std::string>& files() const override { return files_; }
  const std::vector<TensorInfo>& tensors() const override { return tensors_; }
  const std::map<std::string, std::string>& metadata() const override { return metadata_; }
  const std::optional<std::string>& config() const override { return config_; }
  const std::optional<std::string>& quantized() const override { return quantized_; }
  const std::string& header_digest() const override { return header_digest_; }

  Status read(std::size_t tensor, std::uint64_t offset, std::uint64_t size, void* to) const override {
    const Held& held = held_.at(tensor);
    const auto width = static_cast<std::uint64_t>(bytes_of(held.dtype));
    const std::uint64_t bytes = tensors_[tensor].byte_count;
    ROUX_CHECK(offset % width == 0 && size % width == 0 && offset <= bytes && size <= bytes - offset);
    held.gather.copy(static_cast<const unsigned char*>(held.data.get()), offset / width, size / width,
                     static_cast<unsigned char*>(to));
    return ok();
  }

  // Over the header and then the tensors in canonical order, as if all of it were a file of its own.
  Result<Digest> digest(int) const override {
    const std::lock_guard<std::mutex> lock(digest_mutex_);
    if (digest_) return *digest_;
    MemoryDigest blocks;
    blocks.add(header_digest_.data(), header_digest_.size());
    std::vector<unsigned char> block(kBlockBytes);
    for (std::size_t t = 0; t < tensors_.size(); ++t)
      for (std::uint64_t at = 0; at < tensors_[t].byte_count; at += kBlockBytes) {
        const std::uint64_t size = std::min(kBlockBytes, tensors_[t].byte_count - at);
        ROUX_DO(read(t, at, size, block.data()));
        blocks.add(block.data(), size);
      }
    digest_ = Digest{blocks.hex(), true};
    return *digest_;
  }

 private:
  struct Held {
    std::string name;
    DType dtype;
    std::vector<std::int64_t> shape;
    std::uint64_t element_count;
    std::shared_ptr<const void> data;
    Gather gather;
  };

  static TensorInfo info_of(const Held& held) {
    return {.name = held.name,
            .dtype = held.dtype,
            .shape = held.shape,
            .element_count = held.element_count,
            .byte_count = held.element_count * static_cast<std::uint64_t>(bytes_of(held.dtype))};
  }

  Diagnostic refuse(DiagnosticKind kind, const std::string& why) const {
    return error(kind, span_, quoted(path_) + ": " + why).hint("the program that gives the model has to mend it");
  }

  Status add(const HostTensor& tensor) {
    const std::string what = "tensor " + quoted(tensor.name);
    if (tensor.name.empty() || tensor.name.size() > limits::kTensorNameBytes || find_bad_utf8(tensor.name) ||
        tensor.name == kMetadataName)
      return refuse(DiagnosticKind::bad_checkpoint,
                    what + " needs a name in UTF-8 of 1 to " + std::to_string(limits::kTensorNameBytes) +
                        " bytes, and not " + quoted(kMetadataName));
    const std::optional<DType> dtype = dtype_of(tensor.dtype);
    if (!dtype)
      return refuse(DiagnosticKind::unsupported_dtype,
                    what + " has dtype " + quoted(tensor.dtype) +
                        ", expected a name of recipes (`bf16`), PyTorch (`torch.bfloat16`) or safetensors (`BF16`)");
    const std::optional<std::uint64_t> count = element_count_of(tensor.shape, *dtype);
    if (!count || tensor.shape.size() > limits::kTensorRank)
      return refuse(DiagnosticKind::bad_checkpoint, what + " has shape " + format_shape(tensor.shape) +
                                                        ", which is negative, too large or of too many axes");
    if (!tensor.strides.empty() && tensor.strides.size() != tensor.shape.size())
      return refuse(DiagnosticKind::bad_checkpoint, what + " has strides " + format_shape(tensor.strides) +
                                                        " for shape " + format_shape(tensor.shape) +
                                                        ", expected one for each axis, in elements");
    if (*count > 0 && !reaches(tensor, *dtype))
      return refuse(DiagnosticKind::bad_checkpoint,
                    what + " has strides " + format_shape(tensor.strides) + " that lead out of the address space");
    if (*count > 0 && !tensor.data) return refuse(DiagnosticKind::bad_checkpoint, what + " has no data");
    held_.push_back({tensor.name, *dtype, tensor.shape, *count, tensor.data,
                     Gather(tensor.shape, tensor.strides, static_cast<std::uint64_t>(bytes_of(*dtype)))});
    return ok();
  }

  std::string path_;
  std::map<std::string, std::string> metadata_;
  std::optional<std::string> config_;
  Span span_;
  std::vector<Held> held_;  // sorted as `tensors_`
  std::vector<TensorInfo> tensors_;
  std::vector<std::string> files_;  // none
  std::optional<std::string> quantized_;
  std::string header_digest_;
  mutable std::mutex digest_mutex_;
  mutable std::optional<Digest> digest_;
};

}  // namespace

bool is_host_path(std::string_view path) { return path.starts_with(kPrefix); }
std::string host_path(std::string_view name) { return std::string(kPrefix) + std::string(name); }
std::string_view name_of_host_path(std::string_view path) { return path.substr(kPrefix.size()); }

Result<Checkpoint::Ptr> open_host_model(std::string path, const HostModel& model, Span span) {
  const auto checkpoint = std::make_shared<HostCheckpoint>(std::move(path), model, span);
  ROUX_DO(checkpoint->load(model));
  return Checkpoint::Ptr(checkpoint);
}

Result<std::unique_ptr<HostWriter>> HostWriter::create(const OutputLayout& layout) try {
  auto writer = std::make_unique<HostWriter>();
  writer->path_ = layout.path;
  writer->model_.metadata = layout.metadata;
  writer->model_.config = config_of(layout);
  for (const OutputTensor& tensor : layout.tensors) {
    const std::optional<std::uint64_t> count = element_count_of(tensor.shape, tensor.dtype);
    ROUX_CHECK(count.has_value());
    const std::uint64_t bytes = *count * static_cast<std::uint64_t>(bytes_of(tensor.dtype));
    writer->data_.push_back(memory_for(bytes));
    writer->model_.tensors.push_back(
        {tensor.name, std::string(name_of(tensor.dtype)), tensor.shape, {}, writer->data_.back()});
  }
  return writer;
} catch (const std::bad_alloc&) {
  return error(DiagnosticKind::memory_budget, layout.span,
               "there is no memory for " + quoted(layout.path) + ", " + format_bytes(output_bytes(layout)))
      .hint("save it to a file");
}

Status HostWriter::write(std::size_t tensor, std::uint64_t offset, const void* data, std::uint64_t size) {
  if (size > 0) std::memcpy(data_.at(tensor).get() + offset, data, size);
  return ok();
}

}  // namespace roux
