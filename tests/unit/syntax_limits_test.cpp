// The syntax layer under texts that nobody writes: too deep, too long, cut off, damaged, random.
// Always a tree, or errors of the user with places inside the text.
#include <gtest/gtest.h>

#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <utility>

#include "base/limits.h"
#include "tests/support/syntax.h"

namespace roux::testing {
namespace {

// --- limits --------------------------------------------------------------------------------------

TEST(SyntaxLimits, NestingIsBounded) {
  struct Nest {
    std::string_view before, open, middle, close;
  };
  for (const Nest& n : std::initializer_list<Nest>{
           {"x = ", "(", "1", ")"},
           {"x = ", "[", "1", "]"},
           {"x = ", "f(", "1", ")"},
           {"x = ", "{", "1", "}"},
           {"x = ", "{a = ", "1", "}"},
           {"x = ", "\"${", "1", "}\""},
           {"x = ", "a[", "1", "]"},
           {"x = ", "if ", "a", " then b else c"},
           {"x = ", "if a then ", "a", " else c"},
           {"x = ", "match name {_ => ", "a", "}"},
           {"x = ", "if a\nthen ", "a", "\nelse c"},
           {"x = ", "(y, z) => (", "a", ")"},
           {"param x: ", "list[", "a", "]"},
           {"param x: ", "(", "a", ")"},
       }) {
    const auto nested = [&](std::size_t depth) {
      return std::string(n.before) + repeated(n.open, depth) + std::string(n.middle) +
             repeated(n.close, depth);
    };
    EXPECT_TRUE(parsed(nested(90)).result.ok()) << nested(1) << errors(nested(90));
    EXPECT_EQ(first_kind(nested(1000)), DiagnosticKind::limit) << nested(1);
    EXPECT_EQ(first_kind(nested(30'000)), DiagnosticKind::limit) << nested(1);
    EXPECT_FALSE(parsed(std::string(n.before) + repeated(n.open, 30'000)).result.ok()) << nested(1);
  }
}

TEST(SyntaxLimits, ChainsAreBounded) {
  for (const auto& [link, end] :
       std::initializer_list<std::pair<std::string_view, std::string_view>>{
           {"1+", "1"},
           {"- ", "1"},
           {"not ", "a"},
           {"a^", "b"},
           {"a^-", "b"},
           {"f => ", "1"},
           {"a |> ", "f"},
           {"a or ", "b"},
           {"if a then b else ", "c"}}) {
    EXPECT_TRUE(parsed(repeated(link, 90) + std::string(end)).result.ok()) << link;
    EXPECT_EQ(first_kind(repeated(link, 1000) + std::string(end)), DiagnosticKind::limit) << link;
    EXPECT_EQ(first_kind(repeated(link, 100'000) + std::string(end)), DiagnosticKind::limit)
        << link;
  }
  for (std::string_view suffix : {"()", ".b", "[0]", " as model"}) {
    std::string text = "a";
    text += repeated(suffix, 1000);
    EXPECT_EQ(first_kind(text), DiagnosticKind::limit) << suffix;
  }
  EXPECT_TRUE(parsed("x = [" + repeated("1, ", 10'000) + "]").result.ok());
  EXPECT_TRUE(parsed(repeated("x = if a then b else c\n", 1000)).result.ok());
}

TEST(SyntaxLimits, SizeIsBounded) {
  EXPECT_EQ(first_kind(std::string(limits::kRecipeBytes + 1, ' ')), DiagnosticKind::limit);
  EXPECT_TRUE(parsed(std::string(1 << 20, ' ') + "x").result.ok());
  EXPECT_EQ(first_kind(repeated("x\n", limits::kSyntaxTokens)), DiagnosticKind::limit);
  // Comments before a continued line are passed once, not once each.
  EXPECT_TRUE(parsed("x = a +\n" + repeated("#\n", 90'000) + "b").result.ok());
}

// --- anything at all -----------------------------------------------------------------------------

void expect_sane(const std::string& text) { ASSERT_EQ(complaint_of_parse(text), "") << text; }

TEST(SyntaxFuzz, EveryTruncationOfARecipe) {
  EXPECT_TRUE(parsed(std::string(kRecipe)).result.ok()) << errors(std::string(kRecipe));
  for (std::size_t size = 0; size <= kRecipe.size(); ++size)
    expect_sane(std::string(kRecipe.substr(0, size)));
}

TEST(SyntaxFuzz, DamagedRecipes) {
  constexpr std::string_view kPieces[] = {
      "(",         ")",     "[",       "]",    "{",        "}",       "\"",
      "${",        "$",     "\\",      "'",    "\n",       ";",       ",",
      "=",         "=>",    "->",      "|>",   "|",        "..",      ".",
      "+",         "-",     "^",       "not ", " if ",     " then ",  " else ",
      " for ",     " in ",  " match ", " as ", " method ", " param ", " import ",
      "##",        "#",     "1",       "1e",   "%",        "é",       "\xFF",
      " without ", " and ", "_",       "x",    "?",        ":",       "regex(\"a\")"};
  std::mt19937 random(20240601);
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  for (int round = 0; round < 1200; ++round) {
    std::string text(kRecipe);
    const std::size_t begin = below(text.size());
    text = text.substr(begin, 40 + below(500));
    for (std::size_t edits = 1 + below(6); edits-- > 0;) {
      const std::size_t at = below(text.size());
      if (below(2) == 0)
        text.erase(at, below(8));
      else
        text.insert(at, kPieces[below(std::size(kPieces))]);
      if (text.empty()) text.push_back('x');
    }
    expect_sane(text);
  }
  for (int round = 0; round < 800; ++round) {
    std::string text;
    for (std::size_t count = below(40); count-- > 0;) text += kPieces[below(std::size(kPieces))];
    expect_sane(text);
  }
}

TEST(SyntaxFuzz, RandomBytes) {
  std::mt19937 random(7);
  for (int round = 0; round < 500; ++round) {
    std::string text;
    for (std::size_t count = random() % 60; count-- > 0;)
      text += static_cast<char>(round % 2 == 0 ? random() % 256 : 32 + random() % 95);
    expect_sane(text);
  }
}

}  // namespace
}  // namespace roux::testing
