// Numbers of rows and columns, and places of elements, against plain arithmetic in f64: sums by the letter of
// the language's definition, order statistics by sorting. All exactly.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <vector>

#include "tests/conformance/family.h"
#include "tests/support/plain_methods.h"
#include "tests/support/recipes.h"

namespace roux::testing {
namespace {

using plain::Model;
using plain::Tensor;
using plain::Values;
using Places = std::vector<std::size_t>;

// The runs of a tensor's rows or columns: which elements, in order.
std::vector<Places> runs_of(const Tensor& tensor, const std::string& scope) {
  const std::size_t rows = tensor.shape.size() > 1 ? static_cast<std::size_t>(tensor.shape[0]) : 1;
  const std::size_t columns = rows == 0 ? 0 : tensor.values.size() / rows;
  std::vector<Places> runs;
  if (scope == "tensor") {
    runs.emplace_back(tensor.values.size());
    std::iota(runs[0].begin(), runs[0].end(), std::size_t{0});
  }
  for (std::size_t r = 0; scope == "row" && r < rows; ++r) {
    runs.emplace_back();
    for (std::size_t c = 0; c < columns; ++c) runs.back().push_back(r * columns + c);
  }
  for (std::size_t c = 0; scope == "column" && c < columns; ++c) {
    runs.emplace_back();
    for (std::size_t r = 0; r < rows; ++r) runs.back().push_back(r * columns + c);
  }
  return runs;
}

// Blocks of 4096; in each, 16 accumulators in turn, folded 8+8, 4+4, 2+2, 1+1; a tree over the blocks.
double sum(const Values& run) {
  Values blocks;
  for (std::size_t begin = 0; begin < run.size(); begin += 4096) {
    double part[16] = {};
    const std::size_t end = std::min(run.size(), begin + 4096);
    for (std::size_t i = begin; i < end; ++i) part[(i - begin) % 16] += run[i];
    for (int half = 8; half >= 1; half /= 2)
      for (int j = 0; j < half; ++j) part[j] = part[j] + part[j + half];
    blocks.push_back(part[0]);
  }
  const std::function<double(std::size_t, std::size_t)> tree = [&](std::size_t first, std::size_t width) {
    if (width == 1) return blocks[first];
    const double left = tree(first, width / 2);
    return first + width / 2 < blocks.size() ? left + tree(first + width / 2, width / 2) : left;
  };
  std::size_t width = 1;
  while (width < blocks.size()) width *= 2;
  return blocks.empty() ? 0 : tree(0, width);
}

double dot(const Values& x) {
  Values squares;
  for (double v : x) squares.push_back(v * v);
  return sum(squares);
}

// IEEE totalOrder, not-a-number above infinity.
bool below(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return !std::isnan(a) && std::isnan(b);
  return a != b ? a < b : std::signbit(a) && !std::signbit(b);
}

Places ascending(const Values& x) {
  Places order(x.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) { return below(x[i], x[j]); });
  return order;
}

Values picked(const Values& values, const Places& run) {
  Values picked;
  for (const std::size_t i : run) picked.push_back(values[i]);
  return picked;
}

class PlainRows : public ::testing::Test {
 protected:
  PlainRows() { write_family(workshop_.dir()); }

  // `value` as saved in `type`, against what `of_run` makes of each run of each tensor of `model`.
  void expect(const std::string& name, const std::string& value, const std::string& scope, const Model& model,
              const std::function<Values(const Values&)>& of_run, const std::string& dtype = "f32") {
    SCOPED_TRACE(value + " over " + scope);
    const Model got = workshop_.merge("x = load(\"${dir}/" + name + ".safetensors\")\nscope = \"" + scope + "\"",
                                      "(" + value + ") as tensors", ", dtype = " + dtype);
    for (const auto& [tensor_name, tensor] : model) {
      if (!plain::is_floating(tensor.type)) continue;
      ASSERT_TRUE(got.contains(tensor_name));
      for (const Places& run : runs_of(tensor, scope)) {
        const Values expected = of_run(picked(tensor.values, run));
        const Tensor& stored = got.at(tensor_name);
        for (std::size_t i = 0; i < run.size(); ++i) {
          const double wanted = plain::round_to(stored.type, expected[i]), seen = stored.values[run[i]];
          ASSERT_EQ(plain::bits_of(stored.type, wanted), plain::bits_of(stored.type, seen))
              << tensor_name << "[" << run[i] << "] is " << seen << ", not " << wanted;
        }
      }
    }
  }

  Workshop workshop_;
  const Model a_ = family_member(0);
};

Values same(const Values& run, double value) { return Values(run.size(), value); }

TEST_F(PlainRows, SumsAreThoseOfTheDefinition) {
  const Model wide = plain::read(workshop_.dir() / "wide_a.safetensors");
  for (const char* scope : {"row", "column", "tensor"}) {
    const auto sums = [](const Values& run) { return same(run, sum(run)); };
    const auto norms = [](const Values& run) { return same(run, std::sqrt(dot(run))); };
    expect("a", "where(x == x, sum(x, over = scope), 0)", scope, a_, sums);
    expect("wide_a", "where(x == x, sum(x, over = scope), 0)", scope, wide, sums, "f64");
    expect("a", "where(x == x, norm(x, over = scope), 0)", scope, a_, norms);
    expect("wide_a", "where(x == x, norm(x, over = scope), 0)", scope, wide, norms, "f64");
    expect("wide_a", "where(x == x, mean(x, over = scope), 0)", scope, wide,
           [](const Values& run) { return same(run, sum(run) / static_cast<double>(run.size())); }, "f64");
  }
}

TEST_F(PlainRows, CountsAndExtremes) {
  for (const char* scope : {"row", "column"}) {
    expect("a", "where(x == x, max(x, over = scope), 0)", scope, a_,
           [](const Values& run) { return same(run, *std::max_element(run.begin(), run.end(), below)); });
    expect("a", "where(x == x, min(x, over = scope), 0)", scope, a_,
           [](const Values& run) { return same(run, *std::min_element(run.begin(), run.end(), below)); });
    expect("a", "where(x == x, count(x > 0.01, over = scope) + size(x, over = scope) / 2, 0)", scope, a_,
           [](const Values& run) {
             const auto above = std::count_if(run.begin(), run.end(), [](double v) { return v > plain::f32(0.01); });
             return same(run, static_cast<double>(above) + static_cast<double>(run.size()) / 2);
           });
  }
}

TEST_F(PlainRows, OrderStatistics) {
  for (const char* scope : {"row", "column"}) {
    expect("a", "where(x == x, largest(x, floor(size(x, over = scope) / 3) + 1, over = scope), 0)", scope, a_,
           [](const Values& run) { return same(run, run[ascending(run)[run.size() - 1 - run.size() / 3]]); });
    expect("a", "where(x == x, median(x, over = scope), 0)", scope, a_, [](const Values& run) {
      const Places order = ascending(run);
      const double low = run[order[(run.size() - 1) / 2]], high = run[order[run.size() / 2]];
      return same(run, low + (run.size() % 2 ? 0 : 0.5) * (high - low));  // -0 + 0 is 0
    });
  }
}

// With many ties, not-a-numbers and both zeros: of equal ones the lower index counts as larger.
TEST_F(PlainRows, Masks) {
  const Model special = plain::read(workshop_.dir() / "special_a.safetensors");
  for (const char* scope : {"row", "column"}) {
    const auto masks = [](const Values& run) {
      Places order(run.size());
      std::iota(order.begin(), order.end(), std::size_t{0});
      std::stable_sort(order.begin(), order.end(),
                       [&](std::size_t i, std::size_t j) { return below(run[j], run[i]); });
      Values mask(run.size(), 0.0);
      for (std::size_t k = 0; k < (run.size() + 1) / 2; ++k) mask[order[k]] = 1;
      return mask;
    };
    const std::string mask = "where(top(x, floor((size(x, over = scope) + 1) / 2), over = scope), 1, 0)";
    expect("a", mask, scope, a_, masks);
    expect("special_a", mask, scope, special, masks);
  }
}

TEST_F(PlainRows, PlacesOfElements) {
  const Model special = plain::read(workshop_.dir() / "special_a.safetensors");
  const auto places = [](const Values& run) {
    const Places order = ascending(run);
    Values place(run.size());
    for (std::size_t k = 0; k < order.size(); ++k) place[order[k]] = static_cast<double>(k);
    return place;
  };
  for (const char* scope : {"row", "column", "tensor"}) {
    expect("a", "ordinal(x, over = scope)", scope, a_, places);
    expect("special_a", "ordinal(x, over = scope)", scope, special, places);
  }
  for (const char* name : {"a", "special_a"}) {
    const Model model = plain::read(workshop_.dir() / (std::string(name) + ".safetensors"));
    const Model got = workshop_.merge(std::string("x = load(\"${dir}/") + name + ".safetensors\")",
                                      "ordinal(x, over = model)", ", dtype = f32");
    EXPECT_EQ(plain::flat(got), places(plain::flat(model)));
  }
}

// The recipe's amounts follow from the rows: each keeps the share that its own norm says.
TEST_F(PlainRows, TrimsEachRowByItsOwnNumbers) {
  expect("a", "where(top(abs(x), floor(size(x, over = scope) * min(norm(x, over = scope), 1)), over = scope), x, 0)",
         "row", a_, [](const Values& run) {
           Values sizes;
           for (double v : run) sizes.push_back(std::fabs(v));
           const double share = std::min(std::sqrt(dot(run)), 1.0);
           const auto kept = static_cast<std::size_t>(std::floor(static_cast<double>(run.size()) * share));
           Places order(run.size());
           std::iota(order.begin(), order.end(), std::size_t{0});
           std::stable_sort(order.begin(), order.end(),
                            [&](std::size_t i, std::size_t j) { return sizes[i] > sizes[j]; });
           Values trimmed(run.size(), 0.0);
           for (std::size_t k = 0; k < kept; ++k) trimmed[order[k]] = run[order[k]];
           return trimmed;
         });
}

}  // namespace
}  // namespace roux::testing
