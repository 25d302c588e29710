// `file:` URIs to paths and back. Percent signs stand for bytes; everything that is no letter, digit or one of
// `-._~/` is written so.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace roux::cli::lsp {

std::optional<std::string> path_of_uri(std::string_view uri);  // nothing: it names no file
std::string uri_of_path(const std::string& path);              // made absolute

}  // namespace roux::cli::lsp
