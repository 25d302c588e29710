// Text as a recipe: parsed, formatted, and, where it parses, rehearsed as far as that goes without its files.
#include <algorithm>

#include "api/roux.h"
#include "compiler/format/format.h"
#include "tests/fuzz/targets.h"
#include "tests/support/files.h"
#include "tests/support/paths.h"
#include "tests/support/syntax.h"

namespace roux::testing::fuzz {
namespace {

void expect_stable_format(const std::string& text) {
  SourceMap sources;
  const auto once = format(sources, sources.add("t", text));
  promise(once.ok(), once ? "" : "does not format: " + once.error()[0].message + "\n" + text);
  const auto twice = format(sources, sources.add("t", *once));
  promise(twice.ok() && *twice == *once, "formats otherwise the second time:\n" + *once);
  promise(tree(*once) == tree(text), "means something else when formatted:\n" + text);
}

Result<ImportedText> no_import(const std::string& path, const std::string&) {
  return ImportedText{.name = path, .text = "x = 1\n", .identity = path};
}

// Checked and, but for its files, evaluated.
void expect_sane_check(const std::string& text) {
  static Engine engine = *Engine::create({.threads = 1, .backend = "reference", .max_depth = 32, .max_steps = 20'000,
                                          .sync = false, .read_import = no_import});
  const auto recipe = engine.compile("t.merge", text);
  const auto bound = recipe ? engine.bind(*recipe, {}) : Result<BoundRecipe>(recipe.error());
  const Diagnostics& findings = bound ? bound->notes() : bound.error();
  promise(bound.ok() || !findings.empty(), "refused without a word:\n" + text);
  for (const Diagnostic& finding : findings)
    promise(fault_of(finding.kind) != Fault::internal, "a bug: " + finding.message + "\n" + text);
  (void)engine.render(findings);
}

}  // namespace

void read_recipe(std::string_view bytes) {
  const std::string text(bytes);
  const std::string complaint = complaint_of_parse(text);
  promise(complaint.empty(), complaint + "\n" + text);
  if (!parsed(text).result) return;
  expect_stable_format(text);
  expect_sane_check(text);
}

std::vector<std::string> recipe_seeds() {
  namespace fs = std::filesystem;
  std::vector<fs::path> paths;
  for (const char* folder : {"examples", "stdlib", "tests/conformance"})
    for (const fs::directory_entry& entry : fs::directory_iterator(source_dir() / folder))
      if (entry.path().extension() == ".merge") paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> texts = {std::string(kRecipe)};
  for (const fs::path& path : paths) texts.push_back(read_file(path));
  return texts;
}

}  // namespace roux::testing::fuzz
