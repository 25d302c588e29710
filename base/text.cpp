#include "base/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/utf8.h"

namespace roux {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Control characters as escapes: names come from files, and must not steer a terminal.
void append_visible(std::string& out, char c) {
  static constexpr char kHex[] = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  if (byte >= 0x20 && byte != 0x7F) {
    out += c;
  } else if (c == '\n') {
    out += "\\n";
  } else if (c == '\t') {
    out += "\\t";
  } else {
    out += "\\u{";
    if (byte >= 0x10) out += kHex[byte >> 4];
    out += kHex[byte & 0xF];
    out += '}';
  }
}

// Insertions, deletions, substitutions and swaps of neighbours, regardless of case (the optimal
// string alignment distance). Stops early, with a number over `limit`, once the limit cannot be
// kept.
std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit) {
  const std::size_t far = limit + 1;
  if (a.size() > b.size()) std::swap(a, b);
  if (b.size() - a.size() > limit) return far;
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    std::size_t least = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1;
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + change});
      const bool swapped = i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
                           lower(a[i - 2]) == lower(b[j - 1]);
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
      least = std::min(least, row[j]);
    }
    if (least > limit) return far;
    before.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

// The run of digits at the start of `text`, removed from it, without its leading zeros.
std::string_view take_number(std::string_view& text) {
  std::size_t end = 0;
  while (end < text.size() && is_digit(text[end])) ++end;
  std::string_view number = text.substr(0, end);
  text.remove_prefix(end);
  number.remove_prefix(std::min(number.find_first_not_of('0'), number.size()));
  return number;
}

std::optional<std::uint64_t> factor_of(std::string_view unit) {
  static constexpr std::string_view kPrefixes = "kmgtp";
  std::string text;
  for (char c : unit) text += lower(c);
  if (text.empty() || text == "b") return 1;
  const std::size_t power = kPrefixes.find(text[0]);
  if (power == std::string_view::npos) return std::nullopt;
  const std::string_view rest = std::string_view(text).substr(1);
  std::uint64_t base = 0;
  if (rest.empty() || rest == "ib") base = 1024;
  if (rest == "b") base = 1000;
  if (base == 0) return std::nullopt;
  std::uint64_t factor = 1;
  for (std::size_t i = 0; i <= power; ++i) factor *= base;
  return factor;
}

std::string plural(std::string_view noun) {
  const auto ends = [&](std::string_view tail) { return noun.ends_with(tail); };
  std::string text(noun);
  if (ends("s") || ends("x") || ends("ch") || ends("sh")) return text + "es";
  const bool vowel_before_y =
      noun.size() > 1 && std::string_view("aeiou").find(noun[noun.size() - 2]) != noun.npos;
  if (ends("y") && !vowel_before_y) {
    text.pop_back();
    return text + "ies";
  }
  return text + "s";
}

}  // namespace

std::string quoted(std::string_view name) {
  std::string out = "`";
  for (char c : name) append_visible(out, c);
  return out + '`';
}

std::string string_literal(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '$') out += '$';
    append_visible(out, c);
  }
  return out + '"';
}

std::string format_number(double value) {
  if (std::isnan(value)) return "nan";
  constexpr double kExactIntegers = 9007199254740992;  // 2^53
  std::array<char, 40> buffer;
  const bool is_count = value == std::floor(value) && std::fabs(value) <= kExactIntegers;
  char* const first = buffer.data();
  char* const last = first + buffer.size();
  const auto written = is_count ? std::to_chars(first, last, value, std::chars_format::fixed)
                                : std::to_chars(first, last, value);
  return {first, written.ptr};
}

std::string format_digits(double value, int digits) {
  char text[64];
  const auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::general, digits).ptr;
  return {text, end};
}

std::string format_bytes(std::uint64_t bytes) {
  static constexpr std::array<std::string_view, 7> kUnits = {"B",  "kB", "MB", "GB",
                                                             "TB", "PB", "EB"};
  if (bytes < 1000) return std::to_string(bytes) + " B";
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 999.5) {  // three digits: 999.5 kB would be printed as 1000 kB
    value /= 1000;
    ++unit;
  }
  const int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  std::array<char, 40> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                 std::chars_format::fixed, decimals)
                       .ptr;
  std::string text(buffer.data(), end);
  if (decimals > 0) {
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
  }
  return text + ' ' + std::string(kUnits[unit]);
}

std::string format_count(std::uint64_t count, std::string_view noun) {
  return std::to_string(count) + ' ' + (count == 1 ? std::string(noun) : plural(noun));
}

std::string format_shape(std::span<const std::int64_t> shape) {
  std::string out = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i > 0) out += ", ";
    out += std::to_string(shape[i]);
  }
  return out + ']';
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string out;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) out += separator;
    out += parts[i];
  }
  return out;
}

std::optional<std::string> nearest(std::string_view word,
                                   const std::vector<std::string>& candidates) {
  // A third of the letters may be wrong, at least one; and something must be left in common.
  std::size_t limit = std::max<std::size_t>(1, word.size() / 3);
  const std::string* best = nullptr;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate, limit);
    if (distance > limit || distance >= std::max(word.size(), candidate.size())) continue;
    best = &candidate;
    if (distance == 0) break;
    limit = distance - 1;  // only a nearer one can replace it
  }
  if (best == nullptr) return std::nullopt;
  return *best;
}

bool glob_matches(std::string_view pattern, std::string_view text) {
  // Only the last `*` ever needs to be widened, so there is no recursion and no exponential case.
  std::size_t p = 0, t = 0, star = std::string_view::npos, widened = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      widened = t;
    } else if (p < pattern.size() && pattern[p] == '?') {
      ++p;
      ++t;
      while (t < text.size() && is_utf8_continuation(text[t])) ++t;  // one character, not one byte
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++widened;
      while (t < text.size() && is_utf8_continuation(text[t])) t = ++widened;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool natural_less(std::string_view a, std::string_view b) {
  std::string_view x = a, y = b;
  while (!x.empty() && !y.empty()) {
    if (is_digit(x[0]) && is_digit(y[0])) {
      const std::string_view m = take_number(x), n = take_number(y);
      if (m.size() != n.size()) return m.size() < n.size();
      if (m != n) return m < n;
    } else if (x[0] != y[0]) {
      return static_cast<unsigned char>(x[0]) < static_cast<unsigned char>(y[0]);
    } else {
      x.remove_prefix(1);
      y.remove_prefix(1);
    }
  }
  if (x.empty() != y.empty()) return x.empty();
  return a < b;  // they differ in leading zeros only: still a total order
}

std::optional<std::uint64_t> parse_bytes(std::string_view text) {
  std::size_t digits = 0;
  while (digits < text.size() && (is_digit(text[digits]) || text[digits] == '.')) ++digits;
  const std::string_view number = text.substr(0, digits);
  std::string_view unit = text.substr(digits);
  while (!unit.empty() && unit.front() == ' ') unit.remove_prefix(1);
  const std::optional<std::uint64_t> factor = factor_of(unit);
  if (number.empty() || !is_digit(number.front()) || !is_digit(number.back()) || !factor)
    return std::nullopt;

  const char* const end = number.data() + number.size();
  if (number.find('.') == std::string_view::npos) {
    std::uint64_t whole = 0, bytes = 0;
    const auto parsed = std::from_chars(number.data(), end, whole);
    if (parsed.ec != std::errc() || __builtin_mul_overflow(whole, *factor, &bytes))
      return std::nullopt;
    return bytes;
  }
  double value = 0;
  const auto parsed = std::from_chars(number.data(), end, value, std::chars_format::fixed);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  value *= static_cast<double>(*factor);
  if (value >= 0x1p64) return std::nullopt;
  return static_cast<std::uint64_t>(value);
}

}  // namespace roux
