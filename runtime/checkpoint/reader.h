// A checkpoint made of safetensors files, whatever brought them together: opens and validates every
// file, merges their tensors into one list in canonical order, and reads by pread from descriptors
// that stay open (so a file that is renamed or replaced meanwhile is still the one that was
// opened). A file that shrank under us is an error of kind `io`, not a crash.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/checkpoint/checkpoint.h"

namespace roux {

struct CheckpointParts {
  std::string path;  // as given, without trailing slashes
  bool is_folder = false;
  std::vector<std::string> files;          // paths that can be opened
  std::optional<std::string> config_path;  // config.json, if there is one
};

Result<Checkpoint::Ptr> open_parts(CheckpointParts parts, Span span);

}  // namespace roux
