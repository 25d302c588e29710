// The storage types of tensors. Arithmetic is done on floating ones only (in the lane type, f32 or f64);
// integers and booleans are carried.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace roux {

enum class DType : std::uint8_t {
#define ROUX_DTYPE(id, file, name, config, bits, kind) id,
#include "base/dtype.def"
};

enum class DTypeKind : std::uint8_t { floating, integer, boolean };

std::string_view file_name_of(DType dtype);    // "BF16", as in a safetensors header
std::string_view name_of(DType dtype);         // "bf16", as in a recipe
std::string_view config_name_of(DType dtype);  // "bfloat16", as in config.json
int bytes_of(DType dtype);
DTypeKind kind_of(DType dtype);
inline bool is_floating(DType dtype) { return kind_of(dtype) == DTypeKind::floating; }

std::optional<DType> dtype_from_file_name(std::string_view text);
// Accepts the language's names and config.json's (`bf16`, `bfloat16`).
std::optional<DType> dtype_from_name(std::string_view text);

}  // namespace roux
