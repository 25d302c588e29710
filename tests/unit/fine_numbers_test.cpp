// Numbers of rows, columns and elements: plans made by hand, run by the executor, against plain loops.
// Every plan gives the same bits for any threads, tiles and backend.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "tests/support/plans.h"

namespace roux {
namespace {

using testing::expect_values;
using testing::Floats;
using testing::kToOperand;
using testing::kToOrdering;
using testing::kToOutput;
using testing::kToSelection;
using testing::PlanMaker;
using testing::Ran;
using testing::run_everywhere;

struct Shaped {
  const char* name;
  std::vector<std::int64_t> shape;
  std::size_t rows, columns;
};

// Rows shorter than a vector, longer than a block and than a tile; columns longer than a block; filters,
// one axis, none, no elements. The last is large enough to have its tiles dealt out.
const Shaped kShaped[] = {
    {"a", {7, 3}, 7, 3},       {"b", {9001, 5}, 9001, 5},   {"c", {3, 9001}, 3, 9001}, {"d", {4, 3, 5, 17}, 4, 255},
    {"e", {4099}, 1, 4099},    {"f", {}, 1, 1},             {"g", {0, 4}, 0, 4},       {"h", {4, 0}, 4, 0},
    {"i", {2, 70001}, 2, 70001}, {"k", {5, 1}, 5, 1},        {"l", {1100, 1000}, 1100, 1000}};

struct Matrix {
  std::size_t rows, columns;
  Floats values;
  float at(std::size_t row, std::size_t column) const { return values[row * columns + column]; }
  Floats row(std::size_t r) const {
    return {values.begin() + static_cast<long>(r * columns), values.begin() + static_cast<long>((r + 1) * columns)};
  }
  Floats column(std::size_t c) const {
    Floats column;
    for (std::size_t r = 0; r < rows; ++r) column.push_back(at(r, c));
    return column;
  }
};

enum class Sizes { small, all };

std::vector<Matrix> add_shaped(PlanMaker& maker, Sizes sizes) {
  std::mt19937_64 random(11);
  std::vector<Matrix> all;
  for (const Shaped& shaped : kShaped) {
    if (sizes == Sizes::small && shaped.rows * shaped.columns > 1'000'000) continue;
    all.push_back({shaped.rows, shaped.columns, testing::random_floats(random, shaped.rows * shaped.columns)});
    maker.add_tensor<float>(shaped.name, DType::f32, {all.back().values});
    maker.plan.tensors.back().shape = shaped.shape;
  }
  return all;
}

// LANGUAGE.md, section 3, over one run.
double sum_of(const std::vector<double>& run) {
  std::vector<double> level;
  for (std::size_t block = 0; block < run.size(); block += 4096) {
    double accumulators[16] = {};
    for (std::size_t i = 0; i < std::min<std::size_t>(4096, run.size() - block); ++i)
      accumulators[i % 16] += run[block + i];
    for (int width = 8; width > 0; width /= 2)
      for (int j = 0; j < width; ++j) accumulators[j] += accumulators[j + width];
    level.push_back(accumulators[0]);
  }
  for (; level.size() > 1; level.resize((level.size() + 1) / 2))
    for (std::size_t i = 0; i < level.size(); i += 2)
      level[i / 2] = i + 1 < level.size() ? level[i] + level[i + 1] : level[i];
  return level.empty() ? 0 : level[0];
}

double dot_of(const Floats& x) {
  std::vector<double> products;
  for (float v : x) products.push_back(static_cast<double>(v) * v);
  return sum_of(products);
}

// Indices from the largest down, lower ones first among equals.
std::vector<std::size_t> descending(const Floats& x) {
  std::vector<std::size_t> order(x.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) { return x[i] > x[j]; });
  return order;
}

const std::string kInput = "kernel f32\ninputs f32\nstarts anywhere\n%0 = input 0\n";

Launch row_norms(PlanMaker& maker, SlotId slot) {
  return {.kernel = maker.kernel(kInput + "reduce dot %0, %0\n"), .inputs = {0}, .tables = {}, .scalars = {},
          .stores = {}, .reductions = {slot}, .shape = LaunchShape::rows};
}

Launch column_norms(PlanMaker& maker, SlotId slot) {
  return {.kernel = maker.kernel(kInput + "store f32 %0\n"), .inputs = {0}, .tables = {}, .scalars = {},
          .stores = {kToOperand}, .reductions = {}, .shape = LaunchShape::columns,
          .column_reductions = {{0, 0, slot}}};
}

TEST(FineNumbers, reach_kernels_as_scalars_and_spread) {
  // Row by row, and flat: the same.
  for (const LaunchShape shape : {LaunchShape::rows, LaunchShape::flat}) {
    PlanMaker maker(1);
    const std::vector<Matrix> matrices = add_shaped(maker, shape == LaunchShape::rows ? Sizes::all : Sizes::small);
    const SlotId row = maker.reduction(ReduceOp::dot, Level::row, 0, 1);
    const SlotId column = maker.reduction(ReduceOp::dot, Level::column, 0, 1);
    const SlotId root = maker.operation(Op::sqrt, row);
    maker.launch(0, 0, row_norms(maker, row));
    maker.launch(0, 0, column_norms(maker, column));
    const bool flat = shape == LaunchShape::flat;
    const std::string text = flat ? "kernel f32\ninputs f32\nspreads 2\n%0 = input 0\n%1 = linear [@0, %0 * @1]\n"
                                  : "kernel f32\ninputs f32\nscalars 1\nspreads 1\nstarts anywhere\n%0 = input 0\n"
                                    "%1 = linear [@0, %0 * $0]\n";
    maker.launch(0, 1, {.kernel = maker.kernel(text + "store f32 %1\n"), .inputs = {0}, .tables = {},
                        .scalars = flat ? std::vector<SlotId>{} : std::vector<SlotId>{root}, .stores = {kToOutput},
                        .reductions = {}, .shape = shape,
                        .spreads = flat ? std::vector<SlotId>{column, root} : std::vector<SlotId>{column}});
    const Ran ran = run_everywhere(maker);
    for (std::size_t t = 0; t < matrices.size(); ++t) {
      const Matrix& m = matrices[t];
      std::vector<double> columns, roots;
      for (std::size_t c = 0; c < m.columns; ++c) columns.push_back(dot_of(m.column(c)));
      for (std::size_t r = 0; r < m.rows; ++r) roots.push_back(std::sqrt(dot_of(m.row(r))));
      Floats expected = m.values;
      for (std::size_t i = 0; i < expected.size(); ++i) {
        const double by = roots[i / m.columns];
        const double start = columns[i % m.columns];
        expected[i] = static_cast<float>(by != 0 ? start + by * expected[i] : start);
      }
      expect_values(ran.outputs[t], expected, kShaped[t].name);
    }
  }
}

TEST(FineNumbers, select_within_rows_and_columns) {
  for (const Level scope : {Level::row, Level::column}) {
    PlanMaker maker(1);
    const std::vector<Matrix> matrices = add_shaped(maker, scope == Level::row ? Sizes::all : Sizes::small);
    const SlotId rank = maker.constant(2), zero = maker.constant(0);
    const auto [threshold, cut] = maker.selection(scope, LaneType::f32, rank);
    const bool rows = scope == Level::row;
    maker.launch(0, 0, {.kernel = maker.kernel(kInput + "store f32 %0\n"), .inputs = {0}, .tables = {}, .scalars = {},
                        .stores = {kToSelection}, .reductions = {},
                        .shape = rows ? LaunchShape::rows : LaunchShape::columns});
    const std::string text =
        rows ? "kernel f32\ninputs f32\nscalars 3\nstarts anywhere\n%0 = input 0\n%1 = top %0, $1, $2\n"
             : "kernel f32\ninputs f32\nscalars 1\nspreads 2\n%0 = input 0\n%1 = top %0, @0, @1\n";
    maker.launch(0, 1, {.kernel = maker.kernel(text + "%2 = scalar 0\n%3 = where %1, %0, %2\nstore f32 %3\n"),
                        .inputs = {0}, .tables = {},
                        .scalars = rows ? std::vector<SlotId>{zero, threshold, cut} : std::vector<SlotId>{zero},
                        .stores = {kToOutput}, .reductions = {},
                        .shape = rows ? LaunchShape::rows : LaunchShape::flat,
                        .spreads = rows ? std::vector<SlotId>{} : std::vector<SlotId>{threshold, cut}});
    const Ran ran = run_everywhere(maker);
    for (std::size_t t = 0; t < matrices.size(); ++t) {
      const Matrix& m = matrices[t];
      Floats expected(m.values.size(), 0.0f);
      for (std::size_t p = 0; p < (rows ? m.rows : m.columns); ++p) {
        const std::vector<std::size_t> order = descending(rows ? m.row(p) : m.column(p));
        for (std::size_t k = 0; k < std::min<std::size_t>(2, order.size()); ++k) {
          const std::size_t at = rows ? p * m.columns + order[k] : order[k] * m.columns + p;
          expected[at] = m.values[at];
        }
      }
      expect_values(ran.outputs[t], expected, kShaped[t].name);
    }
  }
}

TEST(FineNumbers, tell_where_elements_stand) {
  for (const Level scope : {Level::row, Level::column, Level::tensor, Level::recipe}) {
    PlanMaker maker(1);
    const std::vector<Matrix> matrices = add_shaped(maker, scope == Level::tensor ? Sizes::all : Sizes::small);
    const SlotId ordinal = maker.ordinal(scope, LaneType::f32);
    maker.launch(0, 0, {.kernel = maker.kernel("kernel f32\ninputs f32\n%0 = input 0\nstore f32 %0\n"), .inputs = {0},
                        .tables = {}, .scalars = {}, .stores = {kToOrdering}, .reductions = {}});
    maker.launch(scope == Level::recipe ? 1 : 0, scope == Level::recipe ? 0 : 1,
                 {.kernel = maker.kernel("kernel f32\nspreads 1\n%0 = spread 0\nstore f32 %0\n"), .inputs = {},
                  .tables = {}, .scalars = {}, .stores = {kToOutput}, .reductions = {}, .shape = LaunchShape::flat,
                  .spreads = {ordinal}});
    const Ran ran = run_everywhere(maker);
    // Ascending, the lower index first.
    const auto places = [](const Floats& x) {
      std::vector<std::size_t> order(x.size()), place(x.size());
      std::iota(order.begin(), order.end(), std::size_t{0});
      std::stable_sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) { return x[i] < x[j]; });
      for (std::size_t k = 0; k < order.size(); ++k) place[order[k]] = k;
      return place;
    };
    Floats whole;
    for (const Matrix& m : matrices) whole.insert(whole.end(), m.values.begin(), m.values.end());
    const std::vector<std::size_t> in_model = places(whole);
    std::size_t start = 0;
    for (std::size_t t = 0; t < matrices.size(); ++t) {
      const Matrix& m = matrices[t];
      Floats expected(m.values.size());
      if (scope == Level::recipe)
        for (std::size_t i = 0; i < expected.size(); ++i) expected[i] = static_cast<float>(in_model[start + i]);
      if (scope == Level::tensor) {
        const auto place = places(m.values);
        for (std::size_t i = 0; i < expected.size(); ++i) expected[i] = static_cast<float>(place[i]);
      }
      for (std::size_t p = 0; scope == Level::row && p < m.rows; ++p) {
        const auto place = places(m.row(p));
        for (std::size_t c = 0; c < m.columns; ++c) expected[p * m.columns + c] = static_cast<float>(place[c]);
      }
      for (std::size_t p = 0; scope == Level::column && p < m.columns; ++p) {
        const auto place = places(m.column(p));
        for (std::size_t r = 0; r < m.rows; ++r) expected[r * m.columns + p] = static_cast<float>(place[r]);
      }
      start += expected.size();
      expect_values(ran.outputs[t], expected, kShaped[t].name);
    }
  }
}

TEST(FineNumbers, a_selection_over_the_model_takes_tensors_up_again) {
  // The hundred largest of all elements divided by their rows' norms: the norms are gone when the values are
  // looked at for the second time, and once more when the output is written.
  PlanMaker maker(1);
  const std::vector<Matrix> matrices = add_shaped(maker, Sizes::small);
  const auto norm_in = [&](std::uint32_t stage) {
    const SlotId row = maker.reduction(ReduceOp::dot, Level::row, stage, 1);
    maker.launch(stage, 0, row_norms(maker, row));
    return maker.operation(Op::div, maker.constant(1), maker.operation(Op::sqrt, row));
  };
  const std::string scaled = "starts anywhere\n%0 = input 0\n%1 = linear [%0 * $0]\n";
  const SlotId first = norm_in(0);
  const SlotId rank = maker.constant(100), zero = maker.constant(0);
  maker.plan.collect_limit = 5000;
  const auto [threshold, cut] = maker.selection(Level::recipe, LaneType::f32, rank);
  maker.plan.selections[0].phase = 1;
  maker.launch(0, 1, {.kernel = maker.kernel("kernel f32\ninputs f32\nscalars 1\n" + scaled + "store f32 %1\n"),
                      .inputs = {0}, .tables = {}, .scalars = {first}, .stores = {kToSelection}, .reductions = {},
                      .shape = LaunchShape::rows});
  const SlotId second = norm_in(1);
  maker.launch(1, 1, {.kernel = maker.kernel("kernel f32\ninputs f32\nscalars 4\n" + scaled +
                                             "%2 = top %1, $1, $2\n%3 = scalar 3\n%4 = where %2, %0, %3\nstore f32 %4\n"),
                      .inputs = {0}, .tables = {}, .scalars = {second, threshold, cut, zero}, .stores = {kToOutput},
                      .reductions = {}, .shape = LaunchShape::rows});
  const Ran ran = run_everywhere(maker);
  Floats values, all;
  for (const Matrix& m : matrices) {
    all.insert(all.end(), m.values.begin(), m.values.end());
    for (std::size_t r = 0; r < m.rows && m.columns > 0; ++r) {
      const double by = 1 / std::sqrt(dot_of(m.row(r)));
      for (float x : m.row(r)) values.push_back(static_cast<float>(by * x));
    }
  }
  Floats kept(values.size(), 0.0f);
  const std::vector<std::size_t> order = descending(values);
  for (std::size_t k = 0; k < 100; ++k) kept[order[k]] = all[order[k]];
  std::size_t start = 0;
  for (std::size_t t = 0; t < matrices.size(); ++t) {
    const auto begin = kept.begin() + static_cast<long>(start);
    start += matrices[t].values.size();
    expect_values(ran.outputs[t], Floats(begin, kept.begin() + static_cast<long>(start)), kShaped[t].name);
  }
}

TEST(FineNumbers, say_what_memory_they_need) {
  PlanMaker maker(1);
  add_shaped(maker, Sizes::small);
  const std::uint64_t before = memory_need(maker.plan).bytes;
  maker.plan.stages.resize(1);
  maker.ordinal(Level::recipe, LaneType::f32);
  std::uint64_t elements = 0;
  for (const PlannedTensor& tensor : maker.plan.tensors) elements += tensor.element_count;
  // Sixteen bytes for a value to be sorted, eight for its place.
  EXPECT_GE(memory_need(maker.plan).bytes, before + 24 * elements);
  EXPECT_LE(memory_need(maker.plan).bytes, before + 25 * elements);
}

}  // namespace
}  // namespace roux
