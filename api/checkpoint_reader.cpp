#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/engine_state.h"
#include "api/host_scorer.h"
#include "api/roux.h"
#include "base/text.h"
#include "runtime/checkpoint/checkpoint.h"
#include "runtime/checkpoint/host_memory.h"
#include "runtime/kernel/storage.h"

namespace roux {
namespace {

template <class T, class Stored>
void convert_all(const std::vector<unsigned char>& bytes, std::vector<T>& values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    Stored stored;
    std::memcpy(&stored, bytes.data() + i * sizeof stored, sizeof stored);
    values[i] = static_cast<T>(stored);
  }
}

template <class T>
void convert(DType dtype, const std::vector<unsigned char>& bytes, std::vector<T>& values) {
  switch (dtype) {
    case DType::i64: return convert_all<T, std::int64_t>(bytes, values);
    case DType::i32: return convert_all<T, std::int32_t>(bytes, values);
    case DType::i16: return convert_all<T, std::int16_t>(bytes, values);
    case DType::i8: return convert_all<T, std::int8_t>(bytes, values);
    case DType::u64: return convert_all<T, std::uint64_t>(bytes, values);
    case DType::u32: return convert_all<T, std::uint32_t>(bytes, values);
    case DType::u16: return convert_all<T, std::uint16_t>(bytes, values);
    case DType::u8:
    case DType::boolean: return convert_all<T, std::uint8_t>(bytes, values);
    default: break;
  }
  ScalarLanes<T> lanes;
  const auto width = static_cast<std::size_t>(bytes_of(dtype));
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = storage::load(lanes, dtype, bytes.data() + i * width);
}

template <class T>
Result<std::vector<T>> read_values(const Checkpoint& checkpoint, const std::string& name) {
  const auto index = checkpoint.find(name);
  if (!index) {
    std::vector<std::string> names;
    for (const TensorInfo& tensor : checkpoint.tensors()) names.push_back(tensor.name);
    Diagnostic missing = error(DiagnosticKind::missing_tensor, {},
                               quoted(checkpoint.path()) + " has no tensor " + quoted(name));
    if (auto near = nearest(name, names)) missing.help = "nearest is " + quoted(*near);
    return missing;
  }
  const TensorInfo& tensor = checkpoint.tensors()[*index];
  std::vector<unsigned char> bytes(tensor.byte_count);
  ROUX_DO(checkpoint.read(*index, 0, bytes.size(), bytes.data()));
  std::vector<T> values(tensor.element_count);
  convert(tensor.dtype, bytes, values);
  return values;
}

}  // namespace

struct CheckpointReader::State {
  Checkpoint::Ptr checkpoint;
  std::vector<TensorSummary> tensors;
};

CheckpointReader reader_of(Checkpoint::Ptr checkpoint) {
  auto state = std::make_shared<CheckpointReader::State>();
  state->checkpoint = std::move(checkpoint);
  for (const TensorInfo& tensor : state->checkpoint->tensors())
    state->tensors.push_back({tensor.name, std::string(name_of(tensor.dtype)), tensor.shape, tensor.byte_count});
  return CheckpointReader(std::move(state));
}

Result<CheckpointReader> CheckpointReader::open(const std::string& path) {
  return guarded([&]() -> Result<CheckpointReader> {
    ROUX_TRY(Checkpoint::Ptr checkpoint, Checkpoint::open(path, {}));
    return reader_of(std::move(checkpoint));
  });
}

Result<CheckpointReader> CheckpointReader::open(const std::string& name, const HostModel& model) {
  return guarded([&]() -> Result<CheckpointReader> {
    ROUX_TRY(Checkpoint::Ptr checkpoint, open_host_model(name, model, {}));
    return reader_of(std::move(checkpoint));
  });
}

const std::string& CheckpointReader::path() const { return state_->checkpoint->path(); }
const std::vector<TensorSummary>& CheckpointReader::tensors() const { return state_->tensors; }
const std::map<std::string, std::string>& CheckpointReader::metadata() const {
  return state_->checkpoint->metadata();
}
std::optional<std::string> CheckpointReader::config() const { return state_->checkpoint->config(); }
std::vector<std::string> CheckpointReader::files() const { return state_->checkpoint->files(); }

Result<std::vector<float>> CheckpointReader::read_f32(const std::string& name) const {
  return guarded([&] { return read_values<float>(*state_->checkpoint, name); });
}
Result<std::vector<double>> CheckpointReader::read_f64(const std::string& name) const {
  return guarded([&] { return read_values<double>(*state_->checkpoint, name); });
}

}  // namespace roux
