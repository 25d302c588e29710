#include "runtime/exec/carried.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "runtime/checkpoint/whole_numbers.h"
#include "runtime/exec/buffer.h"

namespace roux {
namespace {

constexpr std::uint64_t kChunkBytes = 1u << 20;

std::string number_at(DType dtype, const void* data, std::uint64_t index) {
  return with_type(dtype, [&](auto zero) {
    std::memcpy(&zero, static_cast<const char*>(data) + index * sizeof zero, sizeof zero);
    return std::to_string(zero);
  });
}

// One carried tensor, chunk by chunk, on one thread.
class CarriedStream {
 public:
  CarriedStream(const RunContext& context, const CarriedTensor& tensor)
      : context_(context), tensor_(tensor) {
    for (const CarriedTensor::Place& place : tensor.places) {
      const std::vector<TensorInfo>& tensors = context.sources[place.source]->tensors();
      ROUX_CHECK(place.tensor < tensors.size());
      ROUX_CHECK(tensors[place.tensor].dtype == tensor.dtype);
      ROUX_CHECK(tensors[place.tensor].byte_count == tensor.byte_count);
    }
    first_.reserve(std::min(kChunkBytes, tensor.byte_count));
    other_.reserve(std::min(kChunkBytes, tensor.byte_count));
  }

  // Whether any place differs from the first; an error where it must not.
  Result<bool> compare() {
    bool differs = false;
    for (std::uint64_t at = 0; at < tensor_.byte_count; at += kChunkBytes) {
      const std::uint64_t size = std::min(kChunkBytes, tensor_.byte_count - at);
      ROUX_DO(read(tensor_.places[0], at, size, first_));
      for (std::size_t i = 1; i < tensor_.places.size(); ++i) {
        ROUX_DO(read(tensor_.places[i], at, size, other_));
        if (std::memcmp(first_.data(), other_.data(), size) == 0) continue;
        if (tensor_.rule == CarriedTensor::Rule::equal)
          return mismatch(tensor_.places[i], at, size);
        differs = true;
      }
    }
    return differs;
  }

  Status copy() {
    if (is_kept(context_, tensor_.in_output)) {
      context_.sources[tensor_.places[0].source]->feed_digest(tensor_.places[0].tensor);
      return ok();
    }
    for (std::uint64_t at = 0; at < tensor_.byte_count; at += kChunkBytes) {
      const std::uint64_t size = std::min(kChunkBytes, tensor_.byte_count - at);
      ROUX_DO(read(tensor_.places[0], at, size, first_));
      if (tensor_.rule == CarriedTensor::Rule::largest)
        for (std::size_t i = 1; i < tensor_.places.size(); ++i) {
          ROUX_DO(read(tensor_.places[i], at, size, other_));
          take_larger(tensor_.dtype, first_.data(), other_.data(), size);
        }
      for (std::size_t output = 0; output < tensor_.in_output.size(); ++output) {
        if (tensor_.in_output[output] == kNone) continue;
        ROUX_DO(
            context_.outputs[output]->write(tensor_.in_output[output], at, first_.data(), size));
        context_.counters.bytes_written.fetch_add(size, std::memory_order_relaxed);
      }
    }
    return ok();
  }

 private:
  Status read(CarriedTensor::Place place, std::uint64_t at, std::uint64_t size, Buffer& buffer) {
    if (at == 0) context_.sources[place.source]->feed_digest(place.tensor);  // it is read; hashing can wait
    context_.counters.bytes_read.fetch_add(size, std::memory_order_relaxed);
    return context_.sources[place.source]->read(place.tensor, at, size, buffer.data());
  }

  // Both buffers hold the chunk that begins at byte `at`, and differ.
  Diagnostic mismatch(CarriedTensor::Place place, std::uint64_t at, std::uint64_t size) {
    const auto* a = static_cast<const char*>(first_.data());
    const auto* b = static_cast<const char*>(other_.data());
    const std::uint64_t byte = std::mismatch(a, a + size, b).first - a;
    const std::uint64_t index = byte / bytes_of(tensor_.dtype);
    const auto value_in = [&](const char* data, CarriedTensor::Place where) {
      return number_at(tensor_.dtype, data, index) + " in " + roux::quoted(name_of_source(where));
    };
    return error(DiagnosticKind::integer_mismatch, {},
                 "tensor " + roux::quoted(tensor_.name) + " of whole numbers (" +
                     std::string(name_of(tensor_.dtype)) +
                     ") has to be equal in all models; element " +
                     std::to_string(at / bytes_of(tensor_.dtype) + index) + " is " +
                     value_in(a, tensor_.places[0]) + ", " + value_in(b, place))
        .hint("whole numbers are copied, never averaged: `align(models, integers = first)` takes those of the first")
        .about(tensor_.name, {name_of_source(tensor_.places[0]), name_of_source(place)});
  }

  const std::string& name_of_source(CarriedTensor::Place place) const {
    return context_.plan.sources[place.source].name;
  }

  const RunContext& context_;
  const CarriedTensor& tensor_;
  Buffer first_, other_;
};

}  // namespace

Result<std::vector<std::string>> compare_carried(const RunContext& context, ThreadPool& pool) {
  const std::vector<CarriedTensor>& carried = context.plan.carried;
  std::vector<unsigned char> differs(carried.size());
  ROUX_DO(pool.parallel_for(carried.size(), [&](int, std::uint64_t index) -> Status {
    if (carried[index].places.size() < 2) return ok();
    ROUX_TRY(const bool differs_somewhere, CarriedStream(context, carried[index]).compare());
    differs[index] = differs_somewhere;
    return ok();
  }));
  std::vector<std::string> names;
  for (std::size_t i = 0; i < carried.size(); ++i)
    if (differs[i]) names.push_back(carried[i].name);
  return names;
}

Status copy_carried(const RunContext& context, ThreadPool& pool) {
  return pool.parallel_for(context.plan.carried.size(), [&](int, std::uint64_t index) {
    return CarriedStream(context, context.plan.carried[index]).copy();
  });
}

}  // namespace roux
