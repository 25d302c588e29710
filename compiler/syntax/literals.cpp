#include "compiler/syntax/literals.h"

#include <charconv>
#include <cmath>

#include "base/text.h"
#include "compiler/syntax/utf8.h"

namespace roux::syntax {
namespace {

std::optional<double> decimal_value(std::string_view text) {
  double value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  // Too small is as good as zero (from_chars does not tell the two failures apart).
  if (failure == std::errc::result_out_of_range)
    return text.find("e-") != text.npos || text.find("E-") != text.npos ? std::optional(0.0)
                                                                        : std::nullopt;
  if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Shifts the decimal exponent instead of dividing, so that `0.1%` is rounded once, like `0.001`.
std::optional<double> percent_value(std::string_view digits) {
  long exponent = 0;
  const std::size_t mark = digits.find_first_of("eE");
  if (mark != digits.npos) {
    const std::size_t begin = mark + (digits[mark + 1] == '+' ? 2 : 1);
    const auto [_, failure] =
        std::from_chars(digits.data() + begin, digits.data() + digits.size(), exponent);
    if (failure != std::errc{}) return std::nullopt;
  }
  return decimal_value(std::string(digits.substr(0, mark)) + "e" + std::to_string(exponent - 2));
}

double unit_of(std::string_view text) {
  const bool binary = text[text.size() - 2] == 'i';
  const char prefix = text[text.size() - (binary ? 3 : 2)];
  const int power = prefix == 'K' ? 1 : prefix == 'M' ? 2 : prefix == 'G' ? 3 : 4;
  return std::pow(binary ? 1024.0 : 1000.0, power);
}

bool is_scalar_value(unsigned long value) {
  return value <= 0x10FFFF && !(value >= 0xD800 && value <= 0xDFFF);
}

std::optional<BadEscape> append_code_point(std::string_view escape, std::string& out) {
  const std::string_view digits = escape.substr(3, escape.size() - 4);
  unsigned long value = 0;
  const auto [end, failure] =
      std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  const bool whole = failure == std::errc{} && end == digits.data() + digits.size();
  if (!whole || digits.size() > 6 || !is_scalar_value(value))
    return BadEscape{quoted(escape) + " is no character",
                     "write one to six hexadecimal digits, as in `\\u{e9}`, up to `\\u{10ffff}`"};
  append_utf8(static_cast<char32_t>(value), out);
  return std::nullopt;
}

}  // namespace

std::optional<double> number_value(std::string_view text) {
  if (text.back() == '%') return percent_value(text.substr(0, text.size() - 1));
  if (text.back() != 'B') return decimal_value(text);
  const auto value = decimal_value(text.substr(0, text.find_first_of("KMGT")));
  if (!value) return std::nullopt;
  const double size = *value * unit_of(text);
  return std::isfinite(size) ? std::optional(size) : std::nullopt;
}

std::optional<BadEscape> append_escape(std::string_view escape, std::string& out) {
  if (escape == "\\n") {
    out += '\n';
  } else if (escape == "\\t") {
    out += '\t';
  } else if (escape == "\\\"" || escape == "\\\\") {
    out += escape[1];
  } else if (escape.starts_with("\\u{")) {
    return append_code_point(escape, out);
  } else if (escape == "\\u") {
    return BadEscape{"`\\u` needs a code in braces", "write for example `\\u{e9}`"};
  } else if (escape == "\\$") {
    return BadEscape{"unknown escape `\\$`", "a dollar is written `$$`"};
  } else {
    return BadEscape{
        "unknown escape " + quoted(escape),
        "escapes are `\\n`, `\\t`, `\\\"`, `\\\\` and `\\u{...}`; a backslash is written `\\\\`"};
  }
  return std::nullopt;
}

}  // namespace roux::syntax
