// What Roux reads and changes in a checkpoint's config.json: whether it says that the weights are
// quantized, and the dtype that loaders take the weights to have. A change touches only the values
// concerned: every other byte of the text stays as it is. Also the signs of quantization among the
// tensors themselves.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/dtype.h"
#include "base/result.h"
#include "runtime/checkpoint/checkpoint.h"

namespace roux {

struct ConfigFacts {
  std::optional<std::string> quantized;  // why the weights count as quantized
  std::optional<bool> ties_embeddings;   // `tie_word_embeddings`, of the whole or of its text model
};

// Refuses text that is no JSON object. `NaN` and `Infinity`, which Python writes, are accepted.
Result<ConfigFacts> read_config(std::string_view text, const std::string& path, Span span);

// Sets every `torch_dtype` and `dtype`, in nested objects too, that names a floating dtype, `auto`
// or nothing; not inside a `quantization_config`. `text` is as read_config accepts it.
std::string with_dtype(std::string_view text, DType dtype);

// Partners such as `x.weight_scale` beside `x.weight`, `x.qweight`, `x.SCB`. `tensors` sorted by
// name.
std::optional<std::string> quantized_tensors(const std::vector<TensorInfo>& tensors);

}  // namespace roux
