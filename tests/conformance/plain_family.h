// What the tests of single methods share: models as runs of numbers, and results within a few
// places of f32.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "tests/conformance/family.h"
#include "tests/support/plain_methods.h"
#include "tests/support/recipes.h"

namespace roux::testing {

inline constexpr char kPlainFamily[] = R"(
base = load("${dir}/base.safetensors")
a = load("${dir}/a.safetensors", base = base)
b = load("${dir}/b.safetensors", base = base)
c = load("${dir}/c.safetensors", base = base)
far = load("${dir}/far.safetensors", base = base)
three = [a, b, c]
d = a - base
)";

class PlainMethods : public ::testing::Test {
 protected:
  using Values = plain::Values;
  using Run = std::pair<std::size_t, std::size_t>;

  PlainMethods() { write_family(workshop_.dir()); }

  Values merged(const std::string& expression) {
    return plain::flat(workshop_.merge(kPlainFamily, expression));
  }

  // `places` is how many of f32 the result may be off, counted at the largest number in play.
  void expect_close(const std::string& expression, const Values& expected, double places = 4) {
    SCOPED_TRACE(expression);
    const Values got = merged(expression);
    ASSERT_EQ(got.size(), expected.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
      double size = std::fabs(expected[i]);
      for (const Values* model : {&base_, &a_, &b_, &c_, &far_})
        size = std::max(size, std::fabs((*model)[i]));
      ASSERT_NEAR(got[i], expected[i], places * 0x1p-23 * size + 1e-44) << i;
    }
  }

  std::string refusal(const std::string& expression) {
    return workshop_
        .run(std::string(kPlainFamily) + "save(" + expression +
             ", \"${out}/merged.safetensors\")\n")
        .error;
  }

  // f of the vectors' elements in each run, put together.
  Values over(const std::vector<Run>& runs, const std::vector<Values>& vectors,
              const std::function<Values(const std::vector<Values>&)>& f) const {
    Values all(base_.size());
    for (const auto& [begin, end] : runs) {
      std::vector<Values> cut;
      for (const Values& v : vectors)
        cut.emplace_back(v.begin() + static_cast<std::ptrdiff_t>(begin),
                         v.begin() + static_cast<std::ptrdiff_t>(end));
      if (begin == end) continue;
      const Values part = f(cut);
      std::copy(part.begin(), part.end(), all.begin() + static_cast<std::ptrdiff_t>(begin));
    }
    return all;
  }

  static std::vector<Run> rows_of(const plain::Model& model) {
    std::vector<Run> rows;
    std::size_t at = 0;
    for (const auto& [name, tensor] : model) {
      if (!plain::is_floating(tensor.type)) continue;
      const std::size_t size = tensor.values.size();
      const std::size_t count =
          tensor.shape.size() < 2 || size == 0 ? 1 : static_cast<std::size_t>(tensor.shape[0]);
      for (std::size_t r = 0; r < count; ++r)
        rows.emplace_back(at + r * (size / count), at + (r + 1) * (size / count));
      at += size;
    }
    return rows;
  }

  static Values plus(const Values& x, double factor, const Values& y) {
    Values sum = x;
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += factor * y[i];
    return sum;
  }
  static Values times(double factor, const Values& x) { return plus(Values(x.size()), factor, x); }
  static double dot(const Values& x, const Values& y) {
    double sum = 0;
    for (std::size_t i = 0; i < x.size(); ++i) sum += x[i] * y[i];
    return sum;
  }
  static double length(const Values& x) { return std::sqrt(dot(x, x)); }
  std::vector<Values> changes() const {
    return {plus(a_, -1, base_), plus(b_, -1, base_), plus(c_, -1, base_)};
  }

  Workshop workshop_;
  const plain::Model model_ = family_base();
  const std::vector<Run> tensors_ = plain::scopes(model_, true), rows_ = rows_of(model_);
  const Values base_ = plain::flat(model_), a_ = plain::flat(family_member(0)),
               b_ = plain::flat(family_member(1)), c_ = plain::flat(family_member(2)),
               far_ = plain::flat(family_stranger());
};

}  // namespace roux::testing
