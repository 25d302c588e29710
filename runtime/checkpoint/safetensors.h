// The safetensors format: 8 bytes of header length (little-endian), a JSON header, then the
// tensors' bytes without gaps. Reading validates everything that a header can get wrong before any
// of it is used; writing makes the header of a file whose tensors are given in the order of their
// bytes. Reads no tensor data.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "runtime/checkpoint/checkpoint.h"
#include "runtime/checkpoint/file.h"

namespace roux {

struct SafetensorsHeader {
  std::string text;                 // the JSON, padding included
  std::vector<TensorInfo> tensors;  // in the order of their bytes; `file` is left 0
  std::map<std::string, std::string> metadata;
};

// `path` is for messages only.
Result<SafetensorsHeader> read_safetensors_header(const Fd& fd, std::uint64_t file_bytes,
                                                  const std::string& path, Span span);

// True if these are the first bytes (16 suffice) of what may be a safetensors file.
bool looks_like_safetensors(std::string_view first_bytes);

// The product of a shape; nothing if it, or the bytes, leave 63 bits (a zero elsewhere does not
// excuse it).
std::optional<std::uint64_t> element_count_of(const std::vector<std::int64_t>& shape, DType dtype);

struct HeaderEntry {
  std::string name;
  DType dtype;
  std::vector<std::int64_t> shape;
  std::uint64_t begin;  // from the start of the data
  std::uint64_t end;
};
// Length, JSON, and spaces up to a multiple of 8 bytes and to `least_bytes` (itself one): everything that stands
// before the data.
std::string safetensors_header(const std::vector<HeaderEntry>& entries,
                               const std::map<std::string, std::string>& metadata, std::uint64_t least_bytes = 0);

}  // namespace roux
