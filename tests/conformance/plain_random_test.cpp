// Random fields against Philox in plain loops.
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

}  // namespace
}  // namespace roux::testing
