// The example recipes pass `check`, `plan` and `run` in the root of the tree, as their comments
// say, and the reference backend saves the same bytes.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "tests/support/files.h"
#include "tests/support/paths.h"
#include "tests/support/process.h"
#include "tests/support/tree_view.h"

namespace roux::testing {
namespace {

namespace fs = std::filesystem;

ProcessResult roux(const TreeView& tree, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), (binary_dir() / "roux").string());
  return run_process(arguments, {.directory = tree.path(), .timeout = std::chrono::seconds(250)});
}

// Path to bytes of everything below `out/`, which is taken away.
std::map<std::string, std::string> take_outputs(const TreeView& tree) {
  std::map<std::string, std::string> files;
  if (!fs::exists(tree / "out")) return files;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(tree / "out"))
    if (entry.is_regular_file())
      files[fs::relative(entry.path(), tree / "out").string()] = read_file(entry.path());
  fs::remove_all(tree / "out");
  return files;
}

class Example : public ::testing::TestWithParam<std::string> {};

TEST_P(Example, RunsAndDoesNotDependOnTheBackend) {
  const TreeView tree;
  for (const char* command : {"check", "plan"}) {
    const ProcessResult result = roux(tree, {command, GetParam()});
    ASSERT_EQ(result.exit_code, 0) << command << "\n" << result.out << result.err;
    EXPECT_TRUE(take_outputs(tree).empty()) << command << " saved something";
  }
  const ProcessResult run = roux(tree, {"run", GetParam()});
  ASSERT_EQ(run.exit_code, 0) << run.out << run.err;
  const auto outputs = take_outputs(tree);
  ASSERT_FALSE(outputs.empty()) << "an example that saves nothing";

  const ProcessResult reference = roux(tree, {"run", "--backend", "reference", GetParam()});
  ASSERT_EQ(reference.exit_code, 0) << reference.out << reference.err;
  EXPECT_EQ(run.out, reference.out);
  const auto expected = take_outputs(tree);
  EXPECT_EQ(outputs.size(), expected.size());
  for (const auto& [path, bytes] : expected)
    EXPECT_TRUE(outputs.contains(path) && outputs.at(path) == bytes) << path << " differs";
}

std::vector<std::string> examples() {
  std::vector<std::string> recipes;
  for (const fs::directory_entry& entry : fs::directory_iterator(source_dir() / "examples"))
    if (entry.path().extension() == ".merge")
      recipes.push_back("examples/" + entry.path().filename().string());
  std::sort(recipes.begin(), recipes.end());
  return recipes;
}

INSTANTIATE_TEST_SUITE_P(Recipes, Example, ::testing::ValuesIn(examples()),
                         [](const auto& recipe) { return fs::path(recipe.param).stem().string(); });

}  // namespace
}  // namespace roux::testing
