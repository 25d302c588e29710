// The last chapter of docs/language.md names, for each sentence of the contract, the tests that hold it: every one
// of them must exist, and (beside a copy of the contract) every row must be a sentence of its own or a part of one, and
// every sentence must have a row.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <filesystem>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "tests/meta/named_tests.h"

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

std::string one_line(std::string text) {
  text = std::regex_replace(text, std::regex(R"(\*\*|\\(?=\|))"), "");
  return std::regex_replace(text, std::regex(R"(\s+)"), " ");
}

std::vector<Row> contract() {
  const std::string page = read_file(source_dir() / "docs/language.md");
  const std::size_t chapter = page.find("\n## What holds this page\n");
  return chapter == page.npos ? std::vector<Row>{} : rows_of(page.substr(chapter));
}

// The paragraphs of the numbered chapters, without examples and the heads of tables: an item of a list is one, and so
// is a row of a table.
std::vector<std::string> paragraphs_of(const std::string& text) {
  std::vector<std::string> paragraphs(1);
  bool numbered = false, example = false;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("```")) example = !example;
    if (example) continue;
    if (line.starts_with("## ")) numbered = std::isdigit(static_cast<unsigned char>(line[3])) != 0;
    if (line.starts_with("|---")) paragraphs.back().clear();
    if (line.empty() || line.starts_with("- ") || line.starts_with("| ")) paragraphs.emplace_back();
    const bool is_prose = !line.starts_with("#") && !line.starts_with("```") && !line.starts_with("|---");
    if (numbered && is_prose) paragraphs.back() += line + " ";
  }
  for (std::string& paragraph : paragraphs) paragraph = one_line(paragraph);
  return paragraphs;
}

// A sentence ends at a full stop, or at a semicolon outside of brackets; neither counts inside of backticks.
std::vector<std::string> sentences_of(const std::string& text) {
  std::vector<std::string> sentences;
  for (const std::string& paragraph : paragraphs_of(text)) {
    bool quoted = false;
    int depth = 0;
    std::string sentence;
    for (std::size_t i = 0; i < paragraph.size(); ++i) {
      const char c = paragraph[i];
      sentence += c;
      if (c == '`') quoted = !quoted;
      if (quoted) continue;
      depth += (c == '(' || c == '[') - (c == ')' || c == ']');
      if ((c != '.' && (c != ';' || depth > 0)) || paragraph[i + 1] != ' ') continue;
      sentences.push_back(std::exchange(sentence, ""));
    }
    if (sentence.find_first_not_of(" |") != sentence.npos) sentences.push_back(sentence);
  }
  return sentences;
}

// Sentences that no row touches, whichever part of them.
std::vector<std::string> without_row(const std::vector<std::string>& sentences, const std::vector<Row>& rows) {
  std::string all;
  for (const std::string& sentence : sentences) all += sentence;
  std::vector<bool> held(all.size());
  for (const Row& row : rows) {
    const std::string part = one_line(row.sentence);
    for (std::size_t at = all.find(part); at != all.npos; at = all.find(part, at + 1))
      std::fill_n(held.begin() + static_cast<std::ptrdiff_t>(at), part.size(), true);
  }
  std::vector<std::string> bare;
  auto begin = held.cbegin();
  for (const std::string& sentence : sentences) {
    const auto end = begin + static_cast<std::ptrdiff_t>(sentence.size());
    if (std::find(begin, end, true) == end) bare.push_back(sentence);
    begin = end;
  }
  return bare;
}

// Not in this version, or nothing that a recipe could break.
constexpr const char* kWithoutRow[] = {
    "it may carry low-rank factors",
    "| `layers` |",
    "| `net`, `dataset` |",
    "they speak of the operand's own name, before any renumbering.",
    "Steps done by a linear-algebra library",
    "everything that can be written in the language is written in it.",
    "later other formats and hub ids.",
    "Bases.",
    "Arithmetic.",
};

TEST(Contract, EverySentenceNamesTestsThatExist) {
  const std::set<std::string> tests = existing_tests();
  const std::vector<Row> rows = contract();
  EXPECT_GT(rows.size(), 180u);
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

TEST(Contract, EverySentenceHasARow) {
  const fs::path path = shared_dir() / "LANGUAGE.md";
  if (!fs::exists(path)) GTEST_SKIP() << path << " is not there";
  const std::vector<std::string> sentences = sentences_of(read_file(path));
  EXPECT_GT(sentences.size(), 150u);
  std::set<std::string> expected(std::begin(kWithoutRow), std::end(kWithoutRow));
  for (const std::string& sentence : without_row(sentences, contract())) {
    const std::size_t begin = sentence.find_first_not_of(' ');
    const auto known = std::find_if(expected.begin(), expected.end(), [&](const std::string& start) {
      return sentence.compare(begin, start.size(), start) == 0;
    });
    EXPECT_NE(known, expected.end()) << "no test is named for: " << sentence;
    if (known != expected.end()) expected.erase(known);
  }
  for (const std::string& start : expected) ADD_FAILURE() << "has a row now, or is gone: " << start;
}

TEST(Contract, ThisTestTellsSentencesApart) {
  const std::string text = "No chapter.\n## 1. One\n- First (a; b). Second, of\n  two lines; third `x. y`.\n- Last\n"
                           "```\ncode. code\n```\n| head. | er |\n|---|---|\n| cell. More | x |\n## Other\nNo.\n";
  const std::vector<std::string> sentences = sentences_of(text);
  ASSERT_EQ(sentences.size(), 6u);
  EXPECT_EQ(sentences[0], "- First (a; b).");
  EXPECT_EQ(sentences[1], " Second, of two lines;");
  EXPECT_EQ(sentences[4], "| cell.");
  EXPECT_EQ(without_row(sentences, {{"of two", {}}, {"Last", {}}, {"ell. M", {}}, {"First", {}}}),
            std::vector<std::string>{sentences[2]});
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
