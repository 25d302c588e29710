// The table of formats that a checkpoint can be stored in: how one is told, and what opens it. A
// new format is one .cpp and one row in formats.cpp.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "runtime/checkpoint/checkpoint.h"

namespace roux {

struct Candidate {
  std::string path;  // exists; without trailing slashes
  bool is_folder = false;
  std::string first_bytes;  // of a file: up to 16
};

struct Format {
  std::string_view name;
  bool (*matches)(const Candidate& candidate);
  Result<Checkpoint::Ptr> (*open)(const std::string& path, Span span);
};

std::span<const Format> formats();  // tried in order; the first that matches opens

// Hugging Face's layout (folder.cpp): `model.safetensors`, or shards with an index, or one other
// file.
Result<Checkpoint::Ptr> open_folder(const std::string& path, Span span);

}  // namespace roux
