// Models that do not match, aligned: what each policy of `align` makes of them, tensor by tensor, in plain
// arithmetic; and that each use is counted.
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "tests/support/plain_methods.h"
#include "tests/support/recipes.h"

namespace roux::testing {
namespace {

namespace fs = std::filesystem;
using plain::Model;
using plain::Tensor;
using plain::Type;

Tensor floats(std::vector<std::int64_t> shape, double first) {
  Tensor tensor{Type::f32, std::move(shape), {}};
  std::int64_t count = 1;
  for (const std::int64_t extent : tensor.shape) count *= extent;
  for (std::int64_t i = 0; i < count; ++i) tensor.values.push_back(first + 0.25 * static_cast<double>(i));
  return tensor;
}

Model base_model() {
  return {{"model.embed_tokens.weight", floats({4, 3}, 1)},
          {"model.norm.weight", floats({3}, -2)},
          {"up", floats({2, 5}, 8)},
          {"ids", {Type::i64, {3}, {0, 1, 2}}}};
}

Model shifted(double by) {
  Model model = base_model();
  for (auto& [name, tensor] : model)
    if (plain::is_floating(tensor.type))
      for (double& value : tensor.values) value += by;
  return model;
}

class PlainAlign : public ::testing::Test {
 protected:
  PlainAlign() {
    workshop_.put("base", base_model());
    workshop_.put("a", a_);
    Model model = b_;
    model.erase("model.norm.weight");
    workshop_.put("short", model);
    model = b_;
    model["extra"] = extra_;
    workshop_.put("long", model);
    model = b_;
    model["extra"] = floats({2}, 70);
    workshop_.put("longer", model);
    model = b_;
    model["model.embed_tokens.weight"] = floats({6, 3}, 5);
    workshop_.put("wide", model);
    model = b_;
    model["up"] = floats({5, 2}, 5);
    workshop_.put("turned", model);
    model = b_;
    model["ids"].values = {5, 0, 9};
    workshop_.put("numbered", model);
    model.erase("ids");
    workshop_.put("unnumbered", model);
  }

  static std::string aligned(const std::string& models, const std::string& how) {
    std::string text = "base = load(\"${dir}/base.safetensors\")\n";
    for (const char* name :
         {"a", "short", "long", "longer", "wide", "turned", "numbered", "unnumbered"})
      text += std::string(name) + " = load(\"${dir}/" + name + ".safetensors\")\n";
    return text + "models = align([" + models + "], " + how + ")\n";
  }

  // The tensors that a merge of aligned models has, and how often its policies were used.
  Model merged(const std::string& models, const std::string& how, const std::string& value) {
    const RecipeRun done =
        workshop_.run(aligned(models, how) + "save(" + value + ", \"${out}/m.safetensors\")\n");
    EXPECT_EQ(done.error, "");
    if (!done.error.empty()) return {};
    policies_.clear();
    for (const UsedPolicy& use : done.report.policies) policies_[use.policy] += use.tensors;
    EXPECT_EQ(done.notes.size(), done.report.policies.size());
    return plain::read(workshop_.out() / "m.safetensors");
  }

  static Tensor mean(const std::vector<Tensor>& tensors) {
    std::vector<Model> models;
    for (const Tensor& tensor : tensors) models.push_back({{"x", tensor}});
    return plain::linear(models, std::vector<double>(models.size(), 1.0 / static_cast<double>(models.size()))).at("x");
  }

  static void expect_tensor(const Model& model, const std::string& name, const Tensor& expected) {
    ASSERT_TRUE(model.contains(name)) << name;
    EXPECT_EQ(model.at(name).shape, expected.shape) << name;
    EXPECT_EQ(model.at(name).values, expected.values) << name;
  }

  using Policies = std::map<std::string, std::uint64_t>;
  Workshop workshop_;
  Policies policies_;
  const Model base_ = base_model(), a_ = shifted(3), b_ = shifted(-1.5);
  const Tensor extra_ = floats({2}, 50);
};

TEST_F(PlainAlign, ModelsThatMatchStayAsTheyAre) {
  EXPECT_EQ(plain::difference(a_, merged("a, base", "missing = base, extra = copy, shapes = skip, base = base",
                                         "models[0]")),
            "");
  EXPECT_EQ(policies_, Policies{});
}

TEST_F(PlainAlign, WhatIsMissingIsTheBases) {
  const Model got = merged("a, short", "base = base, missing = base", "mean(models)");
  expect_tensor(got, "model.norm.weight", mean({a_.at("model.norm.weight"), base_.at("model.norm.weight")}));
  expect_tensor(got, "up", mean({a_.at("up"), b_.at("up")}));
  EXPECT_EQ(policies_, (Policies{{"missing = base", 1}}));
  const Model added = merged("a, short", "base = base, missing = base", "task_arithmetic(models)");
  expect_tensor(added, "model.norm.weight", a_.at("model.norm.weight"));
}

TEST_F(PlainAlign, WhatIsMissingIsLeftOutEverywhere) {
  for (const char* value : {"mean(models)", "task_arithmetic(models)", "models[0]", "base_of(models)"}) {
    const Model got = merged("a, short", "base = base, missing = skip", value);
    EXPECT_FALSE(got.contains("model.norm.weight")) << value;
    EXPECT_EQ(got.size(), 3u) << value;
    EXPECT_EQ(policies_, (Policies{{"missing = skip", 1}}));
  }
  EXPECT_EQ(merged("a, short", "missing = skip", "mean(models)").size(), 3u) << "the first stands for a base";
}

TEST_F(PlainAlign, WhatIsMoreIsCopiedOrLeftOut) {
  for (const char* value : {"mean(models)", "task_arithmetic(models)", "ties(models)"})
    expect_tensor(merged("a, long", "base = base, extra = copy", value), "extra", extra_);
  EXPECT_EQ(policies_, (Policies{{"extra = copy", 1}}));
  expect_tensor(merged("a, long, longer", "extra = copy", "mean(models)"), "extra",
                mean({extra_, extra_, floats({2}, 70)}));
  EXPECT_EQ(policies_, (Policies{{"extra = copy", 2}}));
  EXPECT_FALSE(merged("a, long", "base = base, extra = skip", "mean(models)").contains("extra"));
  EXPECT_EQ(policies_, (Policies{{"extra = skip", 1}}));
}

TEST_F(PlainAlign, ShapesThatDifferAreTheBasesOrLeftOut) {
  const Model got = merged("a, turned", "base = base, shapes = base", "mean(models)");
  expect_tensor(got, "up", mean({a_.at("up"), base_.at("up")}));
  EXPECT_EQ(policies_, (Policies{{"shapes = base", 1}}));
  EXPECT_FALSE(merged("a, turned", "shapes = skip", "mean(models)").contains("up"));
}

TEST_F(PlainAlign, VocabulariesThatDifferAreTheBases) {
  const Model got = merged("a, wide", "base = base, vocab = base", "mean(models)");
  const char* const name = "model.embed_tokens.weight";
  expect_tensor(got, name, mean({a_.at(name), base_.at(name)}));
  EXPECT_EQ(policies_, (Policies{{"vocab = base", 1}}));
}

TEST_F(PlainAlign, WholeNumbersAreTheBasesTheFirstsOrTheLargest) {
  const auto ids = [&](const std::string& how) {
    return merged("numbered, a", how, "task_arithmetic(models, base = base_of(models))").at("ids").values;
  };
  using Values = std::vector<double>;
  EXPECT_EQ(ids("base = base, integers = base"), (Values{0, 1, 2}));
  EXPECT_EQ(ids("base = base, integers = first"), (Values{5, 0, 9}));
  EXPECT_EQ(ids("base = base, integers = max"), (Values{5, 1, 9}));
  EXPECT_EQ(policies_, (Policies{{"integers = max", 1}}));
  const RecipeRun equal = workshop_.run(aligned("numbered, a", "base = base") + "save(mean(models), \"${out}/m\")\n");
  ASSERT_FALSE(equal.findings.empty());
  EXPECT_EQ(equal.findings[0].kind, DiagnosticKind::integer_mismatch);
}

TEST_F(PlainAlign, WholeNumbersMayBeMissingToo) {
  expect_tensor(merged("a, unnumbered", "base = base, missing = base", "mean(models)"), "ids", base_.at("ids"));
  EXPECT_FALSE(merged("a, unnumbered", "base = base, missing = skip", "mean(models)").contains("ids"));
}

TEST_F(PlainAlign, LoadAllTakesTheSameOptions) {
  const Model got = workshop_.merge(
      "base = load(\"${dir}/base.safetensors\")\n"
      "models = load_all(\"${dir}/[as]*.safetensors\", base = base, missing = base)",
      "task_arithmetic(models)");
  const Model expected = plain::linear({base_, a_, b_}, {-1, 1, 1});
  expect_tensor(got, "up", expected.at("up"));
  expect_tensor(got, "model.norm.weight", a_.at("model.norm.weight"));
}

TEST_F(PlainAlign, AnAlignedModelIsScoredAsItIsNow) {
  const RecipeRun done = workshop_.run(aligned("a, short", "base = base, missing = base") +
                                       "val = command(\"cp {model} ${out}/c.safetensors && echo 1\")\n"
                                       "print(val(models[1]))\n");
  ASSERT_EQ(done.error, "");
  const Model scored = plain::read(workshop_.out() / "c.safetensors");
  expect_tensor(scored, "model.norm.weight", base_.at("model.norm.weight"));
  expect_tensor(scored, "up", b_.at("up"));
}

TEST_F(PlainAlign, TheOutputNamesEveryFileThatItIsOf) {
  merged("short, a", "base = base, missing = base", "models[0]");
  const std::string file = read_file(workshop_.out() / "m.safetensors");
  const auto header = nlohmann::json::parse(file.substr(8, *reinterpret_cast<const std::uint64_t*>(file.data())));
  const auto inputs = nlohmann::json::parse(header["__metadata__"]["roux.inputs"].get<std::string>());
  std::vector<std::string> names;
  for (const auto& input : inputs) names.push_back(input["name"]);
  EXPECT_EQ(names, (std::vector<std::string>{"short.safetensors", "base.safetensors"}));
}

TEST_F(PlainAlign, AnAlignedModelIsNotTheOneThatWasLoaded) {
  const RecipeRun done = workshop_.run(aligned("short, a", "base = base, missing = base") +
                                       "save(mean([short, models[1]]), \"${out}/m\")\n");
  ASSERT_FALSE(done.findings.empty()) << "`short` itself still lacks a tensor";
  EXPECT_EQ(done.findings[0].kind, DiagnosticKind::missing_tensor);
}

}  // namespace
}  // namespace roux::testing
