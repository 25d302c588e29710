// Means along the sphere against the same iterations on the vectors themselves.
#include "tests/conformance/plain_family.h"

namespace roux::testing {
namespace {

using plain::Model;
using plain::Tensor;
using plain::Type;

class PlainGeometry : public PlainMethods {
 protected:
  using Vectors = std::vector<Values>;

  static Values unit(const Values& x) {
    const double size = length(x);
    return size == 0 ? x : times(1 / size, x);
  }

  static Values arc(const Values& x, const Values& y, double t) {
    const double angle = std::acos(std::clamp(dot(unit(x), unit(y)), -1.0, 1.0));
    if (length(x) == 0 || length(y) == 0 || std::sin(angle) < 1e-6)
      return plus(times(1 - t, x), t, y);
    return plus(times(std::sin((1 - t) * angle) / std::sin(angle), x),
                std::sin(t * angle) / std::sin(angle), y);
  }

  // f of the columns of each tensor, put together.
  Values over_columns(const Vectors& vectors,
                      const std::function<Values(const Vectors&)>& f) const {
    Values all(base_.size());
    std::size_t at = 0;
    for (const auto& [name, tensor] : model_) {
      if (!plain::is_floating(tensor.type)) continue;
      const std::size_t size = tensor.values.size();
      if (size == 0) continue;
      const std::size_t height =
          tensor.shape.size() < 2 ? 1 : static_cast<std::size_t>(tensor.shape[0]);
      const std::size_t width = size / height;
      for (std::size_t column = 0; column < width; ++column) {
        Vectors cut(vectors.size(), Values(height));
        for (std::size_t row = 0; row < height; ++row)
          for (std::size_t m = 0; m < cut.size(); ++m)
            cut[m][row] = vectors[m][at + row * width + column];
        const Values part = f(cut);
        for (std::size_t row = 0; row < height; ++row) all[at + row * width + column] = part[row];
      }
      at += size;
    }
    return all;
  }

  static double mean_length(const Vectors& xs, const Values& weights) {
    double sum = 0;
    for (std::size_t m = 0; m < xs.size(); ++m) sum += weights[m] * length(xs[m]);
    return sum;
  }

  static Values karcher(const Vectors& xs, const Values& weights, int steps) {
    Values u(xs[0].size());
    for (std::size_t m = 0; m < xs.size(); ++m) u = plus(u, weights[m], unit(xs[m]));
    u = unit(u);
    for (int step = 0; step < steps; ++step) {
      Values tangent(u.size());
      for (std::size_t m = 0; m < xs.size(); ++m) {
        const double cosine = std::clamp(dot(u, unit(xs[m])), -1.0, 1.0);
        const double angle = std::acos(cosine);
        if (length(xs[m]) == 0 || std::sin(angle) < 1e-6) continue;
        tangent =
            plus(tangent, weights[m] * angle / std::sin(angle), plus(unit(xs[m]), -cosine, u));
      }
      const double far = length(tangent);
      if (far < 1e-5) break;
      u = unit(plus(times(std::cos(far), u), std::sin(far) / far, tangent));
    }
    return times(mean_length(xs, weights), u);
  }
};

TEST_F(PlainGeometry, Nuslerp) {
  const auto f = [](const Vectors& xs) { return arc(xs[0], xs[1], 0.3); };
  expect_close("nuslerp(a, far, t = 0.3)", over(tensors_, {a_, far_}, f));
  expect_close("nuslerp(a, far, t = 0.3, over = row)", over(rows_, {a_, far_}, f));
  expect_close("nuslerp(a, far, t = 0.3, over = column)", over_columns({a_, far_}, f));
  const Vectors d = changes();
  expect_close("nuslerp(a, b, t = 0.3, base = base)",
               plus(base_, 1, over(tensors_, {d[0], d[1]}, f)));
}

TEST_F(PlainGeometry, Multislerp) {
  const auto f = [](const Vectors& xs) {
    const Values w = {0.6, 0.2, 0.2};
    Values middle(xs[0].size());
    for (std::size_t m = 0; m < 3; ++m) middle = plus(middle, w[m], unit(xs[m]));
    return times(mean_length(xs, w), unit(middle));
  };
  expect_close("multislerp([a, b, far], weights = [3, 1, 1])", over(tensors_, {a_, b_, far_}, f));
  expect_close("multislerp(three, weights = [3, 1, 1], base = base, over = row)",
               plus(base_, 1, over(rows_, changes(), f)), 16);
}

TEST_F(PlainGeometry, Karcher) {
  const auto f = [](const Vectors& xs) { return karcher(xs, {0.6, 0.2, 0.2}, 10); };
  expect_close("karcher([a, b, far], weights = [3, 1, 1])", over(tensors_, {a_, b_, far_}, f));
  expect_close("karcher(three, weights = [3, 1, 1], base = base)",
               plus(base_, 1, over(tensors_, changes(), f)));
}

TEST_F(PlainGeometry, ModelStock) {
  const auto f = [](const Vectors& d) {
    double c = 0;
    for (std::size_t i = 0; i < 3; ++i)
      for (std::size_t j = 0; j < i; ++j) c += dot(unit(d[i]), unit(d[j])) / 3;
    return times(3 * c / (1 + 2 * c) / 3, plus(plus(d[0], 1, d[1]), 1, d[2]));
  };
  expect_close("model_stock(three)", plus(base_, 1, over(tensors_, changes(), f)), 16);
  expect_close("model_stock(three, over = row)", plus(base_, 1, over(rows_, changes(), f)), 16);
}

// All iterations are arithmetic on the dot products: one sweep finds these, one combines.
TEST_F(PlainGeometry, NeedsTheGramMatrixAndOneCombination) {
  const std::pair<std::string, std::string> kRows[] = {
      {"slerp(a, b, ", "3 reductions"},
      {"nuslerp(a, b, ", "3 reductions"},
      {"multislerp(three, ", "6 reductions"},
      {"karcher(three, steps = 1, ", "6 reductions"},
      {"karcher(three, steps = 40, ", "6 reductions"},
      {"model_stock(three, ", "6 reductions"},
      {"geometric_median(three, steps = 1, ", "6 reductions"},
      {"geometric_median(three, steps = 40, ", "6 reductions"},
  };
  Engine engine = std::move(*Engine::create(test_options()));
  for (const auto& [call, reductions] : kRows)
    for (const auto& [over, sweeps] : {std::pair{"tensor)", 1u}, {"row)", 1u}, {"model)", 2u}}) {
      SCOPED_TRACE(call + over);
      const Result<Recipe> recipe = engine.compile(
          "test.merge", std::string("param dir: string\n") + kPlainFamily + "save(" + call +
                            "over = " + over + ", \"${dir}/out.safetensors\")\n");
      ASSERT_TRUE(recipe) << engine.render(recipe.error());
      const Result<BoundRecipe> bound =
          engine.bind(*recipe, {.settings = {{"dir", workshop_.dir().string()}}});
      ASSERT_TRUE(bound) << engine.render(bound.error());
      ASSERT_EQ(bound->plan().saves.size(), 1u);
      EXPECT_EQ(bound->plan().saves[0].sweeps, sweeps);
      EXPECT_NE(bound->plan().text.find(reductions), std::string::npos) << bound->plan().text;
    }
}

TEST_F(PlainGeometry, ArceeFusion) {
  Values expected = base_;
  const Values d = changes()[0];
  Values score(d.size());
  for (const auto& [begin, end] : rows_) {
    double high_x = -1e9, high_y = -1e9, sum_x = 0, sum_y = 0, moved = 0;
    for (std::size_t i = begin; i < end; ++i) {
      high_x = std::max(high_x, a_[i]);
      high_y = std::max(high_y, base_[i]);
    }
    for (std::size_t i = begin; i < end; ++i) {
      sum_x += std::exp(a_[i] - high_x);
      sum_y += std::exp(base_[i] - high_y);
    }
    for (std::size_t i = begin; i < end; ++i) {
      const double p = std::exp(a_[i] - high_x) / sum_x + 1e-8;
      moved += p * std::log(p / (std::exp(base_[i] - high_y) / sum_y + 1e-8));
    }
    for (std::size_t i = begin; i < end; ++i) score[i] = std::fabs(d[i]) * moved;
  }
  // What lies near the threshold depends on rounding: few elements may be decided otherwise.
  const Values got = merged("arcee_fusion(a)");
  std::size_t taken = 0, otherwise = 0;
  for (const auto& [begin, end] : tensors_) {
    if (end - begin < 1000) continue;
    Values sorted(score.begin() + static_cast<std::ptrdiff_t>(begin),
                  score.begin() + static_cast<std::ptrdiff_t>(end));
    std::sort(sorted.begin(), sorted.end());
    const auto at = [&](double q) {
      return sorted[static_cast<std::size_t>(q * static_cast<double>(sorted.size() - 1))];
    };
    const double threshold = at(0.5) + 1.5 * (at(0.75) - at(0.25));
    for (std::size_t i = begin; i < end; ++i) {
      taken += score[i] >= threshold;
      otherwise += std::fabs(got[i] - (score[i] >= threshold ? a_[i] : base_[i])) >
                   1e-6 * std::fabs(a_[i]) + 1e-9;
    }
  }
  EXPECT_GT(taken, 100u);
  EXPECT_LT(otherwise, taken / 100 + 1);
}

// Vectors of 0, opposite ones, and single numbers.
class AwkwardVectors : public ::testing::Test {
 protected:
  using Values = plain::Values;

  AwkwardVectors() {
    workshop_.put("base", made({0, 0}, {0, 0}, 0));
    workshop_.put("a", made({3, 4}, {0, 0}, 2));
    workshop_.put("b", made({-3, -4}, {1, 2}, -2));
  }

  static Model made(Values x, Values y, double z) {
    return {{"x", Tensor{Type::f32, {2}, std::move(x)}},
            {"y", Tensor{Type::f32, {2, 1}, std::move(y)}},
            {"z", Tensor{Type::f32, {}, {z}}},
            {"none", Tensor{Type::f32, {0}, {}}}};
  }

  Workshop workshop_;
};

TEST_F(AwkwardVectors, GiveNumbers) {
  const std::string lines =
      "base = load(\"${dir}/base.safetensors\")\na = load(\"${dir}/a.safetensors\", base = base)\n"
      "b = load(\"${dir}/b.safetensors\", base = base)\n";
  for (const char* call : {"nuslerp(a, b)",
                           "nuslerp(a, b, over = row)",
                           "nuslerp(a, b, over = column)",
                           "multislerp([a, b])",
                           "multislerp([base, base])",
                           "karcher([a, b])",
                           "karcher([base, base])",
                           "model_stock([a, b])",
                           "model_stock([base, base], base)",
                           "model_stock([a, b], over = row)",
                           "geometric_median([a, b])",
                           "geometric_median([a, a])",
                           "geometric_median([base, base])",
                           "arcee_fusion(a)",
                           "nearswap(a, a, t = 0)",
                           "magmax([a, b])",
                           "emr([a, b])",
                           "emr([a, b], task = 0)",
                           "ram([a, b])",
                           "ramplus([a, b])",
                           "sce([a, b])",
                           "sce([a, b], k = 0)",
                           "sce([a, a], k = 0.5)",
                           "consensus([a, b])",
                           "della([a, b])",
                           "della_linear([a, b], p = 1)",
                           "breadcrumbs([a, b])",
                           "breadcrumbs_ties([a, b])",
                           "dare_ties([a, b])",
                           "dare_linear([a, b], rescale = linf)"}) {
    SCOPED_TRACE(call);
    for (const auto& [name, tensor] : workshop_.merge(lines, call)) {
      EXPECT_EQ(tensor.shape, made({}, {}, 0).at(name).shape);
      for (const double x : tensor.values)
        EXPECT_TRUE(std::isfinite(x) && std::fabs(x) <= 40) << name;
    }
  }
  EXPECT_EQ(workshop_.merge(lines, "nuslerp(a, b, t = 0.25)").at("x").values, (Values{1.5, 2}));
  EXPECT_EQ(workshop_.merge(lines, "multislerp([a, b])").at("x").values, (Values{0, 0}));
  EXPECT_EQ(workshop_.merge(lines, "model_stock([a, b])").at("x").values, (Values{0, 0}));
}

}  // namespace
}  // namespace roux::testing
