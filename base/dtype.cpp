#include "base/dtype.h"

namespace roux {
namespace {

struct Row {
  DType dtype;
  std::string_view file, name, config;
  int bits;
  DTypeKind kind;
};

constexpr Row kRows[] = {
#define ROUX_DTYPE(id, file, name, config, bits, kind) \
  {DType::id, file, name, config, bits, DTypeKind::kind},
#include "base/dtype.def"
};

const Row& row(DType dtype) { return kRows[static_cast<int>(dtype)]; }

}  // namespace

std::string_view file_name_of(DType dtype) { return row(dtype).file; }
std::string_view name_of(DType dtype) { return row(dtype).name; }
std::string_view config_name_of(DType dtype) { return row(dtype).config; }
int bytes_of(DType dtype) { return row(dtype).bits / 8; }
DTypeKind kind_of(DType dtype) { return row(dtype).kind; }

std::optional<DType> dtype_from_file_name(std::string_view text) {
  for (const Row& r : kRows)
    if (r.file == text) return r.dtype;
  return std::nullopt;
}

std::optional<DType> dtype_from_name(std::string_view text) {
  for (const Row& r : kRows)
    if (r.name == text || r.config == text) return r.dtype;
  return std::nullopt;
}

}  // namespace roux
