// Sparsifiers and what is made of them, against sorted runs and Philox in plain loops.
#include "tests/conformance/plain_family.h"
#include "tests/support/plain_random.h"

namespace roux::testing {
namespace {

class PlainSparsifiers : public PlainMethods {
 protected:
  static Values outliers_cut(const Values& d, double keep, double cut,
                             const std::vector<Run>& runs) {
    Values result(d.size());
    for (const auto& [begin, end] : runs) {
      const auto n = static_cast<double>(end - begin);
      const double kept = std::floor(keep * n), gone = std::min(std::floor(cut * n), n - kept);
      const auto amount = [&](double k) { return n == 0 ? 0 : (k + 0.5) / n; };
      const Values large = plain::trimmed(d, amount(kept + gone), {{begin, end}});
      const Values outliers = plain::trimmed(d, amount(gone), {{begin, end}});
      for (std::size_t i = begin; i < end; ++i) result[i] = outliers[i] != 0 ? 0 : large[i];
    }
    return result;
  }
  const Values d_ = plain::delta(family_member(0), model_);
};

TEST_F(PlainSparsifiers, TrimOutliers) {
  for (const auto& [keep, cut] :
       {std::pair{0.6, 0.1}, {0.95, 0.1}, {0.2, 0.0}, {0.5, 0.5}, {1, 0.1}}) {
    const std::string amounts = std::to_string(keep) + ", " + std::to_string(cut);
    expect_close("trim_outliers(d, " + amounts + ")", outliers_cut(d_, keep, cut, tensors_), 0);
    expect_close("trim_outliers(d, " + amounts + ", over = row)",
                 outliers_cut(d_, keep, cut, rows_), 0);
  }
  expect_close("breadcrumbs([a], k = 0.6, outliers = 0.1, weights = 0.5)",
               plus(base_, 0.5, outliers_cut(d_, 0.6, 0.1, tensors_)), 1);
}

// Where ⌊outliers·n⌋ is 0 no outlier is cut, and nothing else either.
TEST_F(PlainSparsifiers, NoOutliersMeansATrim) {
  const Values trimmed = plain::trimmed(d_, 0.5, tensors_);
  expect_close("trim_outliers(d, 0.5, 0)", trimmed, 0);
  const Values got = merged("breadcrumbs([a], k = 0.9)");
  for (const auto& [begin, end] : tensors_)
    if (end - begin == 17)
      EXPECT_NE(Values(got.begin() + static_cast<std::ptrdiff_t>(begin),
                       got.begin() + static_cast<std::ptrdiff_t>(end)),
                Values(base_.begin() + static_cast<std::ptrdiff_t>(begin),
                       base_.begin() + static_cast<std::ptrdiff_t>(end)));
}

TEST_F(PlainSparsifiers, RescalingRestoresWhatItSays) {
  const std::string calls[] = {
      "trim(d, 0.3, over = tensor, rescale = ", "trim_outliers(d, 0.3, 0.1, rescale = ",
      "drop(d, 0.4, stream = 3, rescale = ", "drop_by_rank(d, 0.4, stream = 3, rescale = "};
  for (const std::string& call : calls)
    for (const auto& [rule, extent] :
         {std::pair<std::string, double (*)(const Values&)>{"l1",
                                                            [](const Values& x) {
                                                              double s = 0;
                                                              for (double v : x) s += std::fabs(v);
                                                              return s;
                                                            }},
          {"l2", [](const Values& x) { return length(x); }},
          {"linf", [](const Values& x) {
             double s = 0;
             for (double v : x) s = std::max(s, std::fabs(v));
             return s;
           }}}) {
      SCOPED_TRACE(call + rule);
      const Values got = merged(call + rule + ")");
      for (const auto& [begin, end] : tensors_) {
        if (end - begin < 100) continue;
        const auto cut = [&](const Values& x) {
          return Values(x.begin() + static_cast<std::ptrdiff_t>(begin),
                        x.begin() + static_cast<std::ptrdiff_t>(end));
        };
        EXPECT_NEAR(extent(cut(got)), extent(cut(d_)), 1e-6 * extent(cut(d_)));
      }
    }
}

TEST_F(PlainSparsifiers, TrimDividedByWhatIsKept) {
  expect_close("trim(d, 0.25, rescale = inverse)",
               times(4, plain::trimmed(d_, 0.25, plain::scopes(model_, false))), 0);
}

TEST_F(PlainSparsifiers, DropByRankTakesTheMaskOfItsSeedAndStream) {
  const Values got = merged("drop_by_rank(d, 0.4, spread = 0.2, seed = 41, stream = 6)");
  Values expected(d_.size());
  std::size_t at = 0;
  for (const auto& [name, tensor] : model_) {
    if (!plain::is_floating(tensor.type)) continue;
    const std::size_t from = at;
    at += tensor.values.size();
    for (const auto& [begin, end] : rows_) {
      if (begin < from || end > at) continue;
      std::vector<std::size_t> order(end - begin);
      std::iota(order.begin(), order.end(), begin);
      std::stable_sort(order.begin(), order.end(), [&](std::size_t x, std::size_t y) {
        return std::fabs(d_[x]) < std::fabs(d_[y]);
      });
      for (std::size_t rank = 0; rank < order.size(); ++rank) {
        const std::size_t i = order[rank];
        const double place =
            order.size() == 1
                ? 0
                : 2.0 * static_cast<double>(rank) / static_cast<double>(order.size() - 1) - 1;
        const double stays = 0.6 + 0.2 * place;
        const double drawn = (plain::random_bits(name, 41, 6, i - from) >> 8) * 0x1p-24;
        if (std::fabs(drawn - stays) < 1e-6)
          expected[i] = got[i];  // the lane's rounding decides
        else
          expected[i] = drawn < stays ? d_[i] / stays : 0;
      }
    }
  }
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i)
    ASSERT_NEAR(got[i], expected[i], 1e-6 * std::fabs(expected[i]) + 1e-44) << i;
}

TEST_F(PlainSparsifiers, DropByRankAtTheEnds) {
  expect_close("drop_by_rank(d, 0, stream = 0)", d_, 1);
  expect_close("drop_by_rank(d, 1, stream = 0)", Values(d_.size()), 0);
  expect_close("drop_by_rank(d, 0.02, spread = 1, stream = 0, over = model) * 0 + d", d_, 1);
}

// What the methods are made of, written out.
TEST_F(PlainSparsifiers, CompositionsAreWhatTheySay) {
  const std::pair<const char*, const char*> kRows[] = {
      {"dare_linear(three, p = 0.3, weights = [1, 2, 3], seed = 5)",
       "base + sum([(i + 1) * drop(m - base, 0.3, seed = 5, stream = i) for (i, m) in "
       "enumerate(three)])"},
      {"dare_linear(three, p = 0.3, weights = [1, 2, 3], normalize = true)",
       "dare(three, p = 0.3, weights = [1, 2, 3])"},
      {"della_linear(three, p = [0.1, 0.2, 0.3])",
       "base + sum([drop_by_rank(m - base, (i + 1) / 10, stream = i) for (i, m) in "
       "enumerate(three)])"},
      {"breadcrumbs(three, normalize = true, k = 0.8)",
       "base + sum([trim_outliers(m - base, 0.8) for m in three]) / 3"},
      {"dare_ties(three, p = 0.3, weights = [1, 2, 3], seed = 5)",
       "base + agreed([drop(m - base, 0.3, seed = 5, stream = i) for (i, m) in enumerate(three)], "
       "[1, 2, 3], mass, unweighted, \"none\", agreeing, tensor, 1)"},
      {"della(three, weights = [1, 2, 3], seed = 5, scale = 0.5)",
       "base + agreed([drop_by_rank(m - base, 0.3, seed = 5, stream = i) for (i, m) in "
       "enumerate(three)], [1, 2, 3], mass, unweighted, \"none\", agreeing, tensor, 0.5)"},
      {"breadcrumbs_ties(three, k = 0.8, outliers = 0.1, elect = count)",
       "base + agreed([trim_outliers(m - base, 0.8, 0.1) for m in three], [1, 1, 1], count, "
       "unweighted, \"none\", agreeing, tensor, 1)"},
      {"dare_ties(three, p = 0)", "ties(three, k = 1)"},
      {"della(three, p = 0)", "ties(three, k = 1)"},
      {"breadcrumbs_ties(three, k = 0.3, outliers = 0)", "ties(three, k = 0.3, over = tensor)"},
      {"breadcrumbs_ties(three, k = 0.3, outliers = 0, vote = weighted, zero_vote = positive, "
       "weights = [0.5, 0.3, 0.2], normalize = weights)",
       "ties(three, k = 0.3, weights = [0.5, 0.3, 0.2], compat = \"mergekit\")"}};
  for (const auto& [call, written] : kRows) expect_close(call, merged(written));
}

}  // namespace
}  // namespace roux::testing
