// Merge methods in plain loops over doubles, sorting where a selection is wanted. Roundings to f32
// stand where the language has them: one after each maximal linear combination, one after each
// other operation.
#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "tests/support/plain.h"

namespace roux::testing::plain {

using Values = std::vector<double>;

// Σ cᵢ·xᵢ in f64, rounded once; equal coefficients multiply the sum of the values.
inline Model linear(const std::vector<Model>& models, const std::vector<double>& coefficients) {
  std::vector<Values> flats;
  for (const Model& model : models) flats.push_back(flat(model));
  bool equal = models.size() > 1;
  for (double coefficient : coefficients) equal = equal && coefficient == coefficients[0];
  Values sum(flats[0].size(), -0.0);  // adding to -0 keeps the sign of a lone zero
  for (std::size_t m = 0; m < models.size(); ++m)
    for (std::size_t i = 0; i < sum.size(); ++i)
      if (coefficients[m] != 0) sum[i] += (equal ? 1 : coefficients[m]) * flats[m][i];
  if (equal)
    for (double& value : sum) value *= coefficients[0];
  return unflat(models[0], sum);
}

// The runs of elements that a statistic is taken over: the whole model, or each tensor.
inline std::vector<std::pair<std::size_t, std::size_t>> scopes(const Model& model,
                                                               bool per_tensor) {
  std::vector<std::pair<std::size_t, std::size_t>> runs;
  std::size_t at = 0;
  for (const auto& [name, tensor] : model) {
    if (!is_floating(tensor.type)) continue;
    if (per_tensor) runs.emplace_back(at, at + tensor.values.size());
    at += tensor.values.size();
  }
  if (!per_tensor) runs.emplace_back(0, at);
  return runs;
}

inline Values delta(const Model& model, const Model& base) {
  Values a = flat(model), b = flat(base);
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = f32(a[i] - b[i]);
  return a;
}

// Keeps the ⌊keep·d⌋ of largest magnitude of each run; of equal ones the earlier.
inline Values trimmed(const Values& d, double keep,
                      const std::vector<std::pair<std::size_t, std::size_t>>& runs) {
  Values kept(d.size(), 0.0);
  for (const auto& [begin, end] : runs) {
    std::vector<std::size_t> order(end - begin);
    std::iota(order.begin(), order.end(), begin);
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return std::fabs(d[a]) > std::fabs(d[b]);
    });
    order.resize(static_cast<std::size_t>(std::floor(keep * static_cast<double>(end - begin))));
    for (const std::size_t i : order) kept[i] = d[i];
  }
  return kept;
}

// As the TIES authors' code trims: all that is no smaller than the (⌊keep·d⌋ + 1)-th.
inline Values trimmed_with_ties(const Values& d, double keep) {
  Values magnitudes;
  for (const double x : d) magnitudes.push_back(std::fabs(x));
  std::sort(magnitudes.begin(), magnitudes.end());
  const auto k = static_cast<std::size_t>(std::floor(keep * static_cast<double>(d.size())));
  const double threshold = magnitudes[magnitudes.size() - std::min(k + 1, d.size())];
  Values kept = d;
  for (double& x : kept)
    if (std::fabs(x) < threshold) x = 0;
  return kept;
}

inline double sign(double x) { return x > 0 ? 1 : x < 0 ? -1 : 0; }

enum class ZeroVote { none, positive, majority };
enum class Divide { agreeing, weights, no };

struct Ties {
  std::vector<double> k;        // one per model; empty: 0.2
  std::vector<double> weights;  // one per model; empty: 1
  bool count = false, weighted = false, per_tensor = false, keep_ties = false;
  ZeroVote zero_vote = ZeroVote::none;
  Divide divide = Divide::agreeing;
  double scale = 1;
};

inline Model ties(const std::vector<Model>& models, const Model& base, const Ties& how) {
  const std::size_t n = models.size();
  const auto runs = scopes(base, how.per_tensor);
  const Values origin = flat(base);
  std::vector<Values> kept;
  for (std::size_t m = 0; m < n; ++m) {
    const double k = how.k.empty() ? 0.2 : how.k[m];
    const Values d = delta(models[m], base);
    kept.push_back(how.keep_ties ? trimmed_with_ties(d, k) : trimmed(d, k, runs));
  }
  const auto weight = [&](std::size_t m) { return how.weights.empty() ? 1.0 : how.weights[m]; };
  const auto vote = [&](std::size_t m, std::size_t i) {
    return how.weighted ? weight(m) * kept[m][i] : kept[m][i];
  };

  Values elected(origin.size());
  for (std::size_t i = 0; i < elected.size(); ++i) {
    double mass = 0;
    for (std::size_t m = 0; m < n; ++m) mass += how.count ? sign(f32(vote(m, i))) : vote(m, i);
    elected[i] = sign(f32(mass));
  }
  if (how.zero_vote != ZeroVote::none)
    for (const auto& [begin, end] : runs) {
      double majority = 0;
      for (std::size_t i = begin; i < end; ++i) majority += elected[i];
      const double winner = how.zero_vote == ZeroVote::positive || majority > 0 ? 1 : -1;
      for (std::size_t i = begin; i < end; ++i)
        if (elected[i] == 0) elected[i] = winner;
    }

  Values merged(origin.size());
  for (std::size_t i = 0; i < merged.size(); ++i) {
    double total = 0, divisor = 0;
    for (std::size_t m = 0; m < n; ++m) {
      const double v = f32(vote(m, i));
      if (v == 0 || sign(v) != elected[i]) continue;
      total += how.scale * f32(weight(m) * kept[m][i]);
      divisor += how.divide == Divide::agreeing ? 1 : f32(weight(m));
    }
    divisor = f32(divisor);
    if (divisor == 0) divisor = 1;
    merged[i] = origin[i] + (how.divide == Divide::no ? total : f32(f32(total) / divisor));
  }
  return unflat(base, merged);
}

}  // namespace roux::testing::plain
