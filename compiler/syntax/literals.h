// What literals mean: numbers with their units, escapes in strings. Pure functions of the spelling.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace roux::syntax {

// `1`, `0.2`, `1e-3`, `20%` (0.2), `5GB` (powers of 1000), `512MiB` (powers of 1024). Nothing if
// the value is no finite double. The text must be a number token; `20%` is the double nearest to
// 0.2.
std::optional<double> number_value(std::string_view text);

// Appends what `\n`, `\t`, `\"`, `\\` or `\u{...}` stands for. Otherwise returns what is wrong with
// it.
struct BadEscape {
  std::string message;
  std::string hint;
};
std::optional<BadEscape> append_escape(std::string_view escape, std::string& out);

}  // namespace roux::syntax
