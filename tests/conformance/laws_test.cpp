// Laws that hold for every method: merging a model with itself gives it back; weight 1 on one model
// and 0 on the rest gives that one; scale 0 gives the base; the order of inputs does not matter
// where the formula is symmetric; scaling all weights of a normalised method changes nothing. To
// the bit for linear methods on f32 and narrower types; after `where`, trimming and random steps
// within one place of the largest number in play.
#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "tests/conformance/family.h"
#include "tests/support/plain_methods.h"
#include "tests/support/recipes.h"

namespace roux::testing {
namespace {

using plain::Model;
using plain::Type;

constexpr char kFamily[] = R"(
base = load("${dir}/base.safetensors")
models = load_all("${dir}/[a-c].safetensors", base = base)
a = models[0]
b = models[1]
c = models[2]
far = load("${dir}/far.safetensors", base = base)
fishers = [(m - far)^2 + 1e-6 for m in models]
)";

class Laws : public ::testing::TestWithParam<Type> {
 protected:
  Laws() {
    put("base", base_ = retyped(family_base()));
    put("a", a_ = retyped(family_member(0)));
    put("b", b_ = retyped(family_member(1)));
    put("c", c_ = retyped(family_member(2)));
    put("far", retyped(family_stranger()));
  }

  static Model retyped(Model model) {
    for (auto& [name, tensor] : model)
      if (plain::is_floating(tensor.type)) tensor.type = GetParam();
    return plain::unflat(model, plain::flat(model));
  }

  void put(const std::string& name, const Model& model) { workshop_.put(name, model); }
  Model merged(const std::string& expression) { return workshop_.merge(kFamily, expression); }

  // The sign of a zero counts as equal here: base + (m - base) has lost it.
  static std::string difference(const Model& expected, const Model& got) {
    Model left = expected, right = got;
    for (Model* model : {&left, &right})
      for (auto& [name, tensor] : *model)
        for (double& value : tensor.values) value += 0.0;
    return plain::difference(left, right);
  }

  void expect_same(const std::string& expression, const Model& expected) {
    EXPECT_EQ(difference(expected, merged(expression)), "") << expression;
  }
  void expect_same(const std::string& one, const std::string& other) {
    EXPECT_EQ(difference(merged(one), merged(other)), "") << one << " and " << other;
  }

  // To the bit, but for elements that fall midway between two values of the type: a sum of three
  // products rounds in f64, and the last of its bits then decides to which
  // side. `weights` are those of base, a, b and c.
  void expect_same_but_midway(const std::string& one, const std::string& other,
                              const std::array<long double, 4>& weights) {
    SCOPED_TRACE(one + " and " + other);
    const Model left = merged(one), right = merged(other);
    std::size_t differ = 0, all = 0;
    for (const auto& [name, tensor] : left) {
      for (std::size_t i = 0; i < tensor.values.size(); ++i, ++all) {
        const double x = tensor.values[i], y = right.at(name).values[i];
        if (x == y) continue;
        ++differ;
        long double exact = 0, size = 0;
        const Model* models[] = {&base_, &a_, &b_, &c_};
        for (std::size_t m = 0; m < 4; ++m) {
          const long double term =
              weights[m] * static_cast<long double>(models[m]->at(name).values[i]);
          exact += term;
          size += std::fabs(term);
        }
        // Narrow types round what has been rounded to f32.
        const double noise =
            static_cast<double>(size) * (GetParam() == Type::f32 ? 0x1p-51 : 0x1p-24);
        const bool cancels = std::fabs(x) <= noise && std::fabs(y) <= noise;
        ASSERT_LE(cancels ? 0 : plain::steps_between(GetParam(), x, y), 1)
            << name << "[" << i << "]";
        ASSERT_NEAR(static_cast<double>(exact - (static_cast<long double>(x) + y) / 2), 0, noise)
            << name << "[" << i << "]: " << x << ", " << y;
      }
    }
    EXPECT_LT(differ, all / 100);
  }

  double largest_of(const std::string& name, std::size_t i) const {
    double size = 0;
    for (const Model* model : {&base_, &a_, &b_, &c_})
      size = std::max(size, std::fabs(model->at(name).values[i]));
    return size;
  }

  // Of the same type and shape, and within one place of the type at the largest number that the
  // method adds up: base, models, and `summed` changes of one model.
  void expect_near(const std::string& expression, const Model& expected, int summed = 0) {
    SCOPED_TRACE(expression);
    const Model got = merged(expression);
    const plain::TypeFacts& facts = plain::facts_of(GetParam());
    for (const auto& [name, tensor] : expected) {
      ASSERT_EQ(got.at(name).type, tensor.type) << name;
      ASSERT_EQ(got.at(name).shape, tensor.shape) << name;
      if (!plain::is_floating(tensor.type)) continue;
      for (std::size_t i = 0; i < tensor.values.size(); ++i) {
        const double change = std::fabs(tensor.values[i] - base_.at(name).values[i]);
        const double size = std::max(largest_of(name, i), summed * change);
        const int exponent = size > 0 ? std::max(std::ilogb(size), facts.lowest) : facts.lowest;
        ASSERT_NEAR(got.at(name).values[i], tensor.values[i],
                    std::ldexp(1, exponent - facts.mantissa_bits))
            << name << "[" << i << "]";
      }
    }
  }

  Workshop workshop_;
  Model base_, a_, b_, c_;
};

TEST_P(Laws, AModelWithItself) {
  for (const int n : {1, 2, 3, 5, 7, 10})
    expect_same("mean([a for i in range(" + std::to_string(n) + ")])", a_);
  expect_same("mean([a, a, a], weights = [3, 1, 0.5])", a_);
  for (const char* t : {"0", "0.3", "0.5", "0.7", "1"}) {
    expect_same(std::string("lerp(a, a, ") + t + ")", a_);
    expect_same(std::string("slerp(a, a, t = ") + t + ")", a_);
  }
  expect_same("task_arithmetic([a])", a_);
  expect_same("task_arithmetic([base, base], base)", base_);
  expect_same("task_arithmetic([a, a], weights = 0.5)", a_);
  expect_near("ties([a, a, a], k = 1)", a_, 3);
  expect_near("ties([a, a, a], k = 1, vote = weighted, normalize = weights, weights = [1, 2, 3])",
              a_, 6);
  expect_near("ties([a, a, a], k = 1, compat = \"mergekit\")", a_, 3);
  expect_near("dare([a, a, a], p = 0)", a_);
  expect_same("expo(a, alpha = 0)", a_);
  expect_same("expo(base, base)", base_);
  expect_same("ema([a, a, a])", a_);
  expect_same("nearswap(a, a, t = 1)", a_);
  expect_near("magmax([a, a, a])", a_);
  expect_near("ram([a, a, a], epsilon = 0)", a_, 3);
  expect_near("ramplus([a, a, a], epsilon = 0)", a_, 3);
  expect_near("sce([a, a, a], k = 1)", a_, 3);
  expect_near("sce([a], k = 1)", a_);
  expect_near("fisher([a, a, a], fishers)", a_);
  for (const char* method : {"magmax", "ram", "ramplus", "sce"})
    expect_same(std::string(method) + "([base, base], base)", base_);
  expect_same("ties([base, base], base)", base_);
  expect_same("dare([base, base], base)", base_);
}

TEST_P(Laws, AllWeightOnOne) {
  expect_same("mean([a, b, c], weights = [0, 1, 0])", b_);
  expect_same("mean([a, b, c], weights = [0, 0, 7])", c_);
  expect_same("lerp(a, far, 0)", a_);
  expect_same("lerp(far, b, 1)", b_);
  expect_same("slerp(a, far, t = 0)", a_);
  expect_same("slerp(far, b, t = 1)", b_);
  expect_same("slerp(a, b, t = 0)", a_);
  expect_same("slerp(a, b, t = 1)", b_);
  expect_same("task_arithmetic(models, weights = [1, 0, 0])", a_);
  expect_near("ties(models, k = 1, weights = [1, 0, 0], vote = weighted, normalize = weights)", a_);
  expect_near("dare(models, p = 0, weights = [0, 0, 1])", c_);
  expect_same("ema(models, decay = 0)", c_);
  expect_same("ema(models, decay = 1)", a_);
  expect_near("fisher(models, fishers, weights = [0, 1, 0])", b_);
  expect_near("nearswap(a, far, t = inf)", merged("far"));
}

TEST_P(Laws, ScaleZeroIsTheBase) {
  expect_same("task_arithmetic(models, scale = 0)", base_);
  expect_same("task_arithmetic(models, weights = 0)", base_);
  expect_same("ties(models, scale = 0)", base_);
  expect_same("ties(models, k = 0)", base_);
  expect_same("dare(models, scale = 0)", base_);
  expect_same("magmax(models, scale = 0)", base_);
  expect_same("sce(models, scale = 0)", base_);
  expect_same("sce(models, k = 0)", base_);
  expect_same("ram(models, epsilon = inf)", base_);
  expect_same("nearswap(base, a, t = 0)", base_);
  expect_same("dare(models, p = 1)", base_);
}

TEST_P(Laws, TheOrderOfInputsDoesNotMatter) {
  expect_same("mean([a, b])", "mean([b, a])");
  expect_same("mean([a, b, c])", "mean([c, a, b])");
  expect_same("mean([a, b, c], weights = [3, 1, 0.5])", "mean([b, c, a], weights = [1, 0.5, 3])");
  expect_same("lerp(a, b, 0.25)", "lerp(b, a, 0.75)");
  expect_same("task_arithmetic([a, b, c], scale = 0.4)", "task_arithmetic([b, c, a], scale = 0.4)");
  expect_same("slerp(a, far, t = 0.5)", "slerp(far, a, t = 0.5)");
  expect_near("ties([a, b, c])", merged("ties([c, a, b])"));
  expect_near("ties([a, b, c], compat = \"reference\")",
              merged("ties([b, c, a], compat = \"reference\")"));
  expect_near("ram([a, b, c])", merged("ram([c, a, b])"));
  expect_near("ramplus([a, b, c])", merged("ramplus([c, a, b])"));
  expect_near("sce([a, b, c])", merged("sce([c, a, b])"));
  expect_near("fisher(models, fishers)",
              merged("fisher([c, a, b], [fishers[2], fishers[0], fishers[1]])"));
  expect_near("ties([a, b, c], k = [0.1, 0.5, 1], elect = count, zero_vote = positive)",
              merged("ties([c, b, a], k = [1, 0.5, 0.1], elect = count, zero_vote = positive)"));
}

TEST_P(Laws, ScalingTheWeightsOfANormalisedMethodChangesNothing) {
  expect_same("mean([a, b, c], weights = [3, 1, 0.5])", "mean([a, b, c], weights = [6, 2, 1])");
  expect_same_but_midway("mean([a, b, c], weights = [3, 1, 0.5])",
                         "mean([a, b, c], weights = [0.3, 0.1, 0.05])",
                         {0, 6 / 9.0L, 2 / 9.0L, 1 / 9.0L});
  const std::string call = "ties(models, vote = weighted, normalize = weights, weights = ";
  expect_near(call + "[3, 1, 0.5])", merged(call + "[6, 2, 1])"));
  expect_near(call + "[3, 1, 0.5])", merged(call + "[0.3, 0.1, 0.05])"), 5);
  expect_near("dare(models, p = 0.3, weights = [3, 1, 0.5])",
              merged("dare(models, p = 0.3, weights = [6, 2, 1])"));
  expect_near("fisher(models, fishers, weights = [3, 1, 0.5])",
              merged("fisher(models, fishers, weights = [6, 2, 1])"));
  expect_near("dare(models, p = 0.3, weights = [3, 1, 0.5])",
              merged("dare(models, p = 0.3, weights = [30, 10, 5])"));
}

TEST_P(Laws, KeepingEverythingAndDroppingNothing) {
  expect_near("base + trim(a - base, 1)", a_);
  expect_near("base + trim(a - base, 1, over = tensor)", a_);
  expect_near("base + drop(a - base, 0, stream = 0)", a_);
  expect_near("base + drop(a - base, 0, stream = 0, rescale = l1)", a_);
  expect_same("base + trim(a - base, 0)", base_);
  expect_same("base + drop(a - base, 1, stream = 0)", base_);
  expect_same("trim(trim(a - base, 0.3), 0.3)", "trim(a - base, 0.3)");
}

// The same laws for the rest of the library, a row for each call. `summed`: how many changes of one
// model it adds up.
struct Law {
  const char* expression;
  char gives;  // `0` for the base, `a`, `b` or `c`
  int summed = 0;
};

constexpr Law kLaws[] = {
    // A model with itself.
    {"geometric_median([a, a, a])", 'a'},
    {"karcher([a, a, a])", 'a'},
    {"karcher([a, a], base = base)", 'a'},
    {"multislerp([a, a, a], weights = [1, 2, 3])", 'a'},
    {"multislerp([a, a, a], base = base, over = row)", 'a'},
    {"nuslerp(a, a, t = 0.3)", 'a'},
    {"nuslerp(a, a, t = 0.3, base = base, over = column)", 'a'},
    {"model_stock([a, a, a])", 'a'},
    {"model_stock([a])", 'a'},
    {"emr([a, a, a])", 'a'},
    {"emr([a, a, a], task = 2)", 'a', 1},
    {"consensus([a, a], scale = 0.5)", 'a', 2},
    {"breadcrumbs([a, a], k = 1, normalize = true)", 'a', 2},
    {"breadcrumbs_ties([a, a, a], k = 1)", 'a', 3},
    {"dare_linear([a, a], p = 0, weights = 0.5)", 'a', 2},
    {"dare_ties([a, a, a], p = 0)", 'a', 3},
    {"della([a, a, a], p = 0)", 'a', 3},
    {"della_linear([a, a], p = 0, normalize = true)", 'a', 2},
    {"analogy(b, b, a)", 'a'},
    {"negation(base, base)", '0'},
    {"arcee_fusion(base, base)", '0'},
    {"base + trim_outliers(a - base, 1, 0)", 'a'},
    {"base + drop_by_rank(a - base, 0, stream = 0)", 'a'},
    // All weight on one.
    {"geometric_median([a, b, c], weights = [0, 1, 0])", 'b'},
    {"karcher([a, b, c], weights = [0, 1, 0])", 'b'},
    {"multislerp([a, b, c], weights = [0, 1, 0])", 'b'},
    {"nuslerp(a, far, t = 0)", 'a'},
    {"nuslerp(far, b, t = 1)", 'b'},
    {"dare_linear(models, p = 0, weights = [0, 0, 1])", 'c'},
    {"della_linear(models, p = 0, weights = [0, 0, 1], normalize = true)", 'c'},
    {"breadcrumbs(models, k = 1, weights = [0, 1, 0])", 'b'},
    {"breadcrumbs_ties(models, k = 1, weights = [0, 1, 0], vote = weighted, normalize = weights)",
     'b'},
    {"dare_ties(models, p = 0, weights = [0, 1, 0], vote = weighted, normalize = weights)", 'b'},
    {"della(models, p = 0, weights = [0, 1, 0], vote = weighted, normalize = weights)", 'b'},
    {"analogy(a, b, c, scale = 0)", 'c'},
    // Scale 0.
    {"negation(a, scale = 0)", '0'},
    {"emr(models, scale = 0)", '0'},
    {"emr(models, task = 0, scale = 0)", '0'},
    {"consensus(models, scale = 0)", '0'},
    {"model_stock(models, scale = 0)", '0'},
    {"arcee_fusion(a, scale = 0)", '0'},
    {"breadcrumbs(models, scale = 0)", '0'},
    {"breadcrumbs_ties(models, scale = 0)", '0'},
    {"breadcrumbs_ties(models, k = 0)", '0'},
    {"dare_linear(models, scale = 0)", '0'},
    {"dare_ties(models, scale = 0)", '0'},
    {"dare_ties(models, p = 1)", '0'},
    {"della(models, scale = 0)", '0'},
    {"della(models, p = 1)", '0'},
    {"della_linear(models, scale = 0)", '0'},
};

TEST_P(Laws, OfTheRestOfTheLibrary) {
  for (const Law& law : kLaws)
    expect_near(law.expression,
                law.gives == '0'   ? base_
                : law.gives == 'a' ? a_
                : law.gives == 'b' ? b_
                                   : c_,
                law.summed);
}

// Calls that come to the same: inputs in another order, or all weights of a normalised method
// scaled.
constexpr std::pair<const char*, const char*> kEqualCalls[] = {
    {"geometric_median([a, b, c])", "geometric_median([c, a, b])"},
    {"karcher([a, b, far])", "karcher([far, b, a])"},
    {"multislerp([a, b, far])", "multislerp([far, a, b])"},
    {"nuslerp(a, far, t = 0.25)", "nuslerp(far, a, t = 0.75)"},
    {"model_stock([a, b, c])", "model_stock([c, a, b])"},
    {"emr([a, b, c])", "emr([c, a, b])"},
    {"consensus([a, b, c])", "consensus([b, c, a])"},
    {"breadcrumbs([a, b, c])", "breadcrumbs([c, b, a])"},
    {"breadcrumbs_ties([a, b, c])", "breadcrumbs_ties([c, b, a])"},
    {"dare_ties([a, b, c], p = 0)", "dare_ties([b, c, a], p = 0)"},
    {"della([a, b, c], p = 0)", "della([b, c, a], p = 0)"},
    {"della_linear([a, b, c], p = 0)", "della_linear([b, c, a], p = 0)"},
    {"geometric_median(models, weights = [3, 1, 0.5])",
     "geometric_median(models, weights = [6, 2, 1])"},
    {"karcher(models, weights = [3, 1, 0.5])", "karcher(models, weights = [6, 2, 1])"},
    {"multislerp(models, weights = [3, 1, 0.5])", "multislerp(models, weights = [6, 2, 1])"},
    {"breadcrumbs(models, weights = [3, 1, 0.5], normalize = true)",
     "breadcrumbs(models, weights = [6, 2, 1], normalize = true)"},
    {"dare_linear(models, p = 0.3, weights = [3, 1, 0.5], normalize = true)",
     "dare_linear(models, p = 0.3, weights = [6, 2, 1], normalize = true)"},
    {"della_linear(models, weights = [3, 1, 0.5], normalize = true)",
     "della_linear(models, weights = [6, 2, 1], normalize = true)"},
    {"della(models, weights = [3, 1, 0.5], vote = weighted, normalize = weights)",
     "della(models, weights = [6, 2, 1], vote = weighted, normalize = weights)"},
};

TEST_P(Laws, CallsThatComeToTheSame) {
  for (const auto& [one, other] : kEqualCalls) expect_near(one, merged(other), 3);
}

INSTANTIATE_TEST_SUITE_P(
    Types, Laws, ::testing::Values(Type::f32, Type::f16, Type::bf16, Type::e4m3, Type::e5m2),
    [](const auto& type) { return std::string(plain::facts_of(type.param).name); });

}  // namespace
}  // namespace roux::testing
