// The n-th largest by radix against a plain sort of (value, position) pairs.
#include "runtime/library/selection.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <thread>
#include <vector>

namespace roux {
namespace {

template <class Float>
constexpr LaneType kLane = sizeof(Float) == 4 ? LaneType::f32 : LaneType::f64;

// IEEE totalOrder with every NaN on top, written the slow and obvious way.
template <class Float>
bool is_above(Float a, Float b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && !std::isnan(b);
  if (a == 0 && b == 0) return !std::signbit(a) && std::signbit(b);
  return a > b;
}

struct Answer {
  double threshold;
  std::int64_t cut;
};

template <class Float>
Answer by_sorting(const std::vector<Float>& values, std::uint64_t rank) {
  if (rank == 0) return {std::numeric_limits<double>::quiet_NaN(), -1};
  std::vector<std::int64_t> order(values.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int64_t>(i);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::int64_t a, std::int64_t b) { return is_above(values[a], values[b]); });
  const Float found = values[order[rank - 1]];
  const double canonical_nan = std::numeric_limits<double>::quiet_NaN();
  return {std::isnan(found) ? canonical_nan : static_cast<double>(found), order[rank - 1]};
}

// Offers all values in every round, in scattered pieces, from `threads` threads.
template <class Float>
int run_to_end(SelectionRun& run, const std::vector<Float>& values, int threads) {
  int rounds = 0;
  constexpr std::uint64_t kPiece = 1000;
  while (!run.done()) {
    const auto work = [&](int thread) {
      const std::uint64_t pieces = (values.size() + kPiece - 1) / kPiece;
      for (std::uint64_t i = thread; i < pieces; i += threads) {
        const std::uint64_t first =
            (pieces - 1 - i) * kPiece;  // back to front: order must not matter
        run.observe(thread, first, values.data() + first,
                    std::min<std::uint64_t>(kPiece, values.size() - first));
      }
    };
    std::vector<std::thread> others;
    for (int thread = 1; thread < threads; ++thread) others.emplace_back(work, thread);
    work(0);
    for (std::thread& other : others) other.join();
    run.advance();
    ++rounds;
  }
  return rounds;
}

template <class Float>
void expect_exact(const std::vector<Float>& values, std::uint64_t rank, int threads,
                  std::uint64_t collect_limit) {
  SelectionRun run(kLane<Float>, rank, values.size(), threads, collect_limit);
  run_to_end(run, values, threads);
  const Answer expected = by_sorting(values, rank);
  SCOPED_TRACE(testing::Message() << "n=" << values.size() << " rank=" << rank
                                  << " threads=" << threads << " limit=" << collect_limit);
  ASSERT_EQ(std::bit_cast<std::uint64_t>(run.threshold()),
            std::bit_cast<std::uint64_t>(expected.threshold));
  const std::int64_t last = static_cast<std::int64_t>(values.size()) - 1;
  const bool all_ties_kept =
      rank > 0 && (rank == values.size() ||
                   is_above(static_cast<Float>(expected.threshold),
                            static_cast<Float>(by_sorting(values, rank + 1).threshold)));
  if (all_ties_kept) {
    ASSERT_GE(std::min(run.cut(), last),
              expected.cut);  // any position from the last tie on will do
  } else {
    ASSERT_EQ(run.cut(), expected.cut);
  }
}

template <class Float>
void expect_exact_everywhere(const std::vector<Float>& values) {
  const std::uint64_t n = values.size();
  for (std::uint64_t rank : {std::uint64_t{0}, std::uint64_t{1}, n / 3, n / 2, n - 1, n})
    for (int threads : {1, 3})
      for (std::uint64_t limit : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{50}, n})
        expect_exact(values, rank, threads, limit);
}

template <class Float>
class Selection : public testing::Test {};
using Lanes = testing::Types<float, double>;
TYPED_TEST_SUITE(Selection, Lanes);

TYPED_TEST(Selection, finds_rank_among_random_values) {
  std::mt19937_64 random(1);
  std::normal_distribution<double> normal;
  std::vector<TypeParam> values(10'007);
  for (auto& v : values) v = static_cast<TypeParam>(normal(random));
  expect_exact_everywhere(values);
}

TYPED_TEST(Selection, finds_rank_among_random_bit_patterns) {
  std::mt19937_64 random(2);
  std::vector<TypeParam> values(5'003);
  for (auto& v : values) {
    const std::uint64_t bits = random();
    std::memcpy(&v, &bits, sizeof v);
  }
  expect_exact_everywhere(values);
}

TYPED_TEST(Selection, lower_position_wins_among_ties) {
  std::mt19937_64 random(3);
  std::vector<TypeParam> values(7'001);
  for (auto& v : values) v = static_cast<TypeParam>(static_cast<int>(random() % 3) - 1);
  expect_exact_everywhere(values);
}

TYPED_TEST(Selection, orders_zeros_infinities_and_nans) {
  using Limits = std::numeric_limits<TypeParam>;
  const TypeParam special[] = {TypeParam(0),         -TypeParam(0),         Limits::infinity(),
                               -Limits::infinity(),  Limits::quiet_NaN(),   -Limits::quiet_NaN(),
                               Limits::denorm_min(), -Limits::denorm_min(), Limits::max(),
                               Limits::lowest()};
  std::mt19937_64 random(4);
  std::vector<TypeParam> values(997);
  for (auto& v : values) v = special[random() % std::size(special)];
  expect_exact_everywhere(values);
  for (std::uint64_t rank = 0; rank <= values.size(); rank += 83) expect_exact(values, rank, 2, 10);
}

TYPED_TEST(Selection, all_equal) {
  expect_exact_everywhere(std::vector<TypeParam>(70'000, TypeParam(0)));
  expect_exact_everywhere(std::vector<TypeParam>(1, TypeParam(2)));
}

TYPED_TEST(Selection, nothing_selected_needs_no_round) {
  SelectionRun run(kLane<TypeParam>, 0, 100, 2, 10);
  EXPECT_TRUE(run.done());
  EXPECT_TRUE(std::isnan(run.threshold()));
  EXPECT_EQ(run.cut(), -1);
}

TEST(SelectionRounds, few_values_are_collected_at_once) {
  std::vector<float> values(1000);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
  SelectionRun run(LaneType::f32, 10, values.size(), 1, 1000);
  EXPECT_EQ(run_to_end(run, values, 1), 1);
  EXPECT_EQ(run.threshold(), 990.0f);
}

TEST(SelectionRounds, second_round_usually_collects) {
  std::mt19937_64 random(5);
  std::normal_distribution<float> normal;
  std::vector<float> values(200'000);
  for (auto& v : values) v = normal(random);
  SelectionRun run(LaneType::f32, 20'000, values.size(), 2, 10'000);
  EXPECT_EQ(run_to_end(run, values, 2), 2);
}

TEST(SelectionRounds, more_ties_than_fit_are_resolved_by_position) {
  const std::vector<float> values(10'000'000, 0.0f);
  SelectionRun run(LaneType::f32, 5'000'000, values.size(), 2, 1000);
  EXPECT_LE(run_to_end(run, values, 2), 4);
  EXPECT_EQ(std::bit_cast<std::uint64_t>(run.threshold()), 0u);
  EXPECT_EQ(run.cut(), 4'999'999);
}

TEST(SelectionRounds, positions_need_not_begin_at_zero_nor_be_contiguous) {
  const std::vector<float> ties(3000, 1.0f);
  SelectionRun run(LaneType::f32, 4000, 6000, 1, 16);
  const std::uint64_t far = std::uint64_t{1} << 41;
  while (!run.done()) {
    run.observe(0, far, ties.data(), ties.size());
    run.observe(0, 12'345, ties.data(), ties.size());
    run.advance();
  }
  EXPECT_EQ(run.threshold(), 1.0);
  EXPECT_EQ(run.cut(), static_cast<std::int64_t>(far) + 999);
}

// --- after a sample --------------------------------------------------------------------------------

constexpr std::size_t kMany = 4'300'000;  // enough for a sample
constexpr std::uint64_t kLimit = 1'000'000;

// Shows the values at `places`, then runs to the end: the number of sweeps, or -1 where there was no sample to show.
template <class Float>
int run_with_sample(SelectionRun& run, const std::vector<Float>& values, std::size_t begin, std::size_t end) {
  const std::uint64_t size = run.sample_size();
  if (size == 0) return -1;
  run.begin_sample();
  const std::size_t step = std::max<std::size_t>((end - begin) / size, 1);
  for (std::uint64_t i = 0; i < size; ++i) run.observe(0, begin + i * step, &values[begin + i * step], 1);
  run.advance();
  return run_to_end(run, values, 2);
}

struct Sweeps {
  std::uint64_t rank;
  int count;
};

template <class Float>
void expect_exact_after_sample(const std::vector<Float>& values, const std::vector<Sweeps>& expected,
                               std::size_t begin = 0, std::size_t end = kMany) {
  std::vector<std::uint32_t> order(values.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return values[a] != values[b] ? values[a] > values[b] : a < b;
  });
  for (const auto& [rank, sweeps] : expected) {
    SelectionRun run(kLane<Float>, rank, values.size(), 2, kLimit);
    EXPECT_EQ(run_with_sample(run, values, begin, end), sweeps) << rank;
    const std::uint32_t answer = order[rank - 1];
    EXPECT_EQ(run.threshold(), static_cast<double>(values[answer])) << rank;
    const bool keeps_all = rank == order.size() || values[order[rank]] != values[answer];
    EXPECT_TRUE(run.cut() == answer || (keeps_all && run.cut() > answer)) << rank << " " << run.cut();
  }
}

TYPED_TEST(Selection, after_a_sample_takes_one_sweep) {
  std::mt19937_64 random(6);
  std::normal_distribution<double> normal;
  std::vector<TypeParam> values(kMany);
  for (auto& v : values) v = static_cast<TypeParam>(normal(random));
  expect_exact_after_sample(values, {{1, 1}, {kMany / 5, 1}, {kMany / 2, 1}, {kMany, 1}});
}

// As many values are equal as never fit: the last one kept is looked for where it has to be.
TEST(SelectionSample, of_values_that_are_often_equal) {
  std::mt19937_64 random(7);
  std::normal_distribution<float> normal(0, 0.7f);
  std::vector<float> values(kMany);
  for (auto& v : values) v = std::round(normal(random));
  expect_exact_after_sample(values, {{kMany / 5, 2}});

  SelectionRun run(LaneType::f32, kMany / 5, values.size(), 2, kLimit);
  ASSERT_GT(run.sample_size(), 0u);
  run.begin_sample();
  for (std::size_t i = 0; i + 1000 < kMany; i += 1000) run.observe(0, i, &values[i], 1);
  run.advance();
  EXPECT_TRUE(run.needs(0, 1) && run.needs(kMany - 1, 1));
  run.observe(0, 0, values.data(), kMany);
  run.advance();
  ASSERT_FALSE(run.done());
  std::size_t needed = 0;
  for (std::size_t first = 0; first < kMany; first += 1000)
    if (run.needs(first, 1000)) {
      ++needed;
      run.observe(0, first, values.data() + first, 1000);
    }
  run.advance();
  EXPECT_TRUE(run.done());
  EXPECT_LE(needed, 3u) << "thousands of values";
}

TEST(SelectionSample, of_frequent_values_among_many) {
  std::mt19937_64 random(8);
  std::uniform_real_distribution<float> uniform;
  std::vector<float> values(kMany);
  for (auto& v : values) {
    v = uniform(random);
    if (v > 0.79f && v < 0.81f) v = 0.8f;
  }
  const auto at = [](double share) { return static_cast<std::uint64_t>(share * kMany); };
  // Above, among and below those that are equal.
  expect_exact_after_sample(values, {{at(0.189), 1}, {at(0.191), 2}, {at(0.2), 2}, {at(0.209), 2}, {at(0.211), 1}});
}

TEST(SelectionSample, that_misleads_costs_sweeps_and_nothing_else) {
  std::vector<float> values(kMany);
  for (std::size_t i = 0; i < kMany; ++i) values[i] = static_cast<float>(i);
  expect_exact_after_sample(values, {{kMany / 5, 3}}, 0, kMany / 100);              // all of them small
  expect_exact_after_sample(values, {{kMany / 2, 3}}, kMany - kMany / 100, kMany);  // all of them large
  // More inside the bracket than it was thought to hold.
  for (std::size_t i = 0; i < kMany; ++i) values[i] = i < kMany / 2 ? static_cast<float>(i % 16) : 7 + 0x1p-20f * i;
  expect_exact_after_sample(values, {{kMany / 2, 3}}, 0, kMany / 2);
}

TEST(SelectionSample, is_worth_it_for_many_values_only) {
  EXPECT_EQ(SelectionRun(LaneType::f32, 10, 100'000, 1, 1000).sample_size(), 0u);
  EXPECT_EQ(SelectionRun(LaneType::f32, 10, kMany, 1, kMany).sample_size(), 0u) << "collected at once";
  EXPECT_EQ(SelectionRun(LaneType::f32, 0, kMany, 1, 1000).sample_size(), 0u);
}

}  // namespace
}  // namespace roux
