// What changed between two texts, as the lines of a unified diff with three lines around each change. A text
// that changes almost everywhere is shown as replaced whole.
#pragma once

#include <string>
#include <string_view>

namespace roux::cli {

// Empty where the texts are equal.
std::string unified_diff(std::string_view name, std::string_view before, std::string_view after);

}  // namespace roux::cli
