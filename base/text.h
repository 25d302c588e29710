// Small helpers for texts that people read: numbers, byte sizes, quoting, nearest spellings.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace roux {

std::string quoted(std::string_view name);                // `name`, control characters escaped
// So that argument-dependent lookup never prefers std::quoted, where <iomanip> is included.
inline std::string quoted(const char* name) { return quoted(std::string_view(name)); }
inline std::string quoted(const std::string& name) { return quoted(std::string_view(name)); }
inline std::string quoted(std::string& name) { return quoted(std::string_view(name)); }
std::string string_literal(std::string_view text);        // "a \"b\"", as a recipe would write it
std::string format_number(double value);                  // shortest text that reads back the same
std::string format_digits(double value, int digits);      // so many significant ones at most, whatever the locale
std::string format_bytes(std::uint64_t bytes);            // 1.5 GB (powers of 1000)
std::string format_count(std::uint64_t count, std::string_view noun);  // 1 tensor, 291 tensors
std::string format_shape(std::span<const std::int64_t> shape);         // [32, 64]
std::string join(const std::vector<std::string>& parts, std::string_view separator);

// The candidate nearest to `word` by edit distance, if any is near enough to be a likely slip.
std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates);

// Shell-style match of a whole text: `*` any run (dots and slashes included), `?` one character.
bool glob_matches(std::string_view pattern, std::string_view text);

// "ft-2" before "ft-10": runs of digits compare by value, everything else bytewise.
bool natural_less(std::string_view a, std::string_view b);

// "512MiB", "5GB", "1G" (= 1 GiB, as memory options are usually meant), "4096"; nothing if it is no size.
std::optional<std::uint64_t> parse_bytes(std::string_view text);

}  // namespace roux
