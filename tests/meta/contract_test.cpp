// docs/contract.md names, for each sentence of the contract, the tests that hold it: every one of
// them must exist, and (beside a copy of the contract) every sentence must be one of its own.
#include <gtest/gtest.h>

#include <filesystem>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/files.h"
#include "tests/support/paths.h"

namespace roux::testing {
namespace {

namespace fs = std::filesystem;

struct Row {
  std::string sentence;
  std::vector<std::string> tests;
};

// `| sentence | `a`, `b` |`; a bar inside a sentence is written `\|`.
std::vector<Row> rows_of(const std::string& text) {
  std::vector<Row> rows;
  const std::regex row(R"(^\| (.*[^\\]) \| (.*) \|$)"), test("`([^`]+)`");
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::smatch found;
    if (!std::regex_match(line, found, row) || found[1] == "sentence") continue;
    const std::string tests = found[2];
    Row next{std::regex_replace(found[1].str(), std::regex(R"(\\\|)"), "|"), {}};
    for (std::sregex_iterator at(tests.begin(), tests.end(), test), end; at != end; ++at)
      next.tests.push_back((*at)[1]);
    rows.push_back(std::move(next));
  }
  return rows;
}

std::set<std::string> existing_tests() {
  std::set<std::string> names;
  const std::regex test(R"(TEST(?:_F|_P)?\((\w+),\s+(\w+)\))");
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(source_dir() / "tests")) {
    const fs::path& path = entry.path();
    const std::string folder = path.parent_path().filename().string();
    if (path.extension() == ".merge") names.insert(folder + "/" + path.stem().string());
    if (path.extension() != ".cpp") continue;
    const std::string text = read_file(path);
    for (std::sregex_iterator at(text.begin(), text.end(), test), end; at != end; ++at)
      names.insert((*at)[1].str() + "." + (*at)[2].str());
  }
  return names;
}

std::string one_line(std::string text) {
  text = std::regex_replace(text, std::regex(R"(\*\*|\\(?=\|))"), "");
  return std::regex_replace(text, std::regex(R"(\s+)"), " ");
}

std::vector<Row> contract() { return rows_of(read_file(source_dir() / "docs/contract.md")); }

TEST(Contract, EverySentenceNamesTestsThatExist) {
  const std::set<std::string> tests = existing_tests();
  const std::vector<Row> rows = contract();
  EXPECT_GT(rows.size(), 70u);
  for (const Row& row : rows) {
    EXPECT_FALSE(row.tests.empty()) << row.sentence;
    for (const std::string& name : row.tests)
      EXPECT_TRUE(tests.contains(name)) << name << ", of: " << row.sentence;
  }
}

TEST(Contract, EverySentenceIsOneOfTheContract) {
  const fs::path path = shared_dir() / "LANGUAGE.md";
  if (!fs::exists(path)) GTEST_SKIP() << path << " is not there";
  const std::string text = one_line(read_file(path));
  for (const Row& row : contract())
    EXPECT_NE(text.find(one_line(row.sentence)), text.npos) << row.sentence;
}

TEST(Contract, ThisTestReadsRows) {
  const std::vector<Row> rows = rows_of("| sentence | held by |\n|---|---|\n| a \\| b | `X.y`, `golden/z` |\n");
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].sentence, "a | b");
  EXPECT_EQ(rows[0].tests, (std::vector<std::string>{"X.y", "golden/z"}));
  EXPECT_TRUE(existing_tests().contains("Contract.ThisTestReadsRows"));
}

}  // namespace
}  // namespace roux::testing
