// TIES and trimming against plain loops and std::sort, to the bit: what is selected does not depend
// on rounding, and the plain code rounds to f32 where the language does.
#include <gtest/gtest.h>

#include <vector>

#include "tests/conformance/family.h"
#include "tests/support/plain_methods.h"
#include "tests/support/recipes.h"

namespace roux::testing {
namespace {

using plain::Divide;
using plain::Model;
using plain::Ties;
using plain::Values;
using plain::ZeroVote;

constexpr char kFamily[] = R"(
base = load("${dir}/base.safetensors")
models = load_all("${dir}/[a-g].safetensors", base = base)
a = models[0]
three = models[0..3]
four = three ++ [base]
)";

class PlainTies : public ::testing::Test {
 protected:
  PlainTies() { write_family(workshop_.dir()); }

  std::vector<Model> models(int n) const {
    std::vector<Model> some;
    for (int i = 0; i < n; ++i) some.push_back(family_member(i));
    return some;
  }

  void expect_ties(const std::string& expression, const std::vector<Model>& from, const Ties& how) {
    SCOPED_TRACE(expression);
    EXPECT_EQ(
        plain::difference(plain::ties(from, base_, how), workshop_.merge(kFamily, expression)), "");
  }

  void expect_delta(const std::string& expression, const Values& expected) {
    SCOPED_TRACE(expression);
    Model got = workshop_.merge(kFamily, expression);
    EXPECT_EQ(plain::difference(plain::unflat(base_, expected), got), "");
  }

  Workshop workshop_;
  const Model base_ = family_base();
};

// The family has to hold what makes trimming hard, or these tests would prove little.
TEST_F(PlainTies, TheCutFallsAmongEqualMagnitudes) {
  const Values d = plain::delta(family_member(0), base_);
  EXPECT_GT(std::count(d.begin(), d.end(), 1.0 / 256), 100);
  for (const auto& [begin, end] : plain::scopes(base_, true)) {
    if (end - begin != 4095) continue;  // layers.1.attn.weight, on a grid
    const Values run(d.begin() + static_cast<std::ptrdiff_t>(begin),
                     d.begin() + static_cast<std::ptrdiff_t>(end));
    const Values exact = plain::trimmed(run, 0.2, {{0, run.size()}});
    const Values with_ties = plain::trimmed_with_ties(run, 0.2);
    EXPECT_GT(std::count(exact.begin(), exact.end(), 0),
              std::count(with_ties.begin(), with_ties.end(), 0) + 50);
  }
}

TEST_F(PlainTies, Defaults) {
  for (const int n : {1, 2, 3, 7})
    expect_ties("ties(models[0.." + std::to_string(n) + "])", models(n), {});
}

TEST_F(PlainTies, Amounts) {
  expect_ties("ties(three, k = 0)", models(3), {.k = {0, 0, 0}});
  expect_ties("ties(three, k = 1)", models(3), {.k = {1, 1, 1}});
  expect_ties("ties(three, k = [0.1, 0.5, 0.9], scale = 1.5)", models(3),
              {.k = {0.1, 0.5, 0.9}, .scale = 1.5});
  expect_ties("ties(three, over = tensor)", models(3), {.per_tensor = true});
}

TEST_F(PlainTies, Votes) {
  std::vector<Model> four = models(3);
  four.push_back(base_);
  const std::vector<double> k(4, 0.4), weights = {0.6, -0.3, 0.5, 1};
  const std::string call = "ties(four, base, k = 0.4, ";
  expect_ties(call + "elect = count)", four, {.k = k, .count = true});
  expect_ties(call + "weights = [0.6, -0.3, 0.5, 1])", four, {.k = k, .weights = weights});
  expect_ties(call + "weights = [0.6, -0.3, 0.5, 1], vote = weighted)", four,
              {.k = k, .weights = weights, .weighted = true});
  expect_ties(call + "elect = count, zero_vote = positive)", four,
              {.k = k, .count = true, .zero_vote = ZeroVote::positive});
  expect_ties(call + "elect = count, zero_vote = majority)", four,
              {.k = k, .count = true, .zero_vote = ZeroVote::majority});
  expect_ties(call + "elect = count, zero_vote = majority, over = tensor)", four,
              {.k = k, .count = true, .per_tensor = true, .zero_vote = ZeroVote::majority});
}

TEST_F(PlainTies, Normalisation) {
  const std::vector<double> weights = {0.6, 0.3, 0.5};
  expect_ties("ties(three, weights = [0.6, 0.3, 0.5])", models(3), {.weights = weights});
  expect_ties("ties(three, weights = [0.6, 0.3, 0.5], normalize = weights)", models(3),
              {.weights = weights, .divide = Divide::weights});
  expect_ties("ties(three, weights = [0.6, 0.3, 0.5], normalize = no)", models(3),
              {.weights = weights, .divide = Divide::no});
}

TEST_F(PlainTies, Compatibility) {
  const std::vector<double> weights = {0.6, 0.3, 0.5};
  expect_ties("ties(three, compat = \"reference\")", models(3),
              {.keep_ties = true, .zero_vote = ZeroVote::majority});
  expect_ties("ties(three, weights = [0.6, 0.3, 0.5], k = [0.2, 0.5, 0.8], compat = \"mergekit\")",
              models(3),
              {.k = {0.2, 0.5, 0.8},
               .weights = weights,
               .weighted = true,
               .per_tensor = true,
               .zero_vote = ZeroVote::positive,
               .divide = Divide::weights});
}

TEST_F(PlainTies, Trim) {
  const Values d = plain::delta(family_member(0), base_);
  const auto whole = plain::scopes(base_, false), each = plain::scopes(base_, true);
  for (const double keep : {0.0, 0.001, 0.2, 0.5, 0.999, 1.0}) {
    const std::string amount = std::to_string(keep);
    expect_delta("trim(a - base, " + amount + ")", plain::trimmed(d, keep, whole));
    expect_delta("trim(a - base, " + amount + ", over = tensor)", plain::trimmed(d, keep, each));
  }
}

}  // namespace
}  // namespace roux::testing
