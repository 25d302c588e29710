// A head that the config ties to the embedding and the file stores as well counts once: everything over the
// model is as if the file had left it out, and the stored copy is merged as its original is.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "tests/support/plain_methods.h"
#include "tests/support/recipes.h"

namespace roux::testing {
namespace {

namespace fs = std::filesystem;
using plain::Model;
using plain::Tensor;
using plain::Type;

constexpr char kEmbedding[] = "model.embed_tokens.weight";
constexpr char kHead[] = "lm_head.weight";  // stands before its original in the canonical order

// Values on a coarse grid: many are equal in magnitude, so that the cut lies among ties.
Model model_of(unsigned seed) {
  Model model;
  const auto tensor = [&](std::vector<std::int64_t> shape) {
    Tensor made{Type::f32, shape, {}};
    for (std::int64_t i = 0; i < shape[0] * shape[1]; ++i) {
      seed = seed * 1664525u + 1013904223u;
      made.values.push_back(static_cast<double>(seed >> 28) - 7.5);
    }
    return made;
  };
  model[kEmbedding] = tensor({70, 61});
  model["model.layers.0.weight"] = tensor({33, 5});
  return model;
}

class PlainTied : public ::testing::Test {
 protected:
  PlainTied() {
    unsigned seed = 1;
    for (const char* name : {"base", "a", "b"}) {
      const Model model = model_of(seed++);
      put("once-" + std::string(name), model, "true");
      Model twice = model;
      twice[kHead] = model.at(kEmbedding);
      put("twice-" + std::string(name), twice, "true");
      put("apart-" + std::string(name), twice, "false");
    }
  }

  void put(const std::string& name, const Model& model, const std::string& tied) {
    const fs::path folder = workshop_.dir() / name;
    fs::create_directory(folder);
    plain::write(folder / "model.safetensors", model);
    std::ofstream(folder / "config.json") << "{\"tie_word_embeddings\": " << tied << "}";
  }

  static std::string loads(const std::string& kind) {
    std::string text;
    for (const std::string name : {"base", "a", "b"})
      text += name + " = load(\"${dir}/" + kind + "-" + name + "\"" + (name == "base" ? "" : ", base = base") + ")\n";
    return text;
  }

  Model merged(const std::string& kind, const std::string& value) { return workshop_.merge(loads(kind), value); }

  Workshop workshop_;
};

TEST_F(PlainTied, NumbersOverTheModelCountItOnce) {
  const std::string numbers =
      "${size(a - base, over = model)} ${norm(a - base, over = model)} ${sum(a, over = model)} "
      "${count(a > base, over = model)} ${largest(abs(a - base), 2000, over = model)} "
      "${median(a, over = model)} ${min(a * base, over = model)}";
  const auto once = workshop_.numbers(loads("once"), numbers), twice = workshop_.numbers(loads("twice"), numbers),
             apart = workshop_.numbers(loads("apart"), numbers);
  ASSERT_EQ(once.size(), 7u);
  EXPECT_EQ(once[0], 70 * 61 + 33 * 5);
  EXPECT_EQ(twice, once);
  EXPECT_EQ(apart[0], 2 * 70 * 61 + 33 * 5);
  EXPECT_GT(apart[1], once[1] * 1.3);
  EXPECT_GT(apart[3], once[3] * 1.9);
}

TEST_F(PlainTied, TheCopyIsMergedAsItsOriginalIs) {
  const char* const values[] = {"ties([a, b], k = 30%)", "base + trim(a - base, keep = 0.11)",
                                "base + top(a, 1000, over = model) * (b - base)",
                                "slerp(a, b, t = 0.3, over = model)"};
  for (const char* value : values) {
    SCOPED_TRACE(value);
    const Model once = merged("once", value), twice = merged("twice", value);
    ASSERT_EQ(twice.size(), 3u);
    EXPECT_EQ(plain::difference(once, twice), "");
    EXPECT_EQ(twice.at(kHead).values, twice.at(kEmbedding).values);
  }
  EXPECT_NE(plain::difference(merged("once", values[0]), merged("apart", values[0])), "");
}

TEST_F(PlainTied, OverTheTensorNothingIsLeftOut) {
  const Model once = merged("once", "ties([a, b], over = tensor)"), twice = merged("twice", "ties([a, b], over = tensor)");
  EXPECT_EQ(plain::difference(once, twice), "");
  EXPECT_EQ(twice.at(kHead).values, twice.at(kEmbedding).values);
}

TEST_F(PlainTied, AConfigThatTiesAndOneThatDoesNotAreNotCombined) {
  for (const char* value : {"mean([load(\"${dir}/twice-a\"), load(\"${dir}/apart-b\")])",
                            "mean([load(\"${dir}/apart-b\", base = load(\"${dir}/twice-a\"))])"}) {
    const RecipeRun done = workshop_.run("save(" + std::string(value) + ", \"${out}/m\")\n");
    ASSERT_FALSE(done.findings.empty()) << value;
    EXPECT_EQ(done.findings[0].kind, DiagnosticKind::tied_mismatch);
  }
}

}  // namespace
}  // namespace roux::testing
