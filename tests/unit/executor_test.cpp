// Plans made by hand, run by the executor, against what the language says in plain loops. Every
// plan gives the same bits for any threads, tiles and backend.
#include "runtime/exec/executor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "tests/support/plans.h"

namespace roux {
namespace {

using testing::add_tensors;
using testing::expect_values;
using testing::Floats;
using testing::kTensors;
using testing::kToOutput;
using testing::kToSelection;
using testing::PlanMaker;
using testing::Ran;
using testing::run_everywhere;

// The sum of LANGUAGE.md, section 3, level by level.
template <class T>
double sum_by_definition(const std::vector<T>& values) {
  std::vector<double> level;
  for (std::size_t block = 0; block < values.size(); block += 4096) {
    double accumulators[16] = {};
    for (std::size_t i = block; i < std::min(values.size(), block + 4096); ++i)
      accumulators[i % 16] += static_cast<double>(values[i]);
    for (int width = 8; width > 0; width /= 2)
      for (int j = 0; j < width; ++j) accumulators[j] += accumulators[j + width];
    level.push_back(accumulators[0]);
  }
  while (level.size() > 1) {
    std::vector<double> next;
    for (std::size_t i = 0; i < level.size(); i += 2)
      next.push_back(i + 1 < level.size() ? level[i] + level[i + 1] : level[i]);
    level = next;
  }
  return level.empty() ? 0 : level[0];
}

// Keeps the `rank` largest magnitudes among all values, earlier ones first; the rest becomes 0.
template <class T>
std::vector<std::vector<T>> top_by_sorting(const std::vector<std::vector<T>>& tensors,
                                           std::size_t rank) {
  std::vector<std::pair<std::size_t, std::size_t>> order;
  for (std::size_t t = 0; t < tensors.size(); ++t)
    for (std::size_t i = 0; i < tensors[t].size(); ++i) order.push_back({t, i});
  std::stable_sort(order.begin(), order.end(), [&](const auto& x, const auto& y) {
    return std::abs(tensors[x.first][x.second]) > std::abs(tensors[y.first][y.second]);
  });
  std::vector<std::vector<T>> kept;
  for (const std::vector<T>& tensor : tensors) kept.emplace_back(tensor.size(), T(0));
  for (std::size_t i = 0; i < std::min(rank, order.size()); ++i)
    kept[order[i].first][order[i].second] = tensors[order[i].first][order[i].second];
  return kept;
}

constexpr const char* kMagnitude =
    "kernel f32\ninputs f32\nscalars 0\n%0 = input 0\n%1 = abs %0\nstore f32 %1\n";
// scalars: threshold, cut, zero
constexpr const char* kKeepTop =
    "kernel f32\ninputs f32\nscalars 3\n%0 = input 0\n%1 = abs %0\n%2 = top %1, $0, $1\n"
    "%3 = scalar 2\n%4 = where %2, %0, %3\nstore f32 %4\n";

TEST(Executor, adds_a_table_of_sources_and_reads_no_source_of_coefficient_zero) {
  PlanMaker maker(3);
  const auto values = add_tensors(maker);
  for (PlannedTensor& tensor : maker.plan.tensors) tensor.in_source[1] = kNone;
  const std::uint32_t kernel = maker.kernel(
      "kernel f32\ninputs f32\ntables f32\nscalars 1\n%0 = input 0\n%1 = linear [%0 * $0, table "
      "0]\n"
      "store f32 %1\n");
  const SlotId half = maker.constant(0.5), zero = maker.constant(0),
               third = maker.constant(-1.0 / 3);
  maker.launch(0, 0, {kernel, {0}, {{{0, half}, {1, zero}, {2, third}}}, {third}, {kToOutput}, {}});
  const Ran ran = run_everywhere(maker);
  for (std::size_t t = 0; t < values.size(); ++t) {
    Floats expected(kTensors[t].second);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const double x = values[t][0][i], z = values[t][2][i];
      expected[i] = static_cast<float>((x * (-1.0 / 3) + x * 0.5) + z * (-1.0 / 3));
    }
    expect_values(ran.outputs[t], expected, kTensors[t].first);
  }
  std::size_t elements = 0;
  for (const auto& [name, count] : kTensors) elements += count;
  EXPECT_EQ(ran.result.bytes_read,
            2 * 4 * elements);  // source 0 once, though two launches' worth of uses
  EXPECT_EQ(ran.result.bytes_written, 4 * elements);
}

TEST(Executor, knows_a_tensors_norm_in_its_next_phase) {
  PlanMaker maker(1);
  const auto values = add_tensors(maker);
  const std::uint32_t square =
      maker.kernel("kernel f32\ninputs f32\nscalars 0\n%0 = input 0\nreduce dot %0, %0\n");
  const std::uint32_t scale = maker.kernel(
      "kernel f32\ninputs f32\nscalars 1\n%0 = input 0\n%1 = linear [%0 * $0]\nstore f32 %1\n");
  const SlotId squares = maker.reduction(ReduceOp::dot, Level::tensor, 0, 1);
  const SlotId factor =
      maker.operation(Op::div, maker.constant(1), maker.operation(Op::sqrt, squares));
  maker.launch(0, 0, {square, {0}, {}, {}, {}, {squares}});
  maker.launch(0, 1, {scale, {0}, {}, {factor}, {kToOutput}, {}});
  const Ran ran = run_everywhere(maker);
  for (std::size_t t = 0; t < values.size(); ++t) {
    std::vector<double> squared(values[t][0].begin(), values[t][0].end());
    for (double& x : squared) x *= x;
    const double by = 1 / std::sqrt(sum_by_definition(squared));
    Floats expected = values[t][0];
    for (float& x : expected) x = static_cast<float>(x * by);
    expect_values(ran.outputs[t], expected, kTensors[t].first);
  }
}

TEST(Executor, knows_a_sum_over_the_model_in_its_next_stage) {
  PlanMaker maker(1);
  const auto values = add_tensors(maker);
  const std::uint32_t reduce = maker.kernel(
      "kernel f32\ninputs f32\nscalars 0\n%0 = input 0\nreduce sum %0\nreduce min %0\n");
  const std::uint32_t shift = maker.kernel(
      "kernel f32\ninputs f32\nscalars 2\n%0 = input 0\n%1 = linear [$0, %0 * $1]\nstore f32 %1\n");
  const SlotId one = maker.constant(1), thousandth = maker.constant(1e-3);
  const SlotId sum = maker.reduction(ReduceOp::sum, Level::recipe, 1, 0);
  const SlotId least = maker.reduction(ReduceOp::min, Level::recipe, 1, 0);
  const SlotId by = maker.operation(Op::mul, sum, thousandth);
  maker.launch(0, 0, {reduce, {0}, {}, {}, {}, {sum, least}});
  maker.launch(1, 0, {shift, {0}, {}, {by, one}, {kToOutput}, {}});
  maker.plan.numbers = {sum, by, least};
  const Ran ran = run_everywhere(maker);
  double total = 0;
  for (std::size_t t = 0; t < values.size(); ++t) total += sum_by_definition(values[t][0]);
  ASSERT_EQ(ran.numbers.size(), 3u);
  EXPECT_EQ(ran.numbers[0], total);
  EXPECT_EQ(ran.numbers[2], -2000.0 / 64);
  Floats expected = values[1][0];
  for (float& x : expected) x = static_cast<float>(ran.numbers[1] + x);
  expect_values(ran.outputs[1], expected, "big");
}

TEST(Executor, selects_within_each_tensor) {
  PlanMaker maker(1);
  const auto values = add_tensors(maker);
  const SlotId rank = maker.operation(
      Op::floor, maker.operation(Op::mul, maker.fact(TensorFact::numel), maker.constant(0.3)));
  const auto [threshold, cut] = maker.selection(Level::tensor, LaneType::f32, rank);
  maker.launch(0, 0, {maker.kernel(kMagnitude), {0}, {}, {}, {kToSelection}, {}});
  maker.launch(
      0, 1,
      {maker.kernel(kKeepTop), {0}, {}, {threshold, cut, maker.constant(0)}, {kToOutput}, {}});
  const Ran ran = run_everywhere(maker);
  for (std::size_t t = 0; t < values.size(); ++t) {
    const auto n =
        static_cast<std::size_t>(std::floor(0.3 * static_cast<double>(kTensors[t].second)));
    expect_values(ran.outputs[t], top_by_sorting<float>({values[t][0]}, n)[0], kTensors[t].first);
  }
}

TEST(Executor, selects_over_the_model) {
  for (double n : {0.0, 1.0, 300'000.0, 300'001.0, 1e9}) {
    PlanMaker maker(1);
    // Fewer than there are ties: then positions are counted in rounds of their own.
    if (n == 300'001) maker.plan.collect_limit = 10;
    const auto values = add_tensors(maker);
    const auto [threshold, cut] = maker.selection(Level::recipe, LaneType::f32, maker.constant(n));
    maker.launch(0, 0, {maker.kernel(kMagnitude), {0}, {}, {}, {kToSelection}, {}});
    maker.launch(
        1, 0,
        {maker.kernel(kKeepTop), {0}, {}, {threshold, cut, maker.constant(0)}, {kToOutput}, {}});
    const Ran ran = run_everywhere(maker);
    std::vector<Floats> tensors;
    for (const auto& sources : values) tensors.push_back(sources[0]);
    const std::vector<Floats> expected = top_by_sorting(tensors, static_cast<std::size_t>(n));
    for (std::size_t t = 0; t < values.size(); ++t)
      expect_values(ran.outputs[t], expected[t], kTensors[t].first);
  }
}

TEST(Executor, finds_a_threshold_over_many_values_in_one_sweep) {
  constexpr std::uint64_t kRows = 1100, kColumns = 4096;
  std::mt19937_64 random(5);
  std::normal_distribution<float> normal;
  PlanMaker maker(1);
  maker.plan.collect_limit = 1'000'000;
  Floats values(kRows * kColumns);
  for (float& x : values) x = normal(random);
  maker.add_tensor<float>("w", DType::f32, {values});
  const auto [threshold, cut] = maker.selection(Level::recipe, LaneType::f32, maker.constant(900'000));
  maker.launch(0, 0, {maker.kernel(kMagnitude), {0}, {}, {}, {kToSelection}, {}});
  maker.launch(1, 0,
               {maker.kernel(kKeepTop), {0}, {}, {threshold, cut, maker.constant(0)}, {kToOutput}, {}});
  KernelCache cache = testing::kernel_cache("llvm");
  const Result<Ran> ran = maker.run(cache, 2, 65536);
  ASSERT_TRUE(ran.ok());
  expect_values(ran->outputs[0], top_by_sorting<float>({values}, 900'000)[0], "w");
  const std::uint64_t bytes = values.size() * sizeof(float);
  EXPECT_GT(ran->result.bytes_read, 2 * bytes);
  EXPECT_LT(ran->result.bytes_read, 2 * bytes + bytes / 200) << "a sample, thresholds, output";
}

constexpr const char* kKeepTopWide =
    "kernel f64\ninputs f64\nscalars 3\n%0 = input 0\n%1 = abs %0\n%2 = top %1, $0, $1\n"
    "%3 = scalar 2\n%4 = where %2, %0, %3\nstore f64 %4\n";

TEST(Executor, selects_over_tensors_of_both_lane_types) {
  const float above_one = std::nextafterf(1, 2);
  // Thresholds between 1 and the next f32: the nearest f32 is below the first, and above the
  // second. What stands before them in canonical order and what stands behind must not be taken for
  // a tie.
  for (double middle : {1 + 0x1p-25, 1 + 0x1p-24 + 0x1p-26}) {
    PlanMaker maker(1);
    maker.class_count = 2;
    const Floats narrow = {1, above_one, 0.5f, 2};
    maker.add_tensor<float>("a", DType::f32, {narrow}, 0);
    maker.add_tensor<double>("m", DType::f64, {{0.25, middle}}, 1);
    maker.add_tensor<float>("z", DType::f32, {narrow}, 0);
    const auto [threshold, cut] = maker.selection(Level::recipe, LaneType::f64, maker.constant(5));
    const SlotId zero = maker.constant(0);
    maker.launch(0, 0,
                 {maker.kernel("kernel f32\ninputs f32\nscalars 0\n%0 = input 0\n%1 = abs %0\n"
                               "store f64 %1\n"),
                  {0},
                  {},
                  {},
                  {kToSelection},
                  {}},
                 0);
    maker.launch(0, 0,
                 {maker.kernel("kernel f64\ninputs f64\nscalars 0\n%0 = input 0\n%1 = abs %0\n"
                               "store f64 %1\n"),
                  {0},
                  {},
                  {},
                  {kToSelection},
                  {}},
                 1);
    maker.launch(1, 0, {maker.kernel(kKeepTop), {0}, {}, {threshold, cut, zero}, {kToOutput}, {}},
                 0);
    maker.launch(1, 0,
                 {maker.kernel(kKeepTopWide), {0}, {}, {threshold, cut, zero}, {kToOutput}, {}}, 1);
    maker.plan.numbers = {threshold};
    const Ran ran = run_everywhere(maker);
    EXPECT_EQ(ran.numbers[0], middle);
    for (int t : {0, 2})
      expect_values(ran.outputs[t], Floats{0, above_one, 0, 2}, kTensors[t].first);
    expect_values(ran.outputs[1], std::vector<double>{0, middle}, "m");
  }
}

TEST(Executor, draws_random_fields_by_tensor_and_element) {
  PlanMaker maker(1);
  maker.add_tensor<float>("x", DType::f32, {Floats(20'000, 1.0f)});
  maker.add_tensor<float>("y", DType::f32, {Floats(20'000, 1.0f)});
  const SlotId seed = maker.constant(42);
  const SlotId low = maker.key(Slot::Kind::key_low, seed),
               high = maker.key(Slot::Kind::key_high, seed);
  maker.launch(0, 0,
               {maker.kernel("kernel f32\ninputs f32\nscalars 5\n%0 = input 0\n"
                             "%1 = bernoulli $0, $1, $2, $3\n%2 = scalar 4\n"
                             "%3 = where %1, %0, %2\nstore f32 %3\n"),
                {0},
                {},
                {low, high, maker.constant(0), maker.constant(0.25), maker.constant(0)},
                {kToOutput},
                {}});
  const Ran ran = run_everywhere(maker);
  for (int t : {0, 1}) {
    const Floats kept = testing::values_of_bytes<float>(ran.outputs[t]);
    EXPECT_NEAR(std::accumulate(kept.begin(), kept.end(), 0.0), 5000,
                300);  // five standard deviations
  }
  EXPECT_NE(ran.outputs[0], ran.outputs[1]);
}

}  // namespace
}  // namespace roux
