// Numbers out of tensors against plain sums in long double and std::sort. Sums to 1e-12 of the sum
// of magnitudes: both sides round in f64, in another order. Order statistics exactly.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
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
a = load("${dir}/a.safetensors", base = base)
b = load("${dir}/b.safetensors", base = base)
d = a - base
)";

struct Sum {
  long double value = 0, size = 0;
};

Sum dot(const Values& x, const Values& y) {
  Sum sum;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const long double product = static_cast<long double>(x[i]) * y[i];
    sum.value += product;
    sum.size += std::fabs(product);
  }
  return sum;
}

// The value below which a fraction q lies.
double quantile(Values x, double q) {
  std::sort(x.begin(), x.end());
  const double at = q * static_cast<double>(x.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const double low = x[below], high = x[std::min(below + 1, x.size() - 1)];
  return low + (at - std::floor(at)) * (high - low);
}

class PlainNumbers : public ::testing::Test {
 protected:
  PlainNumbers() { write_family(workshop_.dir()); }

  // What `number`, over each tensor, is in it. Saved as f32.
  Model in_each(const std::string& number) {
    return workshop_.merge(kFamily, "where(a == a, " + number + ", 0)");
  }

  Workshop workshop_;
  const Model a_ = family_member(0), b_ = family_member(1), base_ = family_base();
};

TEST_F(PlainNumbers, SumsOverTheModel) {
  const Values a = plain::flat(a_), b = plain::flat(b_), d = plain::delta(a_, base_),
               ones(a.size(), 1.0);
  const auto got = workshop_.numbers(kFamily,
                                     "${sum(a, over = model)} ${dot(a, b, over = model)} ${norm(a, "
                                     "over = model)} ${norm(d, over = model)} "
                                     "${cosine(a, b, over = model)} ${mean(a, over = model)} "
                                     "${cosine(d, b - base, over = model)}");
  ASSERT_EQ(got.size(), 7u);
  const Sum sum = dot(a, ones), ab = dot(a, b), aa = dot(a, a), bb = dot(b, b), dd = dot(d, d);
  const auto near = [](double value, long double expected, long double size) {
    EXPECT_NEAR(value, static_cast<double>(expected), static_cast<double>(1e-12L * size));
  };
  near(got[0], sum.value, sum.size);
  near(got[1], ab.value, ab.size);
  near(got[2], std::sqrt(aa.value), std::sqrt(aa.value));
  near(got[3], std::sqrt(dd.value), std::sqrt(dd.value));
  near(got[4], ab.value / std::sqrt(aa.value * bb.value), 1);
  near(got[5], sum.value / static_cast<long double>(a.size()),
       sum.size / static_cast<long double>(a.size()));
  const Values e = plain::delta(b_, base_);
  near(got[6], dot(d, e).value / std::sqrt(dd.value * dot(e, e).value), 1);
}

TEST_F(PlainNumbers, CountsAndExtremesOverTheModel) {
  const Values a = plain::flat(a_), b = plain::flat(b_);
  const auto got = workshop_.numbers(kFamily,
                                     "${count(a > b, over = model)} ${min(a, over = model)} "
                                     "${max(b, over = model)} ${size(a, over = model)}");
  ASSERT_EQ(got.size(), 4u);
  double larger = 0;
  for (std::size_t i = 0; i < a.size(); ++i) larger += a[i] > b[i] ? 1 : 0;
  EXPECT_EQ(got[0], larger);
  EXPECT_EQ(got[1], *std::min_element(a.begin(), a.end()));
  EXPECT_EQ(got[2], *std::max_element(b.begin(), b.end()));
  EXPECT_EQ(got[3], static_cast<double>(a.size()));
}

TEST_F(PlainNumbers, OrderStatisticsOverTheModel) {
  Values d = plain::delta(a_, base_);
  const auto got = workshop_.numbers(
      kFamily,
      "${largest(d, 1, over = model)} ${largest(d, 1000, over = model)} ${largest(d, size(d, over "
      "= model), "
      "over = model)} ${median(d, over = model)} ${quantile(d, 0, over = model)} ${quantile(d, 1, "
      "over = model)} "
      "${quantile(d, 0.9, over = model)} ${quantile(abs(d), 0.37, over = model)}");
  ASSERT_EQ(got.size(), 8u);
  EXPECT_EQ(got[4], quantile(d, 0));
  EXPECT_EQ(got[5], quantile(d, 1));
  // Between two neighbours: the interpolation rounds in f64.
  EXPECT_NEAR(got[3], quantile(d, 0.5), 1e-15 * std::fabs(quantile(d, 0.5)));
  EXPECT_NEAR(got[6], quantile(d, 0.9), 1e-15 * std::fabs(quantile(d, 0.9)));
  Values magnitudes = d;
  for (double& x : magnitudes) x = std::fabs(x);
  EXPECT_NEAR(got[7], quantile(magnitudes, 0.37), 1e-15 * quantile(magnitudes, 0.37));
  std::sort(d.begin(), d.end(), std::greater<>());
  EXPECT_EQ(got[0], d[0]);
  EXPECT_EQ(got[1], d[999]);
  EXPECT_EQ(got[2], d.back());
}

// numpy's names: which neighbours of the place q·(n − 1) count.
TEST_F(PlainNumbers, MethodsOfQuantiles) {
  Values d = plain::delta(a_, base_);
  std::sort(d.begin(), d.end());
  const double last = static_cast<double>(d.size() - 1);
  for (const double q : {0.0, 0.1, 0.5, 0.777, 1.0}) {
    const double place = q * last;
    const auto at = [&](double i) { return d[static_cast<std::size_t>(i)]; };
    const std::string x = "quantile(a - base, " + std::to_string(q) + ", over = model, method = ";
    const auto got = workshop_.numbers(kFamily, "${" + x + "lower)} ${" + x + "higher)} ${" + x + "nearest)} ${" + x +
                                                    "midpoint)} ${" + x + "linear)}");
    ASSERT_EQ(got.size(), 5u);
    EXPECT_EQ(got[0], at(std::floor(place)));
    EXPECT_EQ(got[1], at(std::ceil(place)));
    EXPECT_EQ(got[2], at(std::nearbyint(place)));
    EXPECT_EQ(got[3], (at(std::floor(place)) + at(std::ceil(place))) / 2);
    EXPECT_NEAR(got[4], quantile(d, q), 1e-15 * std::fabs(quantile(d, q)));
  }
}

TEST_F(PlainNumbers, SumsOverEachTensor) {
  const Model sums = in_each("sum(a, over = tensor)"), dots = in_each("dot(a, b, over = tensor)"),
              norms = in_each("norm(b, over = tensor)"), means = in_each("mean(a, over = tensor)");
  for (const auto& [name, tensor] : a_) {
    if (!plain::is_floating(tensor.type) || tensor.values.empty()) continue;
    SCOPED_TRACE(name);
    const Values &a = tensor.values, &b = b_.at(name).values;
    const Sum sum = dot(a, Values(a.size(), 1.0)), ab = dot(a, b);
    const double norm = static_cast<double>(std::sqrt(dot(b, b).value));
    const auto near = [&](const Model& got, long double expected, long double size) {
      const double wanted =
          static_cast<double>(expected);  // and rounded to f32 where it was spread
      EXPECT_NEAR(got.at(name).values.front(), wanted,
                  6e-8 * std::fabs(wanted) + static_cast<double>(1e-12L * size));
      EXPECT_EQ(got.at(name).values.front(), got.at(name).values.back());
    };
    near(sums, sum.value, sum.size);
    near(dots, ab.value, ab.size);
    near(norms, norm, norm);
    near(means, sum.value / static_cast<long double>(a.size()), sum.size);
  }
}

TEST_F(PlainNumbers, OrderStatisticsOverEachTensor) {
  const Model first = in_each("largest(a, 1, over = tensor)"),
              median = in_each("median(b, over = tensor)"),
              quarter = in_each("quantile(a, 0.25, over = tensor)");
  const Model masks =
      workshop_.merge(kFamily, "where(top(abs(d), floor(numel/3), over = tensor), 1, 0)");
  for (const auto& [name, tensor] : a_) {
    if (!plain::is_floating(tensor.type) || tensor.values.empty()) continue;
    SCOPED_TRACE(name);
    EXPECT_EQ(first.at(name).values[0],
              *std::max_element(tensor.values.begin(), tensor.values.end()));
    EXPECT_EQ(median.at(name).values[0], plain::f32(quantile(b_.at(name).values, 0.5)));
    EXPECT_EQ(quarter.at(name).values[0], plain::f32(quantile(tensor.values, 0.25)));
    const double n = static_cast<double>(tensor.values.size());
    const Values d = plain::delta({{name, tensor}}, {{name, base_.at(name)}});
    const Values kept = plain::trimmed(d, std::floor(n / 3) / n + 1e-9, {{0, d.size()}});
    for (std::size_t i = 0; i < d.size(); ++i)
      ASSERT_GE(masks.at(name).values[i], kept[i] != 0 ? 1 : 0) << i;
    EXPECT_EQ(std::count(masks.at(name).values.begin(), masks.at(name).values.end(), 1),
              std::floor(n / 3));
  }
}

// Not-a-number stands above infinity; of equal ones the lower index counts as larger.
TEST_F(PlainNumbers, TopFollowsTheTotalOrder) {
  const Model special = plain::read(workshop_.dir() / "special_a.safetensors");
  const Values x = plain::flat(special);
  std::vector<std::size_t> order(x.size());
  std::iota(order.begin(), order.end(), 0u);
  const auto above = [&](std::size_t i, std::size_t j) {
    if (std::isnan(x[i]) != std::isnan(x[j])) return std::isnan(x[i]);
    if (std::isnan(x[i]) || x[i] == x[j]) return std::signbit(x[i]) < std::signbit(x[j]);
    return x[i] > x[j];
  };
  std::stable_sort(order.begin(), order.end(), above);
  const auto not_numbers = static_cast<std::size_t>(
      std::count_if(x.begin(), x.end(), [](double v) { return std::isnan(v); }));
  ASSERT_GT(not_numbers, 10u);
  for (const std::size_t n : {std::size_t{0}, std::size_t{1}, not_numbers - 3, not_numbers,
                              not_numbers + 5, std::size_t{2000}, x.size() - 1, x.size()}) {
    SCOPED_TRACE(n);
    Values expected(x.size(), 0.0);
    for (std::size_t k = 0; k < n; ++k) expected[order[k]] = 1;
    const Model got =
        workshop_.merge("x = load(\"${dir}/special_a.safetensors\")",
                        "where(top(x, " + std::to_string(n) + ", over = model), 1, 0)");
    EXPECT_EQ(plain::flat(got), expected);
  }
}

}  // namespace
}  // namespace roux::testing
