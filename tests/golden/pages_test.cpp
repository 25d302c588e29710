// The pages of docs/diagnostics keep their word: there is one for each kind of diagnostic and no other, the recipe that
// it shows is a golden file that provokes this kind, and what is said to it is what that file expects. A page names
// its golden file behind the fence, "```merge fail_x"; ROUX_UPDATE_GOLDEN=1 writes both blocks, and the table of all
// codes in docs/diagnostics.md, anew.
#include <gtest/gtest.h>

#include <cstdlib>
#include <set>
#include <sstream>

#include "api/roux.h"
#include "tests/support/files.h"
#include "tests/support/paths.h"

namespace roux::testing {
namespace {

namespace fs = std::filesystem;

struct Kind {
  std::string code, name;
};
const std::vector<Kind> kKinds = {
#define ROUX_DIAGNOSTIC(name, code, fault) {#code, #name},
#include "base/diagnostic_kinds.def"
};

// Kinds of which no recipe can give an example that is the same on every machine.
const std::set<std::string> kWithoutExample = {"no_recipe", "disk_full", "cancelled", "host_failed", "internal"};

fs::path pages_folder() { return source_dir() / "docs/diagnostics"; }
bool is_updating() { return std::getenv("ROUX_UPDATE_GOLDEN") != nullptr; }

struct Example {
  std::string recipe, said;
  std::set<std::string> kinds;
};

// A golden file as a reader of the page sees it: under the name `recipe.merge`, options as a comment.
Example example_of(const std::string& golden) {
  Example example;
  std::istringstream lines(read_file(source_dir() / "tests/golden" / (golden + ".merge")));
  const auto renamed = [&](std::string line) {
    const std::size_t at = line.find(golden + ".merge");
    return at == line.npos ? line : line.replace(at, golden.size(), "recipe");
  };
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("#| ")) {
      example.said += renamed(line.substr(3)) + '\n';
    } else if (line.starts_with("#= ")) {
      std::istringstream words(line.substr(3));
      for (std::string kind; words >> kind;) example.kinds.insert(kind);
    } else if (line.starts_with("#: set ") || line.starts_with("#: option ")) {
      std::string option = line.substr(line.starts_with("#: set ") ? 3 : 10);
      option[option.find(line.starts_with("#: set ") ? ' ' : '=')] = ' ';
      example.recipe += "# with --" + option + '\n';
    } else if (!line.starts_with("#")) {
      example.recipe += line + '\n';
    }
  }
  return example;
}

// The page with both of its blocks as they have to be; the name of its golden file.
std::string with_example(const std::string& page, std::string& golden) {
  const std::string fence = "```merge ";
  const std::size_t begin = page.find(fence);
  if (begin == page.npos) return page;
  const std::size_t name = begin + fence.size(), line_end = page.find('\n', name);
  golden = page.substr(name, line_end - name);
  const std::size_t text = page.find("```text\n", line_end), end = page.find("\n```\n", text);
  if (text == page.npos || end == page.npos) return "no ```text block";
  const Example example = example_of(golden);
  return page.substr(0, line_end + 1) + example.recipe + "```\n```text\n" + example.said + page.substr(end + 1);
}

void expect_text(const fs::path& file, const std::string& wanted) {
  if (is_updating())
    write_file(file, wanted);
  else
    EXPECT_EQ(read_file(file), wanted) << file << ": ROUX_UPDATE_GOLDEN=1 rewrites it";
}

TEST(DiagnosticPages, ThereIsOneForEachKindWithAnExampleThatIsTrue) {
  std::set<std::string> expected;
  for (const Kind& kind : kKinds) {
    SCOPED_TRACE(kind.code + " " + kind.name);
    expected.insert(kind.code + ".md");
    const fs::path file = pages_folder() / (kind.code + ".md");
    ASSERT_TRUE(fs::exists(file));
    const std::string page = read_file(file);
    EXPECT_TRUE(page.starts_with("# " + kind.code + " " + kind.name + ": "));
    EXPECT_NE(page.find("\n**What to do.** "), page.npos);
    std::string golden;
    expect_text(file, with_example(page, golden));
    EXPECT_EQ(golden.empty(), kWithoutExample.contains(kind.name));
    if (golden.empty()) continue;
    EXPECT_TRUE(example_of(golden).kinds.contains(kind.name)) << golden;
  }
  for (const fs::directory_entry& file : fs::directory_iterator(pages_folder()))
    EXPECT_TRUE(expected.contains(file.path().filename().string())) << file.path();
}

TEST(DiagnosticPages, AreListedInTheDocument) {
  std::string table = "| code | kind | |\n|---|---|---|\n";
  for (const Explanation& page : explanations())
    table += "| [" + page.code + "](diagnostics/" + page.code + ".md) | `" + page.kind + "` | " + page.title + " |\n";
  const fs::path file = source_dir() / "docs/diagnostics.md";
  const std::string text = read_file(file);
  const std::size_t begin = text.find("| code | kind | |"), end = text.find("\n\n", begin);
  ASSERT_NE(begin, text.npos);
  expect_text(file, text.substr(0, begin) + table + text.substr(end + 1));
}

TEST(DiagnosticPages, AreFoundByCodeAndByName) {
  EXPECT_EQ(explanations().size(), kKinds.size());
  for (const char* word : {"E0201", "e0201", "error[E0201]", "unknown_name", "unknown-name"}) {
    const Result<Explanation> page = explain(word);
    ASSERT_TRUE(page) << word;
    EXPECT_EQ(page->kind, "unknown_name");
    EXPECT_NE(page->text.find("```merge"), std::string::npos);
  }
  const Result<Explanation> typo = explain("unknwon_name");
  ASSERT_FALSE(typo);
  EXPECT_EQ(typo.error()[0].help, "nearest is `unknown_name`");
  EXPECT_FALSE(explain(""));
}

}  // namespace
}  // namespace roux::testing
