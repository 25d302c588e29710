// What random masks are for: dropping keeps the expectation, and masks of different tensors,
// models, streams and seeds have nothing to do with each other. Seeds are fixed, so these pass
// always or never. Bounds are five standard deviations: a right generator would miss one for fewer
// than one in a million choices of seeds.
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "tests/support/plain_methods.h"
#include "tests/support/recipes.h"

namespace roux::testing {
namespace {

using plain::Model;
using plain::Tensor;
using plain::Type;
using plain::Values;

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
    return workshop_.merge(R"(
base = load("${dir}/base.safetensors")
ones = load("${dir}/ones.safetensors", base = base)
d = ones - base
)",
                           expression);
  }

  // Of two masks that hold with probability p.
  static double correlation(const Values& a, const Values& b, double p) {
    double covariance = 0;
    for (std::size_t i = 0; i < a.size(); ++i) covariance += (a[i] - p) * (b[i] - p);
    return covariance / (p * (1 - p)) / static_cast<double>(a.size());
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

TEST_F(Masks, DroppingByRankKeepsTheExpectation) {
  for (const double p : {0.1, 0.3, 0.9}) {
    SCOPED_TRACE(p);
    const double spread = std::min(0.15, std::min(p, 1 - p));
    for (const auto& [name, tensor] :
         made("drop_by_rank(d, " + std::to_string(p) + ", seed = 3, stream = 1)")) {
      double sum = 0, variance = 0, kept = 0;
      for (std::size_t i = 0; i < kElements; ++i) {  // equal ones rank by index
        const double stays = 1 - p + spread * (2.0 * static_cast<double>(i) / (kElements - 1) - 1);
        sum += tensor.values[i];
        kept += tensor.values[i] != 0;
        // The first of all may stay with probability 0, and then counts for nothing.
        variance += stays > 1e-4 ? (1 - stays) / stays : 1e4;
      }
      EXPECT_NEAR(sum, kElements, kDeviations * std::sqrt(variance)) << name;
      EXPECT_NEAR(kept / kElements, 1 - p, kDeviations * std::sqrt(p * (1 - p) / kElements))
          << name;
    }
  }
}

TEST_F(Masks, AreIndependentOfEachOther) {
  const std::pair<std::string, std::string> kCalls[] = {
      {"where(bernoulli(0.3, ", "), d, 0)"},
      {"drop(d, 0.7, rescale = no, ", ")"},
      {"drop_by_rank(d, 0.7, rescale = no, spread = 0, ", ")"}};
  for (const auto& [call, end] : kCalls) {
    const auto mask = [&](int seed, int stream) {
      return made(call + "seed = " + std::to_string(seed) + ", stream = " + std::to_string(stream) +
                  end);
    };
    const Model first = mask(1, 0);
    const Values& x = first.at("x").values;
    const auto to = [&](const Values& other) { return correlation(x, other, 0.3); };
    const double bound = kDeviations / std::sqrt(kElements);
    EXPECT_NEAR(to(first.at("y").values), 0, bound) << call;
    EXPECT_NEAR(to(mask(1, 1).at("x").values), 0, bound) << call;
    EXPECT_NEAR(to(mask(2, 0).at("x").values), 0, bound) << call;
    EXPECT_NEAR(to(mask(1, 0).at("x").values), 1, 0.02) << "the same again is the same";
    for (const std::size_t shift : {1u, 2u, 16u, 64u, 4096u}) {
      const Values later(x.begin() + static_cast<std::ptrdiff_t>(shift), x.end());
      const Values sooner(x.begin(), x.end() - static_cast<std::ptrdiff_t>(shift));
      EXPECT_NEAR(correlation(sooner, later, 0.3), 0,
                  kDeviations / std::sqrt(static_cast<double>(later.size())))
          << call << shift;
    }
  }
}

// Equal models lose different changes under DARE and DELLA.
TEST_F(Masks, OfTwoModelsDiffer) {
  for (const char* call :
       {"dare_linear([ones, ones], p = 0.3, rescale = no)",
        "della_linear([ones, ones], p = 0.3, spread = 0, rescale = no)",
        "dare_ties([ones, ones], p = 0.3, rescale = no, normalize = no)",
        "della([ones, ones], p = 0.3, spread = 0, rescale = no, normalize = no)"}) {
    double both = 0, one = 0;
    for (const auto& [name, tensor] : made(call))
      for (const double x : tensor.values) {
        both += x == 2;
        one += x == 1;
      }
    const double n = 2 * kElements;
    EXPECT_NEAR(both / n, 0.49, kDeviations * std::sqrt(0.49 * 0.51 / n)) << call;
    EXPECT_NEAR(one / n, 0.42, kDeviations * std::sqrt(0.42 * 0.58 / n)) << call;
  }
}

}  // namespace
}  // namespace roux::testing
