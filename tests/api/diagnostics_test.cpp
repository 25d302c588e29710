// Diagnostics as data: places of spans, and the JSON whose schema docs/diagnostics.md is.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "api/roux.h"
#include "tests/support/files.h"
#include "tests/support/paths.h"

namespace roux::testing {
namespace {

using Json = nlohmann::ordered_json;

// What compiling and checking a recipe finds.
struct Findings {
  Engine engine = *Engine::create({.threads = 1});
  Diagnostics all;

  explicit Findings(const std::string& text) {
    const Result<Recipe> recipe = engine.compile("r.merge", text);
    if (!recipe) {
      all = recipe.error();
      return;
    }
    const Result<BoundRecipe> checked = engine.bind(*recipe, {});
    all = checked ? checked->notes() : checked.error();
  }
};

TEST(Diagnostics, HavePlacesOfTheRecipe) {
  const Findings found("a = \"é\"\nprint(a, b)\n");
  ASSERT_FALSE(found.all.empty());
  EXPECT_EQ(found.engine.place_of(found.all[0].span), (Place{"r.merge", 2, 10, 2, 11}));
  EXPECT_EQ(found.engine.place_of({}), std::nullopt);
}

TEST(Diagnostics, BecomeJson) {
  const Findings found("a = 1\na = 2\nprint(a)\n");
  const Json json = Json::parse(found.engine.to_json(found.all));
  ASSERT_EQ(json.size(), 1u);
  EXPECT_EQ(json[0], Json::parse(R"({
    "code": "E0202", "kind": "rebound", "severity": "error", "message": "`a` is already bound",
    "file": "r.merge", "line": 2, "column": 1, "end_line": 2, "end_column": 2, "byte_begin": 6, "byte_end": 7,
    "tensor": null, "checkpoints": [], "notes": [{"message": "bound here first", "file": "r.merge", "line": 1, "column": 1, "end_line": 1,
               "end_column": 2, "byte_begin": 0, "byte_end": 1}],
    "hint": "a name is bound once; choose another"})"))
      << json.dump(2);
}

TEST(Diagnostics, WithoutAPlaceHaveEveryFieldAllTheSame) {
  const Result<CheckpointReader> missing = CheckpointReader::open("/nowhere/\xFF.safetensors");
  ASSERT_FALSE(missing);
  const Json json = Json::parse(to_json(missing.error()));  // throws where the bytes are not replaced
  ASSERT_EQ(json.size(), 1u);
  EXPECT_EQ(json[0]["code"], "E0401");
  for (const char* field : {"file", "line", "column", "end_line", "end_column", "byte_begin", "byte_end"})
    EXPECT_TRUE(json[0].at(field).is_null()) << field;
}

TEST(Diagnostics, TellTheTensorTheCheckpointsAndWhereTheyWereLoaded) {
  const TemporaryFolder folder;
  const auto put = [&](const std::string& name, int rows) {
    write_file(folder / name, f32_safetensors({{"w", {rows}, std::vector<float>(static_cast<std::size_t>(rows))}}));
    return (folder / name).string();
  };
  const std::string a = put("a.safetensors", 2), b = put("b.safetensors", 3);
  const Findings found("a = load(\"" + a + "\")\nb = load(\"" + b + "\")\nsave(lerp(a, b, 0.5), \"" +
                       (folder / "out.safetensors").string() + "\")\n");
  const Json json = Json::parse(found.engine.to_json(found.all));
  ASSERT_EQ(json.size(), 1u);
  EXPECT_EQ(json[0]["kind"], "shape_mismatch");
  EXPECT_EQ(json[0]["line"], 3);
  EXPECT_EQ(json[0]["tensor"], "w");
  EXPECT_EQ(json[0]["checkpoints"], Json::array({a, b}));
  ASSERT_EQ(json[0]["notes"].size(), 2u);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(json[0]["notes"][i]["line"], i + 1);
    EXPECT_EQ(json[0]["notes"][i]["column"], 10);
  }
}

TEST(Diagnostics, StandInTheOrderOfTheText) {
  const Findings found("x = load(\"nowhere\")\nprint(y)\nz = ties([1], dense = 3)\n");
  ASSERT_GE(found.all.size(), 3u);
  for (std::size_t i = 1; i < found.all.size(); ++i)
    EXPECT_LE(found.all[i - 1].span.begin, found.all[i].span.begin);
}

TEST(Diagnostics, OfNothingAreAnEmptyArray) { EXPECT_EQ(Json::parse(to_json({})), Json::array()); }

}  // namespace
}  // namespace roux::testing
