// Linear methods and slerp against plain f64 arithmetic. Linear ones to the bit: a maximal linear
// combination is a sum of f64 coefficient · value in the order of loading, rounded once.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tests/conformance/family.h"
#include "tests/support/plain_methods.h"
#include "tests/support/recipes.h"

namespace roux::testing {
namespace {

using plain::Model;
using plain::Type;

constexpr char kFamily[] = R"(
base = load("${dir}/base.safetensors")
models = load_all("${dir}/[a-g].safetensors", base = base)
a = models[0]
b = models[1]
c = models[2]
far = load("${dir}/far.safetensors")
)";

Model retyped(Model model, Type type) {
  for (auto& [name, tensor] : model)
    if (plain::is_floating(tensor.type)) tensor.type = type;
  return plain::unflat(model, plain::flat(model));
}

class PlainLinear : public ::testing::Test {
 protected:
  PlainLinear() {
    write_family(workshop_.dir());
    for (int i = 0; i < kFineTunes; ++i) models_.push_back(family_member(i));
  }

  // `expression` is Σ coefficients[i] · from[i], to the bit.
  void expect_linear(const std::string& expression, const std::vector<Model>& from,
                     const std::vector<double>& coefficients) {
    SCOPED_TRACE(expression);
    const Model got = workshop_.merge(kFamily, expression);
    EXPECT_EQ(plain::difference(plain::linear(from, coefficients), got), "");
  }

  Workshop workshop_;
  const Model base_ = family_base();
  std::vector<Model> models_;
};

TEST_F(PlainLinear, Means) {
  for (const int n : {2, 3, 4, 7}) {
    const std::vector<Model> some(models_.begin(), models_.begin() + n);
    expect_linear("mean(models[0.." + std::to_string(n) + "])", some,
                  std::vector<double>(n, 1.0 / n));
  }
}

TEST_F(PlainLinear, MeansRoundedOnceToNarrowTypes) {
  const std::pair<const char*, Type> rows[] = {{"f64", Type::f64},
                                               {"f16", Type::f16},
                                               {"bf16", Type::bf16},
                                               {"f8_e4m3", Type::e4m3},
                                               {"f8_e5m2", Type::e5m2}};
  for (const auto& [name, type] : rows) {
    SCOPED_TRACE(name);
    const Model got = workshop_.merge(kFamily, "mean(models)", std::string(", dtype = ") + name);
    // A f64 file holds the f32 lanes; the narrow ones are rounded from those.
    const Model lanes = plain::linear(models_, std::vector<double>(7, 1.0 / 7));
    EXPECT_EQ(plain::difference(retyped(lanes, type), got), "");
  }
}

TEST_F(PlainLinear, WeightedMeans) {
  const std::vector<Model> three(models_.begin(), models_.begin() + 3);
  expect_linear("mean([a, b, c], weights = [3, 1, 0.5])", three, {3 / 4.5, 1 / 4.5, 0.5 / 4.5});
  expect_linear("mean([a, b, c], weights = [2, 0, -0.5])", three, {2 / 1.5, 0, -0.5 / 1.5});
}

TEST_F(PlainLinear, Interpolation) {
  const std::vector<Model> pair = {models_[0], models_[1]};
  for (const double t : {0.0, 0.25, 0.3, 1.0, 1.7, -0.4})
    expect_linear("lerp(a, b, " + std::to_string(t) + ")", pair, {1 - t, t});
}

TEST_F(PlainLinear, TaskArithmetic) {
  const std::vector<Model> some = {base_, models_[0], models_[1], models_[2]};
  expect_linear("task_arithmetic(models[0..3])", some, {-2, 1, 1, 1});
  expect_linear("task_arithmetic(models[0..3], weights = [0.5, -0.25, 0.75], scale = 0.5)", some,
                {0.5, 0.25, -0.125, 0.375});
}

TEST_F(PlainLinear, NegationAndAnalogy) {
  expect_linear("base - (a - base)", {base_, models_[0]}, {2, -1});
  expect_linear("c + (b - a)", {models_[0], models_[1], models_[2]}, {-1, 1, 1});
  expect_linear("-(a - base)", {base_, models_[0]}, {1, -1});
}

TEST_F(PlainLinear, IntegersAreCarriedAndCountersTakeTheLargest) {
  const Model got = workshop_.merge(kFamily, "mean(models)");
  for (const auto& [name, tensor] : base_) {
    if (plain::is_floating(tensor.type)) continue;
    ASSERT_TRUE(got.contains(name)) << name;
    EXPECT_EQ(got.at(name).type, tensor.type);
    EXPECT_EQ(got.at(name).shape, tensor.shape);
    const bool counter = name == "layers.1.num_batches_tracked";
    EXPECT_EQ(got.at(name).values, counter ? std::vector<double>{128} : tensor.values) << name;
  }
}

TEST_F(PlainLinear, MixedTypesAreReadExactly) {
  const Model a = plain::read(workshop_.dir() / "mixed_a.safetensors");
  const Model b = plain::read(workshop_.dir() / "mixed_b.safetensors");
  const Model got = workshop_.merge(
      "a = load(\"${dir}/mixed_a.safetensors\")\nb = load(\"${dir}/mixed_b.safetensors\")",
      "lerp(a, b, 0.25)", ", dtype = f64");
  for (const auto& [name, tensor] : a) {
    for (std::size_t i = 0; i < tensor.values.size(); ++i) {
      double expected = -0.0 + 0.75 * tensor.values[i] + 0.25 * b.at(name).values[i];
      if (tensor.type != Type::f64) expected = plain::f32(expected);
      ASSERT_EQ(got.at(name).values[i], expected) << name << "[" << i << "]";
    }
  }
}

// The coefficients come from sums in another order and from another sine: they differ by some
// 1e-16, so that a result is the neighbouring f32 at worst, counted at the larger of the two terms.
void expect_slerp(const Model& a, const Model& b, const Model& got, bool whole,
                  double (*t_of)(const std::string&)) {
  const auto angle_of = [](const std::vector<double>& x, const std::vector<double>& y) {
    long double dot = 0, xx = 0, yy = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      dot += x[i] * y[i];
      xx += x[i] * x[i];
      yy += y[i] * y[i];
    }
    const long double lengths = std::sqrt(xx) * std::sqrt(yy);
    return lengths == 0 ? 0.0 : std::clamp(static_cast<double>(dot / lengths), -1.0, 1.0);
  };
  for (const auto& [name, tensor] : a) {
    if (!plain::is_floating(tensor.type)) continue;
    const std::vector<double>& other = b.at(name).values;
    const double cosine =
        whole ? angle_of(plain::flat(a), plain::flat(b)) : angle_of(tensor.values, other);
    const double t = t_of(name), angle = std::acos(cosine);
    const bool straight = std::fabs(cosine) > 0.9995;
    const double of_a = straight ? 1 - t : std::sin((1 - t) * angle) / std::sin(angle);
    const double of_b = straight ? t : std::sin(t * angle) / std::sin(angle);
    for (std::size_t i = 0; i < tensor.values.size(); ++i) {
      const double x = of_a * tensor.values[i], y = of_b * other[i];
      const float size = static_cast<float>(std::max(std::fabs(x), std::fabs(y)));
      ASSERT_NEAR(got.at(name).values[i], plain::f32(x + y), std::nextafter(size, INFINITY) - size)
          << name << "[" << i << "]";
    }
  }
}

TEST_F(PlainLinear, Slerp) {
  const Model far = family_stranger();
  expect_slerp(models_[0], far, workshop_.merge(kFamily, "slerp(a, far, t = 0.35)"), false,
               [](const std::string&) { return 0.35; });
  expect_slerp(models_[0], models_[1], workshop_.merge(kFamily, "slerp(a, b, t = 0.35)"), false,
               [](const std::string&) { return 0.35; });
  expect_slerp(models_[0], far, workshop_.merge(kFamily, "slerp(a, far, t = 0.25, over = model)"),
               true, [](const std::string&) { return 0.25; });
}

double depth_of(const std::string& name) {
  if (name.starts_with("layers.")) return (name[7] - '0') / 2.0;
  return name.starts_with("embed") ? 0.0 : 1.0;
}

TEST_F(PlainLinear, SlerpAlongTheDepth) {
  expect_slerp(models_[0], family_stranger(),
               workshop_.merge(kFamily, "slerp(a, far, t = 0.2 + 0.6*depth)"), false,
               [](const std::string& name) { return 0.2 + 0.6 * depth_of(name); });
}

}  // namespace
}  // namespace roux::testing
