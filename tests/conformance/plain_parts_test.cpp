// `match name` and parts against plain loops over the tensors of that name: what stands in an arm is computed
// as if there were nothing but the arm's tensors.
#include <gtest/gtest.h>

#include "tests/conformance/family.h"
#include "tests/support/plain_methods.h"
#include "tests/support/recipes.h"

namespace roux::testing {
namespace {

using plain::Model;
using plain::Values;

constexpr char kFamily[] = R"(
base = load("${dir}/base.safetensors")
models = load_all("${dir}/[a-d].safetensors", base = base)
a = models[0]
b = models[1]
)";

template <class Wanted>
Model part(const Model& model, Wanted wanted) {
  Model some;
  for (const auto& [name, tensor] : model)
    if (wanted(name)) some[name] = tensor;
  return some;
}

Model together(Model a, const Model& b) {
  a.insert(b.begin(), b.end());
  return a;
}

bool in_layers(const std::string& name) { return name.starts_with("layers."); }
bool elsewhere(const std::string& name) { return !in_layers(name); }
bool in_last_layer(const std::string& name) { return name.starts_with("layers.2."); }

class PlainParts : public ::testing::Test {
 protected:
  PlainParts() {
    write_family(workshop_.dir());
    for (int i = 0; i < 4; ++i) models_.push_back(family_member(i));
  }

  template <class Wanted>
  std::vector<Model> parts(Wanted wanted) const {
    std::vector<Model> some;
    for (const Model& model : models_) some.push_back(part(model, wanted));
    return some;
  }

  void expect(const Model& expected, const std::string& expression, const std::string& how = "") {
    SCOPED_TRACE(expression);
    EXPECT_EQ(plain::difference(expected, workshop_.merge(kFamily, expression, how)), "");
  }

  Workshop workshop_;
  const Model base_ = family_base();
  std::vector<Model> models_;
};

TEST_F(PlainParts, AnArmIsComputedFromItsTensorsAlone) {
  const Model trimmed = plain::ties(parts(in_layers), part(base_, in_layers), {.k = {0.2, 0.2, 0.2, 0.2}});
  const Model meant = part(plain::linear(models_, {0.25, 0.25, 0.25, 0.25}), elsewhere);
  expect(together(trimmed, meant), "match name { \"layers.*\" => ties(models, k = 20%), _ => mean(models) }");
  // The whole selects other elements than its parts do.
  const Model whole = part(plain::ties(models_, base_, {.k = {0.2, 0.2, 0.2, 0.2}}), in_layers);
  EXPECT_NE(plain::difference(trimmed, whole), "");
}

TEST_F(PlainParts, TheFirstArmThatFitsWins) {
  const Model last = part(models_[0], in_last_layer);
  const Model others = part(models_[1], [](const std::string& name) { return in_layers(name) && !in_last_layer(name); });
  expect(together(together(last, others), part(base_, elsewhere)),
         "match name { \"layers.2.*\" => a, \"layers.*\" => b, _ => base }");
}

TEST_F(PlainParts, WhatIsBuiltAlreadyKeepsItsStatistics) {
  const Values whole = plain::trimmed(plain::delta(models_[0], base_), 0.2, plain::scopes(base_, false));
  expect(part(plain::unflat(base_, whole), in_last_layer), "trim(a - base, 20%)[\"layers.2.*\"]", ", partial = true");
}

TEST_F(PlainParts, APartHasStatisticsOfItsOwn) {
  const Model of_base = part(base_, in_last_layer);
  const Values own = plain::trimmed(plain::delta(part(models_[0], in_last_layer), of_base), 0.2,
                                    plain::scopes(of_base, false));
  expect(plain::unflat(of_base, own), "trim((a - base)[\"layers.2.*\"], 20%)", ", partial = true");
}

TEST_F(PlainParts, APartIsTheWholeAtItsNames) {
  expect(part(models_[0], in_layers), "a[\"layers.*\"]", ", partial = true");
  expect(models_[0], "a[\"*\"]");
}

TEST_F(PlainParts, PartsPutTogetherAreAWhole) {
  expect(together(part(models_[0], in_layers), part(models_[1], elsewhere)),
         "match name { \"layers.*\" => a[\"layers.*\"], _ => b }");
}

TEST_F(PlainParts, NumbersMeetTheTensorsWhereTheyAreUsed) {
  Model expected;
  for (const auto& [name, tensor] : models_[0]) {
    const double t = in_last_layer(name) ? 0.5 : in_layers(name) ? 0.25 : 0;
    expected[name] = plain::linear({{{name, tensor}}, {{name, models_[1].at(name)}}}, {1 - t, t}).at(name);
  }
  expect(expected, "lerp(a, b, t = match name { \"layers.2.*\" => 0.5, \"layers.*\" => 0.25, _ => 0 })");
  expect(expected,
         "lerp(a, b, t = match name { \"layers.2.*\" => 0.5, \"layers.*\" => 0.25, regex(\"^[^l]\") => 0 })");
  expect(expected, "mean([a, b], weights = match name { \"layers.2.*\" => [0.5, 0.5], \"layers.*\" => [0.75, 0.25], "
                   "_ => [1, 0] })");
}

TEST_F(PlainParts, SizesAndNormsOfArms) {
  double squares = 0;
  for (const auto& [name, tensor] : part(models_[0], in_last_layer))
    for (double x : tensor.values) squares += x * x;
  const std::vector<double> got = workshop_.numbers(
      kFamily, "${size(a[\"layers.2.*\"], over = model)} ${norm(a[\"layers.2.*\"], over = model)} "
               "${norm(match name { \"layers.2.*\" => a, _ => 0 * a }, over = model)}");
  std::size_t count = 0;
  for (const auto& [name, tensor] : part(models_[0], in_last_layer)) count += tensor.values.size();
  ASSERT_EQ(got.size(), 3u);
  EXPECT_EQ(got[0], static_cast<double>(count));
  EXPECT_NEAR(got[1], std::sqrt(squares), 1e-12 * std::sqrt(squares));
  EXPECT_EQ(got[2], got[1]);
}

}  // namespace
}  // namespace roux::testing
