// What to say about a path that cannot be opened as a checkpoint: the nearest path that exists, the
// format that a file is in instead, what a folder without safetensors files holds. Makes
// diagnostics; opens nothing for use.
#pragma once

#include <string>
#include <string_view>

#include "base/diagnostic.h"

namespace roux {

Diagnostic explain_missing(const std::string& path, Span span);
// True if these bytes begin a file of another well-known format, whatever its name says.
bool is_foreign(std::string_view first_bytes);
// `first_bytes`: the file's beginning, 16 bytes or more where it has them.
Diagnostic explain_foreign_file(const std::string& path, std::string_view first_bytes, Span span);
Diagnostic explain_folder_without_model(const std::string& path, Span span);

// The same path with its misspelt parts replaced by what is there; empty if nothing is near.
std::string nearest_path(const std::string& path);

}  // namespace roux
