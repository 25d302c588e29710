// The limits of base/limits.h on what a recipe controls: what is just within is taken, what is beyond is one finding of
// kind `limit` at a place of the recipe. (Limits of its text are tested with the parser.)
#include <gtest/gtest.h>

#include "base/limits.h"
#include "tests/support/recipes.h"

namespace roux::testing {
namespace {

std::string number(std::uint64_t value) { return std::to_string(value); }

class Limits : public ::testing::Test {
 protected:
  void expect_within(const std::string& recipe) { EXPECT_EQ(run_recipe(engine_, "r", recipe, {}).error, "") << recipe; }
  void expect_beyond(const std::string& recipe, const std::string& words) {
    const RecipeRun run = run_recipe(engine_, "r", recipe, {});
    ASSERT_EQ(run.findings.size(), 1u) << run.error;
    EXPECT_EQ(run.findings[0].kind, DiagnosticKind::limit);
    EXPECT_TRUE(run.findings[0].span.valid());
    EXPECT_NE(run.error.find(words), std::string::npos) << run.error;
  }

  Engine engine_ = std::move(*Engine::create(test_options()));
};

TEST_F(Limits, OfLists) {
  const std::string most = number(limits::kListLength);
  expect_within("print(len(range(" + most + ")))");
  expect_beyond("print(len(range(" + number(limits::kListLength + 1) + ")))", most);
  expect_beyond("xs = range(" + most + ")\nprint(len(xs ++ [1]))", most);
  expect_beyond("xs = range(" + number(limits::kListLength / 2) + ")\nprint(len([xs, xs]))", "those inside counted");
}

TEST_F(Limits, OfNestedLists) {
  const auto nested = [](int depth) { return "print(len(fold(range(" + number(depth) + "), [], (x, i) => [x])))"; };
  expect_within(nested(limits::kListDepth - 2));
  expect_beyond(nested(limits::kListDepth + 1), "nested more than " + number(limits::kListDepth) + " deep");
}

TEST_F(Limits, OfTexts) {
  static_assert(limits::kTextBytes == std::size_t{1} << 24);
  const auto doubled = [](int times) { return "text = fold(range(" + number(times) + "), \"x\", (t, i) => t ++ t)\n"; };
  expect_within(doubled(24) + "print(text == \"\")");
  expect_beyond(doubled(24) + "print(text ++ \"x\" == \"\")", "a text of more than");
  expect_beyond(doubled(64) + "print(text == \"\")", "a text of more than");
}

TEST_F(Limits, OfNestedExpressions) {
  Options options = test_options();
  options.max_depth = limits::kEvaluationDepth;
  engine_ = std::move(*Engine::create(options));
  expect_beyond("forever = f => f(f)\nprint(forever(forever))",
                "expressions are nested more than " + number(limits::kEvaluationDepth) + " deep");
  options.max_depth = limits::kEvaluationDepth + 1;
  EXPECT_FALSE(Engine::create(options));
}

TEST_F(Limits, OfValuesThatOneOutputIsComputedFrom) {
  TemporaryFolder folder;
  write_file(folder / "in.safetensors", f32_safetensors({{"w", {2}, {1, 2}}}));
  const auto chain = [&](std::size_t values) {
    return "m = load(\"" + (folder / "in.safetensors").string() + "\")\nprint(norm(fold(range(" + number(values) +
           "), m - 0, (x, i) => exp(x)), over = model))\n";
  };
  expect_within(chain(1000));
  expect_beyond(chain(limits::kGraphValues), number(limits::kGraphValues));
}

TEST_F(Limits, OfThreads) {
  Options options = test_options();
  options.threads = limits::kThreads;
  EXPECT_TRUE(Engine::create(options));
  options.threads = limits::kThreads + 1;
  EXPECT_FALSE(Engine::create(options));
}

TEST_F(Limits, OfImports) {
  Options options = test_options();
  // `N` imports `N - 1` and so on down to 0; `wide-N` imports N files that import nothing.
  options.read_import = [](const std::string& path, const std::string&) -> Result<ImportedText> {
    std::string text = "method one(x: number) -> number = 1\n";
    if (path.starts_with("deep-") && path != "deep-1")
      text += "import \"deep-" + number(std::stoul(path.substr(5)) - 1) + "\" as next\n";
    if (path.starts_with("wide-"))
      for (std::size_t i = 0; i < std::stoul(path.substr(5)); ++i)
        text += "import \"" + number(i) + "\" as f" + number(i) + "\n";
    return ImportedText{.name = path, .text = std::move(text), .identity = {}};
  };
  engine_ = std::move(*Engine::create(options));
  const auto importing = [](const std::string& name, std::size_t count) {
    return "import \"" + name + "-" + number(count) + "\" as first\nprint(first.one(1))";
  };
  expect_within(importing("deep", limits::kImportDepth));
  expect_beyond(importing("deep", limits::kImportDepth + 1), "imports are nested more than " + number(limits::kImportDepth));
  expect_within(importing("wide", limits::kImportedFiles - 1));
  expect_beyond(importing("wide", limits::kImportedFiles + 1), "imports more than " + number(limits::kImportedFiles));
}

}  // namespace
}  // namespace roux::testing
