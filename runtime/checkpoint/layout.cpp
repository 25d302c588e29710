#include "runtime/checkpoint/layout.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <utility>

#include "base/text.h"
#include "runtime/checkpoint/file.h"
#include "runtime/checkpoint/host_memory.h"
#include "runtime/checkpoint/safetensors.h"

namespace roux {
namespace {

std::uint64_t bytes_of_tensor(const OutputTensor& tensor) {
  const std::optional<std::uint64_t> count = element_count_of(tensor.shape, tensor.dtype);
  ROUX_CHECK(count.has_value());
  return *count * static_cast<std::uint64_t>(bytes_of(tensor.dtype));
}

using Indices = std::vector<std::size_t>;

// Names mostly come in order, and there may be very many of them.
template <class Items, class Less>
void sort_unless_sorted(Items& items, Less less) {
  if (!std::is_sorted(items.begin(), items.end(), less)) std::sort(items.begin(), items.end(), less);
}

// Blocks in their order ("layers.2" before "layers.10"), cut wherever the next tensor would not
// fit.
std::vector<Indices> cut_into_shards(const OutputLayout& layout,
                                     const std::vector<PlacedTensor>& placed) {
  Indices order(placed.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (is_single_file(layout)) return {std::move(order)};
  sort_unless_sorted(order, [&](std::size_t a, std::size_t b) {
    return natural_less(layout.tensors[a].name, layout.tensors[b].name);
  });
  std::vector<Indices> shards(1);
  std::uint64_t filled = 0;
  for (const std::size_t i : order) {
    const std::uint64_t bytes = placed[i].byte_count;
    const bool fits = filled <= layout.shard_bytes && bytes <= layout.shard_bytes - filled;
    if (!fits && !shards.back().empty()) {
      shards.emplace_back();
      filled = 0;
    }
    shards.back().push_back(i);
    filled += bytes;
  }
  return shards;
}

std::string shard_name(std::size_t shard, std::size_t count) {
  if (count == 1) return "model.safetensors";
  std::array<char, 64> name;
  std::snprintf(name.data(), name.size(), "model-%05zu-of-%05zu.safetensors", shard + 1, count);
  return name.data();
}

// Falling element size keeps every tensor aligned to its elements without gaps.
void order_within_file(Indices& tensors, const OutputLayout& layout) {
  sort_unless_sorted(tensors, [&](std::size_t a, std::size_t b) {
    const OutputTensor &x = layout.tensors[a], &y = layout.tensors[b];
    const int x_bytes = bytes_of(x.dtype), y_bytes = bytes_of(y.dtype);
    return x_bytes != y_bytes ? x_bytes > y_bytes : x.name < y.name;
  });
}

std::string index_text(const OutputLayout& layout, const OutputPlan& plan) {
  nlohmann::json index;
  index["metadata"]["total_size"] = plan.data_bytes;
  nlohmann::json& weight_map = index["weight_map"];
  for (std::size_t i = 0; i < layout.tensors.size(); ++i)
    weight_map[layout.tensors[i].name] = plan.files[plan.tensors[i].file].name;
  // As transformers writes it: two spaces, sorted keys, ASCII only, a newline at the end.
  return index.dump(2, ' ', true, nlohmann::json::error_handler_t::replace) + "\n";
}

std::map<std::string, std::string> with_format(std::map<std::string, std::string> metadata) {
  metadata.try_emplace("format", "pt");
  return metadata;
}

void check_names_differ(const OutputLayout& layout) {
  std::vector<std::string_view> names;
  for (const OutputTensor& tensor : layout.tensors) names.push_back(tensor.name);
  sort_unless_sorted(names, std::less<>());
  ROUX_CHECK(std::adjacent_find(names.begin(), names.end()) == names.end());
}

}  // namespace

bool is_single_file(const OutputLayout& layout) {
  return is_host_path(layout.path) || without_trailing_slashes(layout.path).ends_with(".safetensors");
}

OutputPlan plan_output(const OutputLayout& layout) {
  check_names_differ(layout);
  OutputPlan plan;
  plan.tensors.resize(layout.tensors.size());
  for (std::size_t i = 0; i < layout.tensors.size(); ++i)
    plan.tensors[i].byte_count = bytes_of_tensor(layout.tensors[i]);

  const std::map<std::string, std::string> metadata = with_format(layout.metadata);
  std::vector<Indices> shards = cut_into_shards(layout, plan.tensors);
  for (std::size_t s = 0; s < shards.size(); ++s) {
    order_within_file(shards[s], layout);
    std::vector<HeaderEntry> entries;
    std::uint64_t end = 0;
    for (const std::size_t i : shards[s]) {
      const OutputTensor& tensor = layout.tensors[i];
      const std::uint64_t begin = std::exchange(end, end + plan.tensors[i].byte_count);
      entries.push_back({tensor.name, tensor.dtype, tensor.shape, begin, end});
    }
    PlannedFile file{shard_name(s, shards.size()), safetensors_header(entries, metadata), std::move(entries), 0};
    for (std::size_t k = 0; k < file.entries.size(); ++k) {
      PlacedTensor& placed = plan.tensors[shards[s][k]];
      placed.file = static_cast<std::uint32_t>(s);
      placed.offset = file.header.size() + file.entries[k].begin;
    }
    file.bytes = file.header.size() + end;
    plan.data_bytes += end;
    plan.files.push_back(std::move(file));
  }
  if (plan.files.size() > 1) plan.index = index_text(layout, plan);
  return plan;
}

void replace_metadata(OutputPlan& plan, std::map<std::string, std::string> metadata) {
  metadata = with_format(std::move(metadata));
  for (PlannedFile& file : plan.files) {
    const std::size_t room = file.header.size();
    file.header = safetensors_header(file.entries, metadata, room);
    ROUX_CHECK(file.header.size() == room);
  }
}

std::optional<DType> dominant_dtype(const std::vector<OutputTensor>& tensors) {
  std::map<DType, std::uint64_t> bytes;
  for (const OutputTensor& tensor : tensors)
    if (is_floating(tensor.dtype)) bytes[tensor.dtype] += bytes_of_tensor(tensor);
  const auto most = std::max_element(
      bytes.begin(), bytes.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  if (most == bytes.end()) return std::nullopt;
  return most->first;
}

}  // namespace roux
