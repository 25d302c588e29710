// Where every byte of an output goes, decided before any of it is written: files, shards, headers,
// the index, the place of each tensor. A function of the OutputLayout alone, so equal layouts give
// equal bytes. Touches no disk.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/checkpoint/safetensors.h"
#include "runtime/checkpoint/writer.h"

namespace roux {

struct PlannedFile {
  std::string name;
  std::string header;  // all that stands before the data
  std::vector<HeaderEntry> entries;  // of which it tells
  std::uint64_t bytes = 0;
};

struct PlacedTensor {
  std::uint32_t file = 0;
  std::uint64_t offset = 0;  // from the start of the file
  std::uint64_t byte_count = 0;
};

struct OutputPlan {
  std::vector<PlannedFile> files;
  std::vector<PlacedTensor> tensors;  // as in OutputLayout::tensors
  std::string index;                  // text of model.safetensors.index.json; empty for one file
  std::uint64_t data_bytes = 0;
};

bool is_single_file(const OutputLayout& layout);  // or in memory: nothing lies beside the tensors
OutputPlan plan_output(const OutputLayout& layout);
// As output_bytes(layout), of which this is the plan.
std::uint64_t output_bytes(const OutputLayout& layout, const OutputPlan& plan);
// The same headers with other metadata, which need no more room.
void replace_metadata(OutputPlan& plan, std::map<std::string, std::string> metadata);

// The floating dtype that most bytes have, which config.json is told; nothing without floating
// tensors.
std::optional<DType> dominant_dtype(const std::vector<OutputTensor>& tensors);

}  // namespace roux
