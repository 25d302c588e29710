// Random fields against Philox in plain loops, and what they are for: dropping keeps the
// expectation, and masks of different tensors, streams and seeds have nothing to do with each
// other.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tests/conformance/family.h"
#include "tests/support/plain_methods.h"
#include "tests/support/plain_random.h"
#include "tests/support/recipes.h"

namespace roux::testing {
namespace {

using plain::Model;
using plain::Tensor;
using plain::Type;
using plain::Values;

constexpr char kFamily[] = R"(
base = load("${dir}/base.safetensors")
a = load("${dir}/a.safetensors", base = base)
b = load("${dir}/b.safetensors", base = base)
c = load("${dir}/c.safetensors", base = base)
d = a - base
)";

class PlainRandom : public ::testing::Test {
 protected:
  PlainRandom() { write_family(workshop_.dir()); }

  Workshop workshop_;
  const Model base_ = family_base(), a_ = family_member(0);
};

// The vectors that the authors of Philox publish (Random123, kat_vectors).
TEST(Philox, KnownAnswers) {
  using Four = std::array<std::uint32_t, 4>;
  EXPECT_EQ(plain::philox({0, 0, 0, 0}, {0, 0}),
            (Four{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(plain::philox({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}),
            (Four{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(
      plain::philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
      (Four{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST_F(PlainRandom, Uniform) {
  const Model got = workshop_.merge(kFamily, "where(a == a, uniform(7, 3), 0)");
  for (const auto& [name, tensor] : got)
    for (std::size_t i = 0; i < tensor.values.size() && plain::is_floating(tensor.type); ++i)
      ASSERT_EQ(tensor.values[i], (plain::random_bits(name, 7, 3, i) >> 8) * 0x1p-24)
          << name << "[" << i << "]";
}

TEST_F(PlainRandom, Normal) {
  const Model got = workshop_.merge(kFamily, "where(a == a, normal(7, 3), 0)");
  for (const auto& [name, tensor] : got)
    for (std::size_t i = 0; i < tensor.values.size() && plain::is_floating(tensor.type); ++i) {
      const double u = ((plain::random_bits(name, 7, 3, i, 0) >> 8) + 1.0) * 0x1p-24;
      const double v = (plain::random_bits(name, 7, 3, i, 1) >> 8) * 0x1p-24;
      const double expected = std::sqrt(-2 * std::log(u)) * std::cos(6.283185307179586 * v);
      ASSERT_NEAR(tensor.values[i], expected, 1e-7 * std::max(std::fabs(expected), 1e-8))
          << name << "[" << i << "]";
    }
}

TEST_F(PlainRandom, DropTakesTheMaskOfItsSeedAndStream) {
  for (const double p : {0.1, 0.3, 0.9}) {
    SCOPED_TRACE(p);
    const std::string call = "drop(d, " + std::to_string(p) + ", seed = 41, stream = 6";
    const Model inverse = workshop_.merge(kFamily, call + ")"),
                bare = workshop_.merge(kFamily, call + ", rescale = no)");
    for (const auto& [name, tensor] : a_) {
      if (!plain::is_floating(tensor.type)) continue;
      for (std::size_t i = 0; i < tensor.values.size(); ++i) {
        const bool kept = plain::bernoulli(name, 41, 6, i, 1 - p);
        const double d = kept ? plain::f32(tensor.values[i] - base_.at(name).values[i]) : 0.0;
        ASSERT_EQ(bare.at(name).values[i], d) << name << "[" << i << "]";
        ASSERT_EQ(inverse.at(name).values[i], plain::f32(1 / (1 - p) * d))
            << name << "[" << i << "]";
      }
    }
  }
}

TEST_F(PlainRandom, L1RestoresTheSumOfMagnitudes) {
  const Model got = workshop_.merge(kFamily, "drop(d, 0.6, seed = 1, stream = 0, rescale = l1)");
  for (const auto& [name, tensor] : got) {
    if (!plain::is_floating(tensor.type) || tensor.values.size() < 1000) continue;
    double before = 0, after = 0;
    for (std::size_t i = 0; i < tensor.values.size(); ++i) {
      before += std::fabs(plain::f32(a_.at(name).values[i] - base_.at(name).values[i]));
      after += std::fabs(tensor.values[i]);
    }
    EXPECT_NEAR(after, before, 1e-6 * before) << name;  // each element is rounded to f32 once
  }
}

TEST_F(PlainRandom, DareAddsTheWeightedMeanOfWhatIsLeft) {
  const Model got = workshop_.merge(
      kFamily, "dare([a, b, c], p = 0.3, seed = 9, weights = [1, 2, 3], scale = 0.9)");
  const Model models[] = {family_member(0), family_member(1), family_member(2)};
  for (const auto& [name, tensor] : base_) {
    if (!plain::is_floating(tensor.type)) continue;
    for (std::size_t i = 0; i < tensor.values.size(); ++i) {
      double sum = -0.0 + tensor.values[i];
      for (std::uint32_t m = 0; m < 3; ++m) {
        const bool kept = plain::bernoulli(name, 9, m, i, 0.7);
        const double d = kept ? plain::f32(models[m].at(name).values[i] - tensor.values[i]) : 0.0;
        sum += 0.9 * ((m + 1) / 6.0 * (1 / 0.7)) * d;
      }
      ASSERT_EQ(got.at(name).values[i], plain::f32(sum)) << name << "[" << i << "]";
    }
  }
}

// --- statistics
// ------------------------------------------------------------------------------------- Seeds are
// fixed, so these pass always or never. Bounds are five standard deviations: a right generator
// would miss one for fewer than one in a million choices of seeds.

constexpr int kElements = 50'000;
constexpr double kDeviations = 5;

class Masks : public ::testing::Test {
 protected:
  Masks() {
    Model base, ones;
    for (const char* name : {"x", "y"}) {
      base[name] = Tensor{Type::f32, {kElements}, Values(kElements, 0.0)};
      ones[name] = Tensor{Type::f32, {kElements}, Values(kElements, 1.0)};
    }
    workshop_.put("base", base);
    workshop_.put("ones", ones);
  }

  Model made(const std::string& expression) {
    return workshop_.merge(
        "d = load(\"${dir}/ones.safetensors\") - load(\"${dir}/base.safetensors\")", expression);
  }

  Workshop workshop_;
};

TEST_F(Masks, DroppingKeepsTheExpectation) {
  for (const double p : {0.1, 0.3, 0.9}) {
    SCOPED_TRACE(p);
    const Values got =
        plain::flat(made("drop(d, " + std::to_string(p) + ", seed = 17, stream = 4)"));
    double sum = 0;
    for (const double x : got) sum += x;
    const double n = static_cast<double>(got.size());
    EXPECT_NEAR(sum / n, 1, kDeviations * std::sqrt(p / (1 - p) / n));
  }
}

// Of each element, over the seeds: the squared error of a mean of 32 draws is on average its
// variance.
TEST_F(Masks, DroppingKeepsTheExpectationOfEachElement) {
  constexpr int kSeeds = 32;
  for (const double p : {0.1, 0.3, 0.9}) {
    SCOPED_TRACE(p);
    const Values got = plain::flat(made("sum([drop(d, " + std::to_string(p) +
                                        ", seed = s, stream = 0) for s in range(" +
                                        std::to_string(kSeeds) + ")])"));
    const double variance = p / (1 - p) / kSeeds, n = static_cast<double>(got.size());
    double sum = 0, squares = 0;
    for (const double x : got) {
      const double off = x / kSeeds - 1;
      sum += off;
      squares += off * off;
    }
    EXPECT_NEAR(sum / n, 0, kDeviations * std::sqrt(variance / n));
    // The variance of a squared deviation: 2 v², and more where draws are far from normal.
    const double excess = (1 - 6 * p * (1 - p)) / (p * (1 - p)) / kSeeds;
    EXPECT_NEAR(squares / n, variance, kDeviations * variance * std::sqrt((2 + excess) / n));
  }
}

TEST_F(Masks, AreIndependentOfEachOther) {
  const auto mask = [&](int seed, int stream) {
    return made("where(bernoulli(0.3, " + std::to_string(seed) + ", " + std::to_string(stream) +
                "), d, 0)");
  };
  const auto correlation = [](const Values& a, const Values& b) {
    double covariance = 0;
    for (std::size_t i = 0; i < a.size(); ++i) covariance += (a[i] - 0.3) * (b[i] - 0.3);
    return covariance / (0.3 * 0.7) / static_cast<double>(a.size());
  };
  const Model first = mask(1, 0), other_stream = mask(1, 1), other_seed = mask(2, 0);
  const double bound = kDeviations / std::sqrt(kElements);
  const Values& x = first.at("x").values;
  EXPECT_NEAR(correlation(x, first.at("y").values), 0, bound);
  EXPECT_NEAR(correlation(x, other_stream.at("x").values), 0, bound);
  EXPECT_NEAR(correlation(x, other_seed.at("x").values), 0, bound);
  for (const std::size_t shift : {1u, 2u, 16u, 64u, 4096u}) {
    const Values later(x.begin() + static_cast<std::ptrdiff_t>(shift), x.end());
    const Values sooner(x.begin(), x.end() - static_cast<std::ptrdiff_t>(shift));
    EXPECT_NEAR(correlation(sooner, later), 0,
                kDeviations / std::sqrt(static_cast<double>(later.size())))
        << shift;
  }
  EXPECT_NEAR(correlation(x, mask(1, 0).at("x").values), 1,
              0.02);  // and the same again is the same
}

}  // namespace
}  // namespace roux::testing
