// Replaces the text of a file so that a reader sees the old text or the new one, whatever happens in between:
// written beside it under a hidden name, then renamed. Links are followed; permissions stay.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace roux::cli {

Status replace_file(const std::string& path, std::string_view text);

}  // namespace roux::cli
