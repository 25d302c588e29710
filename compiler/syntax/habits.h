// What people bring along from other languages and from word processors, with what is written here instead. Tables
// for explain.cpp: a habit more is a row more.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace roux::syntax {

struct Habit {
  std::string_view text;
  std::string_view help;
};

// Words that begin something in other languages and are plain names here.
inline constexpr Habit kForeignWords[] = {
    {"def", "a function is written `method name(a, b) = ...`"},
    {"fn", "a function is written `method name(a, b) = ...` or `x => ...`"},
    {"fun", "a function is written `method name(a, b) = ...` or `x => ...`"},
    {"func", "a function is written `method name(a, b) = ...` or `x => ...`"},
    {"function", "a function is written `method name(a, b) = ...` or `x => ...`"},
    {"let", "a name is bound by `name = value` alone"},
    {"var", "a name is bound by `name = value` alone"},
    {"const", "a name is bound by `name = value` alone"},
    {"return", "the value of a block is its last expression"},
    {"lambda", "a function is written `x => ...` or `(x, y) => ...`"},
    {"while", "loops are comprehensions: `[f(x) for x in xs]`"},
    {"elif", "write `else if`"},
    {"from", "write `import \"file.merge\"`"},
    {"del", "names are bound once and stay"},
    {"global", "names are bound once and stay"},
    {"is", "write `==`, or `!=` for `is not`"},
};

inline constexpr Habit kForeignSymbols[] = {
    {"&&", "write `and`"},
    {"||", "write `or`"},
    {"!", "write `not`"},
    {"&", "write `and`"},
    {"~", "write `not`"},
    {"**", "a power is written `a ^ b`"},
    {"//", "a comment begins with `#`; a whole quotient is `floor(a / b)`"},
    {"/*", "a comment begins with `#` and ends with its line"},
    {":=", "a name is bound by `name = value`"},
    {"===", "write `==`"},
    {"!==", "write `!=`"},
    {"<>", "write `!=`"},
    {"=<", "write `<=`"},
    {"%", "a percentage is a number right before its sign: `20%`"},
    {"+=", "a name is bound once: give the new value a new name"},
    {"-=", "a name is bound once: give the new value a new name"},
    {"*=", "a name is bound once: give the new value a new name"},
    {"/=", "a name is bound once: give the new value a new name"},
    {"^=", "a name is bound once: give the new value a new name"},
    {"`", "strings are written with double quotes"},
    {"\\", "lines go on after an operator or inside brackets, with no mark"},
};

// Characters that look like something else, mostly left by word processors.
inline constexpr Habit kLookalikes[] = {
    {"\u201C", "strings are written with straight double quotes"},
    {"\u201D", "strings are written with straight double quotes"},
    {"\u201E", "strings are written with straight double quotes"},
    {"\u2018", "strings are written with straight double quotes"},
    {"\u2019", "strings are written with straight double quotes"},
    {"\u00AB", "strings are written with straight double quotes"},
    {"\u00BB", "strings are written with straight double quotes"},
    {"\u2212", "write `-`"},
    {"\u2013", "write `-`"},
    {"\u2014", "write `-`"},
    {"\u00D7", "write `*`"},
    {"\u00B7", "write `*`"},
    {"\u00F7", "write `/`"},
    {"\u2264", "write `<=`"},
    {"\u2265", "write `>=`"},
    {"\u2260", "write `!=`"},
    {"\u2192", "write `=>` for a function, `->` for a result type"},
    {"\u2026", "a range is written `0..24`"},
    {"\u00A0", "replace it by a plain space"},
    {"\u200B", "remove it"},
    {"\uFEFF", "remove it"},
    {"$", "a dollar stands only in strings; names are written without"},
};

template <std::size_t n>
std::string help_of(const Habit (&habits)[n], std::string_view text) {
  const auto found = std::find_if(std::begin(habits), std::end(habits),
                                  [text](const Habit& habit) { return habit.text == text; });
  return found == std::end(habits) ? std::string() : std::string(found->help);
}

}  // namespace roux::syntax
