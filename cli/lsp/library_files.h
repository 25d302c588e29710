// Copies of library files for an editor to show: read-only, under the user's cache folder.
#pragma once

#include <string>

namespace roux::cli::lsp {

// Writes the copy where it is not there yet. Where none can be written the path leads nowhere.
std::string path_of_library_file(const std::string& name, const std::string& text);

}  // namespace roux::cli::lsp
