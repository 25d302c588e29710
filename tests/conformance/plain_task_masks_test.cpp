// Methods that mask one merged change for each task or for all, against plain loops in f64.
#include "tests/conformance/plain_family.h"

namespace roux::testing {
namespace {

using plain::sign;

class PlainTaskMasks : public PlainMethods {
 protected:
  PlainTaskMasks() {  // as the language rounds them: what is compared and counted depends on it
    for (Values& d : d_)
      for (double& x : d) x = plain::f32(x);
  }

  // base + f(the changes of one element).
  Values each(const std::function<double(const Values&)>& f) const {
    Values result = base_;
    for (std::size_t i = 0; i < result.size(); ++i) result[i] += f({d_[0][i], d_[1][i], d_[2][i]});
    return result;
  }
  void expect_mostly(const std::string& expression, const Values& expected) {
    SCOPED_TRACE(expression);
    const Values got = merged(expression);
    std::size_t otherwise = 0, changed = 0;
    for (std::size_t i = 0; i < got.size(); ++i) {
      otherwise += std::fabs(got[i] - expected[i]) > 1e-7;
      changed += std::fabs(base_[i] - expected[i]) > 1e-7;
    }
    EXPECT_LT(otherwise, got.size() / 1000);
    EXPECT_GT(changed, got.size() / 10);
  }

  static double elected(const Values& x) { return sign(plain::f32(x[0] + x[1] + x[2])); }

  std::vector<Values> d_ = changes();
};

double unified_of(const plain::Values& x, double elected) {
  double most = 0;
  for (const double d : x)
    if (sign(d) == elected) most = std::max(most, std::fabs(d));
  return most * elected;
}

TEST_F(PlainTaskMasks, Emr) {
  expect_close("emr(three)", each([](const Values& x) { return unified_of(x, elected(x)); }), 1);
  for (const bool per_tensor : {false, true}) {
    const auto f = [](const std::vector<Values>& d) {
      double own = 0, masked = 0;
      Values task(d[0].size());
      for (std::size_t i = 0; i < task.size(); ++i) {
        const Values x = {d[0][i], d[1][i], d[2][i]};
        const double u = unified_of(x, elected(x));
        task[i] = sign(u) == sign(x[1]) ? u : 0;
        own += std::fabs(x[1]);
        masked += std::fabs(task[i]);
      }
      return masked == 0 ? task : times(own / masked, task);
    };
    expect_close(per_tensor ? "emr(three, task = 1, over = tensor)" : "emr(three, task = 1)",
                 plus(base_, 1, over(plain::scopes(model_, per_tensor), d_, f)));
  }
}

// Whether a change outweighs 0.4 of what the others add.
bool matters(const plain::Values& x, double d) {
  return std::fabs(d) >= 0.4 * std::fabs(x[0] + x[1] + x[2] - d);
}

// Elements at the edge of a mask may be decided otherwise.
TEST_F(PlainTaskMasks, TallMasks) {
  const Values expected =
      each([](const Values& x) { return matters(x, x[1]) ? x[0] + x[1] + x[2] : 0; });
  expect_mostly("base + where(tall_masks(three)[1], sum([m - base for m in three]), 0)", expected);
}

TEST_F(PlainTaskMasks, Consensus) {
  const auto masks = [](const Values& x) {
    return std::count_if(x.begin(), x.end(), [&](double d) { return matters(x, d); });
  };
  for (const int agree : {1, 2, 3}) {
    const Values expected =
        each([&](const Values& x) { return masks(x) >= agree ? 0.3 * (x[0] + x[1] + x[2]) : 0; });
    expect_mostly("consensus(three, agree = " + std::to_string(agree) + ", scale = 0.3)", expected);
  }
}

}  // namespace
}  // namespace roux::testing
