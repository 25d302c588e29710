// Means in which tensors have a say, against plain loops in f64.
#include "tests/conformance/plain_family.h"

namespace roux::testing {
namespace {

using PlainAverages = PlainMethods;

TEST_F(PlainAverages, FisherOfEqualInformationIsTheMean) {
  Values mean(a_.size());
  for (std::size_t i = 0; i < mean.size(); ++i) mean[i] = (a_[i] + b_[i] + far_[i]) / 3;
  expect_close("fisher([a, b, far], [a * 0 + 2, a * 0 + 2, a * 0 + 2])", mean);
  expect_close("mean([a, b, far], weights = [a * 0 + 2, a * 0 + 2, a * 0 + 2])", mean);
}

TEST_F(PlainAverages, MeanWeightedByTensors) {
  Values expected(a_.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double of_a = std::fabs(a_[i] - base_[i]) + 0.5, of_b = std::fabs(b_[i] - c_[i]) + 0.25;
    expected[i] = (of_a * a_[i] + of_b * b_[i]) / (of_a + of_b);
  }
  expect_close("mean([a, b], weights = [abs(a - base) + 0.5, abs(b - c) + 0.25])", expected);
}

TEST_F(PlainAverages, WeightsThatSumToZeroAreAnError) {
  for (const char* call :
       {"mean([a, b], weights = [1, -1])", "mean(three, weights = [0.1, 0.2, -0.3])",
        "karcher([a, b], weights = [1, -1])", "multislerp([a, b], weights = [1, -1])",
        "geometric_median([a, b], weights = 0)", "dare([a, b], weights = [2, -2])",
        "dare_linear([a, b], weights = [2, -2], normalize = true)"})
    EXPECT_NE(refusal(call).find("the weights sum to 0"), std::string::npos) << call;
}

TEST_F(PlainAverages, GeometricMedian) {
  const Values w = {0.5, 0.25, 0.25};
  const auto f = [&](const std::vector<Values>& xs) {
    double least = 0;
    for (const Values& x : xs) least = std::max(least, 1e-6 * length(plus(x, -1, xs[0])));
    Values cs = w, middle;
    for (int step = 0; step <= 32; ++step) {
      middle = Values(xs[0].size());
      for (std::size_t m = 0; m < 3; ++m) middle = plus(middle, cs[m], xs[m]);
      double total = 0;
      for (std::size_t m = 0; m < 3; ++m) {
        cs[m] = w[m] / std::max(length(plus(xs[m], -1, middle)), least);
        total += cs[m];
      }
      for (double& c : cs) c /= total;
    }
    return middle;
  };
  expect_close("geometric_median([a, b, far], weights = [2, 1, 1])",
               over(tensors_, {a_, b_, far_}, f));
  expect_close("geometric_median([b, c, far], weights = [2, 1, 1], over = row)",
               over(rows_, {b_, c_, far_}, f));
}

}  // namespace
}  // namespace roux::testing
