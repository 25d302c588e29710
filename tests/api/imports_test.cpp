// What recipes import, through the public header: files and other sources of text, once each, and
// what outputs keep of them.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "api/roux.h"
#include "tests/support/files.h"
#include "tests/support/recipes.h"

namespace roux::testing {
namespace {

namespace fs = std::filesystem;

// Texts by name; an import is a name as it stands.
ReadImport shelf_of(const std::map<std::string, std::string>& texts, std::vector<std::string>* asked = nullptr) {
  return [texts, asked](const std::string& path, const std::string& importer) -> Result<ImportedText> {
    if (asked) asked->push_back(importer + " -> " + path);
    const auto found = texts.find(path);
    if (found == texts.end()) return error(DiagnosticKind::no_such_file, {}, "no text called " + path);
    return ImportedText{.name = path, .text = found->second, .identity = {}};
  };
}

struct Imported {
  std::vector<std::string> printed;
  std::string error;
};

Imported run_with(const std::map<std::string, std::string>& texts, const std::string& recipe,
                  const Settings& settings = {}, std::vector<std::string>* asked = nullptr) {
  Options options = test_options();
  options.read_import = shelf_of(texts, asked);
  Engine engine = std::move(*Engine::create(options));
  RecipeRun run = run_recipe(engine, "recipe", recipe, settings);
  return {run.printed, run.error};
}

using Lines = std::vector<std::string>;

TEST(Imports, BringMethodsBindingsAndParams) {
  const std::map<std::string, std::string> texts = {
      {"lib", "param k: number = 2\nmethod twice(x: number) -> number = k * x\nthree = 3\nf = x => x + three\n"}};
  EXPECT_EQ(run_with(texts, "import \"lib\"\nprint(twice(three))\nprint(f(k))").printed, (Lines{"6", "5"}));
  EXPECT_EQ(run_with(texts, "import \"lib\" as m\nprint(m.twice(m.three))\nprint(m.f(m.k) |> m.twice)").printed,
            (Lines{"6", "10"}));
}

TEST(Imports, OfTheRecipeItselfAreACircleAndNothingElse) {
  const std::string recipe = "import \"recipe\"\nk = 1\nprint(k)\n";
  const std::string error = run_with({{"recipe", recipe}}, recipe).error;
  EXPECT_NE(error.find("`recipe` imports `recipe`"), std::string::npos) << error;
  EXPECT_EQ(error.find("error["), error.rfind("error[")) << error;

  const TemporaryFolder folder;
  const std::string path = (folder / "a.merge").string(), text = "import \"./a.merge\" as me\nprint(me.k)\nk = 1\n";
  write_file(path, text);
  Engine engine = std::move(*Engine::create(test_options()));
  const Result<BoundRecipe> checked = engine.bind(*engine.compile(path, text), {});
  ASSERT_FALSE(checked);
  ASSERT_EQ(checked.error().size(), 1u) << engine.render(checked.error());
  EXPECT_NE(checked.error()[0].message.find("imports go in a circle"), std::string::npos);
}

TEST(Imports, ParamsAreSetByTheNameInTheRecipe) {
  const std::map<std::string, std::string> texts = {{"lib", "param k: number = 2\ntwice = 2 * k\n"}};
  EXPECT_EQ(run_with(texts, "import \"lib\"\nprint(twice)", {{"k", "5"}}).printed, Lines{"10"});
  EXPECT_EQ(run_with(texts, "import \"lib\" as m\nprint(m.twice)", {{"m.k", "5"}}).printed, Lines{"10"});
  EXPECT_NE(run_with(texts, "import \"lib\" as m\nprint(m.twice)", {{"k", "5"}}).error.find("no parameter `k`"),
            std::string::npos);
}

TEST(Imports, AreReadAndEvaluatedOnce) {
  const std::map<std::string, std::string> texts = {
      {"a", "import \"c\"\nx = tell(\"a\") ++ c\n"},
      {"b", "import \"c\" as other\ny = other.c\n"},
      {"c", "c = tell(\"c\")\nmethod tell(text: string) -> string = {\n  said = [print(text) for i in 0..1]\n  text\n}\n"}};
  std::vector<std::string> asked;
  const Imported ran = run_with(texts, "import \"a\"\nimport \"b\"\nimport \"c\" as c\nprint(x ++ y ++ c.c)", {}, &asked);
  EXPECT_EQ(ran.error, "");
  EXPECT_EQ(ran.printed, (Lines{"c", "a", "accc"})) << "the text of c is evaluated once";
  EXPECT_EQ(asked, (Lines{"recipe -> a", "a -> c", "recipe -> b", "b -> c", "recipe -> c"}));
}

TEST(Imports, AreSeenByThoseThatImportOnly) {
  const std::map<std::string, std::string> texts = {{"a", "import \"b\"\nx = hidden\n"}, {"b", "hidden = 1\n"}};
  EXPECT_NE(run_with(texts, "import \"a\"\nprint(hidden)").error.find("unknown name `hidden`"), std::string::npos);
  EXPECT_EQ(run_with(texts, "import \"a\"\nhidden = 2\nprint(x + hidden)").printed, Lines{"3"});
}

TEST(Imports, WithoutEndAreAnError) {
  Options options = test_options();
  options.read_import = [](const std::string&, const std::string& importer) -> Result<ImportedText> {
    return ImportedText{.name = importer + "i", .text = "import \"next\" as n\n", .identity = {}};
  };
  Engine engine = std::move(*Engine::create(options));
  const RecipeRun run = run_recipe(engine, "r", "import \"next\" as n\nprint(1)", {});
  ASSERT_EQ(run.findings.size(), 1u) << run.error;
  EXPECT_EQ(run.findings[0].kind, DiagnosticKind::limit);
}

// A recipe in a folder of its own, with the files it imports beside and above it.
class ImportedFiles : public ::testing::Test {
 protected:
  ImportedFiles() {
    fs::create_directories(folder_ / "recipes/lib");
    write_file(folder_ / "recipes/lib/half.merge", "import \"../../shared.merge\" as shared\n"
                                                   "method half(m: model) -> model = shared.times(m)\n");
    write_file(folder_ / "shared.merge", "param by: number = 1\nmethod times(m: any) -> any = by * m\n");
    write_file(folder_ / "in.safetensors", f32_safetensors({{"w", {2}, {1, 2}}}));
  }

  Result<Report> run(const std::string& recipe, const Settings& settings = {}) {
    Result<Recipe> compiled = engine_.compile(recipe, read_file(recipe));
    if (!compiled) return std::move(compiled).error();
    return engine_.run(*compiled, {.settings = settings}, {});
  }

  std::string at(const std::string& name) const { return (folder_ / name).string(); }

  TemporaryFolder folder_;
  Engine engine_ = std::move(*Engine::create(test_options()));
};

TEST_F(ImportedFiles, TravelInsideTheOutput) {
  write_file(at("recipes/main.merge"), "import \"lib/half.merge\"\nparam from: string\nparam out: string\n"
                                       "save(half(load(from)), out)\n");
  const Result<Report> ran = run(at("recipes/main.merge"), {{"from", at("in.safetensors")}, {"out", at("out.safetensors")}});
  ASSERT_TRUE(ran) << engine_.render(ran.error());
  const auto metadata = CheckpointReader::open(at("out.safetensors"))->metadata();
  const auto imports = nlohmann::json::parse(metadata.at("roux.imports"));
  EXPECT_EQ(imports.size(), 2u);
  EXPECT_EQ(imports.at("lib/half.merge"), read_file(at("recipes/lib/half.merge")));
  EXPECT_EQ(imports.at("../shared.merge"), read_file(at("shared.merge"))) << "by its path from the recipe";

  const Result<std::string> inside = recipe_inside(at("out.safetensors"));
  ASSERT_TRUE(inside);
  EXPECT_NE(inside->find("\n# --- imported: lib/half.merge\n# import \"../../shared.merge\""), std::string::npos);

  // The recipe and its files written out make the same output again.
  const auto written = extract_recipe(at("out.safetensors"), at("again"));
  ASSERT_TRUE(written) << render(written.error());
  EXPECT_EQ(*written, (Lines{at("again/shared.merge"), at("again/recipe/lib/half.merge"), at("again/recipe/recipe.merge")}));
  const Result<Report> again = run(at("again/recipe/recipe.merge"), {{"from", at("in.safetensors")}, {"out", at("again.safetensors")}});
  ASSERT_TRUE(again) << engine_.render(again.error());
  EXPECT_EQ(*CheckpointReader::open(at("again.safetensors"))->read_f32("w"), (std::vector<float>{1, 2}));
  const auto refused = extract_recipe(at("out.safetensors"), at("again"));
  ASSERT_FALSE(refused) << "what is there stays";
  EXPECT_EQ(refused.error().at(0).kind, DiagnosticKind::output_exists);
}

TEST_F(ImportedFiles, OfAForeignOutputStayInTheFolder) {
  for (const char* name : {"/tmp/evil.merge", "a/../../../../../../../../../../../../../../../../../../evil.merge"}) {
    const std::string imports = nlohmann::json({{name, "x = 1"}}).dump();
    const std::string header = nlohmann::json(
        {{"__metadata__", {{"roux.recipe", "x = 1"}, {"roux.imports", imports}}},
         {"w", {{"dtype", "F32"}, {"shape", {1}}, {"data_offsets", {0, 4}}}}}).dump();
    write_file(at("evil.safetensors"), safetensors_bytes(header, std::string(4, '\0')));
    const auto refused = extract_recipe(at("evil.safetensors"), at("there"));
    ASSERT_FALSE(refused) << name;
    EXPECT_EQ(refused.error().at(0).kind, DiagnosticKind::bad_option);
    EXPECT_FALSE(fs::exists(at("there")));
  }
}

TEST_F(ImportedFiles, UnderTwoNamesAreOneFile) {
  fs::create_symlink("lib", at("recipes/linked"));
  write_file(at("recipes/lib/once.merge"), "once = print(\"once\")\nmethod same(x: number) -> number = x\n");
  write_file(at("recipes/main.merge"), "import \"lib/once.merge\"\nimport \"linked/once.merge\"\nprint(same(1))\n");
  const RecipeRun ran = run_recipe(engine_, at("recipes/main.merge"), read_file(at("recipes/main.merge")), {});
  EXPECT_EQ(ran.error, "");
  EXPECT_EQ(ran.printed, (Lines{"once", "1"}));
}

}  // namespace
}  // namespace roux::testing
