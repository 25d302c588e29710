// Methods that combine task vectors, against plain arithmetic in f64: within a few places of f32 at
// the largest number in play, where what is selected does not depend on rounding.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <vector>

#include "tests/conformance/family.h"
#include "tests/support/plain_methods.h"
#include "tests/support/recipes.h"

namespace roux::testing {
namespace {

using plain::Model;
using plain::Values;

constexpr char kFamily[] = R"(
base = load("${dir}/base.safetensors")
models = load_all("${dir}/[a-g].safetensors", base = base)
three = models[0..3]
a = models[0]
b = models[1]
fishers = [load("${dir}/fisher${i}.safetensors", space = tensors) for i in range(3)]
)";

class PlainTaskVectors : public ::testing::Test {
 protected:
  PlainTaskVectors() {
    write_family(workshop_.dir());
    for (std::size_t m = 0; m < 3; ++m) {
      models_.push_back(plain::flat(family_member(static_cast<int>(m))));
      deltas_.push_back(plain::delta(family_member(static_cast<int>(m)), base_));
      fishers_.push_back(fisher_of(m));
      workshop_.put("fisher" + std::to_string(m), plain::unflat(base_, fishers_[m]));
    }
  }

  // Squares of every size, nothing at every fifth element of each, and at every tenth of all.
  Values fisher_of(std::size_t m) const {
    Values fisher = origin_;
    for (std::size_t i = 0; i < fisher.size(); ++i)
      fisher[i] = (i + m) % 5 == 0 || i % 10 == 7
                      ? 0
                      : plain::f32(deltas_[m][i] * deltas_[m][i] * std::ldexp(1, i % 9));
    return fisher;
  }

  void expect(const std::string& expression, const Values& expected) {
    SCOPED_TRACE(expression);
    const Values got = plain::flat(workshop_.merge(kFamily, expression));
    ASSERT_EQ(got.size(), expected.size());
    for (std::size_t i = 0; i < got.size(); ++i)
      ASSERT_NEAR(got[i], expected[i], largest_at(i) * 0x1p-21) << "[" << i << "]";
  }

  std::string refusal(const std::string& expression) {
    return workshop_
        .run(std::string(kFamily) + "save(" + expression + ", \"${out}/merged.safetensors\")\n")
        .error;
  }

  double largest_at(std::size_t i) const {
    double size = std::max(std::fabs(origin_[i]), 0x1p-126);
    for (const Values& model : models_) size = std::max(size, std::fabs(model[i]));
    return size;
  }

  // base + change(i)
  void expect_change(const std::string& expression,
                     const std::function<double(std::size_t)>& change) {
    Values expected = origin_;
    for (std::size_t i = 0; i < expected.size(); ++i) expected[i] += change(i);
    expect(expression, expected);
  }

  int sharers(std::size_t i, double epsilon) const {
    int count = 0;
    for (const Values& d : deltas_) count += std::fabs(d[i]) > epsilon ? 1 : 0;
    return count;
  }

  Values sce(std::size_t n, double k) const;

  Workshop workshop_;
  const Model base_ = family_base();
  const Values origin_ = plain::flat(base_);
  std::vector<Values> models_, deltas_, fishers_;
};

TEST_F(PlainTaskVectors, Expo) {
  expect_change("expo(a, alpha = 0.5)", [&](std::size_t i) { return 1.5 * deltas_[0][i]; });
}

TEST_F(PlainTaskVectors, NegationAndAnalogy) {
  expect_change("negation(a, scale = 0.3)", [&](std::size_t i) { return -0.3 * deltas_[0][i]; });
  expect_change("analogy(a, b, three[2], scale = 0.5)", [&](std::size_t i) {
    return deltas_[2][i] + 0.5 * (deltas_[1][i] - deltas_[0][i]);
  });
}

TEST_F(PlainTaskVectors, MagMax) {
  expect_change("magmax(three, scale = 0.5)", [&](std::size_t i) {
    double most = 0;
    for (const Values& d : deltas_)
      if (std::fabs(d[i]) > std::fabs(most)) most = d[i];
    return 0.5 * most;
  });
}

TEST_F(PlainTaskVectors, NearSwap) {
  const double t = 1.0 / 256;
  expect_change("nearswap(base, a, t = 1 / 256)",
                [&](std::size_t i) { return std::clamp(deltas_[0][i], -t, t); });
}

TEST_F(PlainTaskVectors, Ram) {
  const double epsilon = 0.005;
  expect_change("ram(three, epsilon = 0.005)", [&](std::size_t i) {
    double sum = 0;
    for (const Values& d : deltas_)
      if (std::fabs(d[i]) > epsilon) sum += d[i];
    return sum / std::max(sharers(i, epsilon), 1);
  });
}

TEST_F(PlainTaskVectors, RamPlus) {
  const double epsilon = 0.005;
  for (const bool per_tensor : {true, false}) {
    Values expected = origin_;
    for (const auto& [begin, end] : plain::scopes(base_, per_tensor))
      for (const Values& d : deltas_) {
        double own = 0, shared = 0;
        for (std::size_t i = begin; i < end; ++i)
          if (std::fabs(d[i]) > epsilon) (sharers(i, epsilon) == 1 ? own : shared) += 1;
        const double gain = 1 + 0.3 * std::clamp(shared / std::max(own, 1.0), 0.0, 0.9);
        for (std::size_t i = begin; i < end; ++i) {
          if (std::fabs(d[i]) <= epsilon) continue;
          const int n = sharers(i, epsilon);
          expected[i] += n == 1 ? gain * d[i] : d[i] / n;
        }
      }
    expect(std::string("ramplus(three, r = 0.3, alpha = 0.9, epsilon = 0.005, over = ") +
               (per_tensor ? "tensor)" : "model)"),
           expected);
  }
}

// With two models the variance rises with their distance, which says what is selected.
Values PlainTaskVectors::sce(std::size_t n, double k) const {
  Values expected = origin_;
  for (const auto& run : plain::scopes(base_, true)) {
    Values distance(origin_.size(), 1);
    for (std::size_t i = run.first; n == 2 && i < run.second; ++i) {
      const double half = plain::f32((models_[0][i] - models_[1][i]) / 2);
      distance[i] = plain::f32(half * half) + 1e-60;
    }
    const Values chosen = plain::trimmed(distance, k, {run});
    std::vector<double> weights(n, 0);
    for (std::size_t m = 0; m < n; ++m)
      for (std::size_t i = run.first; i < run.second; ++i)
        if (chosen[i] != 0) weights[m] += deltas_[m][i] * deltas_[m][i];
    for (std::size_t i = run.first; i < run.second; ++i) {
      double mass = 0, sum = 0, divisor = 0;
      for (std::size_t m = 0; m < n; ++m) mass += deltas_[m][i];
      for (std::size_t m = 0; m < n; ++m) {
        if (chosen[i] == 0 || deltas_[m][i] == 0) continue;
        if (plain::sign(deltas_[m][i]) != plain::sign(plain::f32(mass))) continue;
        sum += weights[m] * deltas_[m][i];
        divisor += weights[m];
      }
      if (divisor != 0) expected[i] += sum / divisor;
    }
  }
  return expected;
}

TEST_F(PlainTaskVectors, Sce) {
  expect("sce(three, k = 1)", sce(3, 1));
  expect("sce([a, b], k = 0.3)", sce(2, 0.3));
  expect("sce([a, b])", sce(2, 0.1));
}

// mergekit gives a tensor that is the same in all models another shape.
TEST_F(PlainTaskVectors, SceOfEqualModelsKeepsShapes) {
  const Model got = workshop_.merge(kFamily, "sce([base, base, base], base, k = 0.5)");
  for (const auto& [name, tensor] : base_) EXPECT_EQ(got.at(name).shape, tensor.shape) << name;
  expect("sce([a, a, a], k = 1)", models_[0]);
}

TEST_F(PlainTaskVectors, Ema) {
  Values expected = models_[0];
  for (std::size_t i = 0; i < expected.size(); ++i)
    expected[i] = 0.75 * (0.75 * models_[0][i] + 0.25 * models_[1][i]) + 0.25 * models_[2][i];
  expect("ema(three, decay = 0.75)", expected);
}

TEST_F(PlainTaskVectors, Fisher) {
  const double weights[] = {0.5, 2, 1};
  const std::pair<const char*, Values> floors[] = {
      {"1e-6", {1e-6, 1e-6, 1e-6}},
      {"[1e-3, 1e-6, 1e-4]", {1e-3, 1e-6, 1e-4}},
      {"[1e-6, 0, 0]", {1e-6, 0, 0}},  // as the authors' code has it
  };
  for (const bool normalized : {false, true}) {
    for (const auto& [floor, least] : floors) {
      Values expected = origin_;
      double lengths[] = {1, 1, 1};
      for (std::size_t m = 0; normalized && m < 3; ++m) {
        double squares = 0;
        for (const double f : fishers_[m]) squares += f * f;
        lengths[m] = std::sqrt(squares);
      }
      for (std::size_t i = 0; i < expected.size(); ++i) {
        double sum = 0, total = 0;
        for (std::size_t m = 0; m < 3; ++m) {
          const double share = weights[m] / lengths[m] * std::max(fishers_[m][i], least[m]);
          sum += share * models_[m][i];
          total += share;
        }
        expected[i] = sum / total;
      }
      expect(std::string("fisher(three, fishers, weights = [0.5, 2, 1], floor = ") + floor +
                 (normalized ? ", normalize = \"model\")" : ")"),
             expected);
    }
  }
}

TEST_F(PlainTaskVectors, FisherOfNothingIsRefused) {
  std::size_t lost = 0;
  for (std::size_t i = 0; i < origin_.size(); ++i)
    lost += fishers_[0][i] == 0 && fishers_[1][i] == 0 && fishers_[2][i] == 0;
  const std::string error = refusal("fisher(three, fishers)");
  EXPECT_NE(error.find("information of " + std::to_string(lost) + " elements sums to 0"),
            std::string::npos)
      << error;
  EXPECT_NE(error.find("floor = 1e-6"), std::string::npos) << error;
  EXPECT_NE(refusal("fisher(three, fishers[0..2])").find("2 Fisher informations for 3 models"),
            std::string::npos);
}

// As the authors' code does, the floor may hold for the first model alone: it wins where all are 0.
TEST_F(PlainTaskVectors, FisherOfNothingIsTheOneWithAFloor) {
  const Values got =
      plain::flat(workshop_.merge(kFamily, "fisher(three, fishers, floor = [1e-6, 0, 0])"));
  int met = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (fishers_[0][i] != 0 || fishers_[1][i] != 0 || fishers_[2][i] != 0) continue;
    ASSERT_NEAR(got[i], models_[0][i], largest_at(i) * 0x1p-21) << i;
    ++met;
  }
  EXPECT_GT(met, 1000);
}

}  // namespace
}  // namespace roux::testing
