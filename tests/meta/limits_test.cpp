// docs/limits.md is the table of base/limits.h: the same limits with the same values, and each row names
// tests that exist.
#include <gtest/gtest.h>

#include <cctype>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>

#include "tests/meta/named_tests.h"

namespace roux::testing {
namespace {

// `4u << 20` is `4 MiB`, `200'000` is `200,000`.
std::string as_told(const std::string& code) {
  std::smatch found;
  if (std::regex_match(code, found, std::regex(R"((\d+)u << 20)"))) return found[1].str() + " MiB";
  std::string digits;
  for (char c : code)
    if (std::isdigit(static_cast<unsigned char>(c))) digits += c;
  for (std::size_t at = digits.size(); at > 3;) digits.insert(at -= 3, ",");
  return digits;
}

std::map<std::string, std::string> limits_in_code() {
  std::map<std::string, std::string> limits;
  const std::string text = read_file(source_dir() / "base/limits.h");
  const std::regex limit(R"(inline constexpr [\w:]+ (k\w+) = ([^;]+);)");
  for (std::sregex_iterator at(text.begin(), text.end(), limit), end; at != end; ++at)
    limits[(*at)[1]] = as_told((*at)[2]);
  return limits;
}

TEST(LimitsDocument, TellsOfEachLimitAndNoOther) {
  const std::map<std::string, std::string> limits = limits_in_code();
  EXPECT_GT(limits.size(), 20u);
  std::map<std::string, std::string> told;
  const std::string text = read_file(source_dir() / "docs/limits.md");
  const std::regex row(R"(\n\| `(k\w+)` \| ([^|]+) \|)");
  for (std::sregex_iterator at(text.begin(), text.end(), row), end; at != end; ++at) told[(*at)[1]] = (*at)[2];
  EXPECT_EQ(told, limits);
}

TEST(LimitsDocument, NamesTestsThatExist) {
  const std::set<std::string> tests = existing_tests();
  std::istringstream lines(read_file(source_dir() / "docs/limits.md"));
  std::size_t rows = 0;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("| ") || line.ends_with("| held by |")) continue;
    ++rows;
    const std::string held_by = line.substr(line.rfind("| ", line.size() - 2));
    const std::regex name("`([^`]+)`");
    std::sregex_iterator at(held_by.begin(), held_by.end(), name), end;
    EXPECT_NE(at, end) << line;
    for (; at != end; ++at) EXPECT_TRUE(tests.contains((*at)[1])) << (*at)[1];
  }
  EXPECT_GT(rows, limits_in_code().size());
}

}  // namespace
}  // namespace roux::testing
