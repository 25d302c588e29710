// Plans made by hand, run by the executor, against what the language says in plain loops. Every plan gives
// the same bits for any threads, tiles and backend.
#include "runtime/exec/executor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cfenv>
#include <cmath>
#include <new>
#include <numeric>
#include <random>
#include <set>
#include <thread>

#include "tests/support/files.h"
#include "tests/support/paths.h"
#include "tests/support/plans.h"

namespace roux {
namespace {

using testing::kToOutput;
using testing::kToSelection;
using testing::PlanMaker;
using testing::Ran;
using Floats = std::vector<float>;

// Names in canonical order. `big` has its tiles dealt out, the others are small; `mid` ends inside a block.
const std::vector<std::pair<std::string, std::size_t>> kTensors = {
    {"a", 100}, {"big", 1'100'003}, {"empty", 0}, {"mid", 9'001}, {"one", 1}};

// Values with many ties, so that cuts matter.
Floats random_floats(std::mt19937_64& random, std::size_t count) {
  Floats values(count);
  for (float& value : values) value = static_cast<float>(static_cast<int>(random() % 4001) - 2000) / 64;
  return values;
}

// [tensor][source]
std::vector<std::vector<Floats>> add_tensors(PlanMaker& maker) {
  std::mt19937_64 random(7);
  std::vector<std::vector<Floats>> all;
  for (const auto& [name, count] : kTensors) {
    std::vector<Floats>& values = all.emplace_back();
    for (std::size_t s = 0; s < maker.sources.size(); ++s) values.push_back(random_floats(random, count));
    maker.add_tensor(name, DType::f32, values);
  }
  return all;
}

// Runs with several numbers of threads and tile sizes, and once by the definition; all must agree.
Ran run_everywhere(PlanMaker& maker) {
  KernelCache compiled = testing::kernel_cache("llvm");
  const Result<Ran> first = maker.run(compiled, 1, 4096);
  if (!first) {
    ADD_FAILURE() << first.error()[0].message;
    return {};
  }
  const auto expect_same = [&](KernelCache& cache, int threads, std::uint64_t tile) {
    SCOPED_TRACE(::testing::Message() << threads << " threads, tiles of " << tile);
    const Result<Ran> other = maker.run(cache, threads, tile);
    ASSERT_TRUE(other.ok()) << other.error()[0].message;
    EXPECT_EQ(other->outputs, first->outputs);
    for (std::size_t i = 0; i < first->numbers.size(); ++i)
      EXPECT_EQ(std::bit_cast<std::uint64_t>(other->numbers[i]),
                std::bit_cast<std::uint64_t>(first->numbers[i]));
  };
  for (int threads : {1, 2, 7})
    for (std::uint64_t tile : {4096, 8192, 65536}) expect_same(compiled, threads, tile);
  KernelCache defined = testing::kernel_cache("reference");
  expect_same(defined, 2, 8192);
  return *first;
}

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

template <class T>
void expect_values(const testing::Bytes& bytes, const std::vector<T>& expected, const std::string& name) {
  const std::vector<T> got = testing::values_of_bytes<T>(bytes);
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i)
    ASSERT_TRUE(std::memcmp(&got[i], &expected[i], sizeof(T)) == 0)
        << name << "[" << i << "] is " << got[i] << ", not " << expected[i];
}

// Keeps the `rank` largest magnitudes among all values, earlier ones first; the rest becomes 0.
template <class T>
std::vector<std::vector<T>> top_by_sorting(const std::vector<std::vector<T>>& tensors, std::size_t rank) {
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
      "kernel f32\ninputs f32\ntables f32\nscalars 1\n%0 = input 0\n%1 = linear [%0 * $0, table 0]\n"
      "store f32 %1\n");
  const SlotId half = maker.constant(0.5), zero = maker.constant(0), third = maker.constant(-1.0 / 3);
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
  EXPECT_EQ(ran.result.bytes_read, 2 * 4 * elements);  // source 0 once, though two launches' worth of uses
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
  const SlotId rank =
      maker.operation(Op::floor, maker.operation(Op::mul, maker.fact(TensorFact::numel), maker.constant(0.3)));
  const auto [threshold, cut] = maker.selection(Level::tensor, LaneType::f32, rank);
  maker.launch(0, 0, {maker.kernel(kMagnitude), {0}, {}, {}, {kToSelection}, {}});
  maker.launch(0, 1, {maker.kernel(kKeepTop), {0}, {}, {threshold, cut, maker.constant(0)}, {kToOutput}, {}});
  const Ran ran = run_everywhere(maker);
  for (std::size_t t = 0; t < values.size(); ++t) {
    const auto n = static_cast<std::size_t>(std::floor(0.3 * static_cast<double>(kTensors[t].second)));
    expect_values(ran.outputs[t], top_by_sorting<float>({values[t][0]}, n)[0], kTensors[t].first);
  }
}

TEST(Executor, selects_over_the_model) {
  for (double n : {0.0, 1.0, 300'000.0, 1e9}) {
    PlanMaker maker(1);
    const auto values = add_tensors(maker);
    const auto [threshold, cut] = maker.selection(Level::recipe, LaneType::f32, maker.constant(n));
    maker.launch(0, 0, {maker.kernel(kMagnitude), {0}, {}, {}, {kToSelection}, {}});
    maker.launch(1, 0, {maker.kernel(kKeepTop), {0}, {}, {threshold, cut, maker.constant(0)}, {kToOutput}, {}});
    const Ran ran = run_everywhere(maker);
    std::vector<Floats> tensors;
    for (const auto& sources : values) tensors.push_back(sources[0]);
    const std::vector<Floats> expected = top_by_sorting(tensors, static_cast<std::size_t>(n));
    for (std::size_t t = 0; t < values.size(); ++t)
      expect_values(ran.outputs[t], expected[t], kTensors[t].first);
  }
}

TEST(Executor, selects_over_tensors_of_both_lane_types) {
  PlanMaker maker(1);
  maker.class_count = 2;
  std::mt19937_64 random(3);
  const Floats narrow = random_floats(random, 5000);
  std::vector<double> wide(5000);
  for (double& x : wide) x = std::normal_distribution<double>(0, 12)(random);
  maker.add_tensor<float>("narrow", DType::f32, {narrow}, 0);
  maker.add_tensor<double>("wide", DType::f64, {wide}, 1);
  const auto [threshold, cut] = maker.selection(Level::recipe, LaneType::f64, maker.constant(3000));
  const SlotId zero = maker.constant(0);
  maker.launch(0, 0, {maker.kernel("kernel f32\ninputs f32\nscalars 0\n%0 = input 0\n%1 = abs %0\n"
                                   "store f64 %1\n"), {0}, {}, {}, {kToSelection}, {}}, 0);
  maker.launch(0, 0, {maker.kernel("kernel f64\ninputs f64\nscalars 0\n%0 = input 0\n%1 = abs %0\n"
                                   "store f64 %1\n"), {0}, {}, {}, {kToSelection}, {}}, 1);
  maker.launch(1, 0, {maker.kernel(kKeepTop), {0}, {}, {threshold, cut, zero}, {kToOutput}, {}}, 0);
  maker.launch(1, 0, {maker.kernel("kernel f64\ninputs f64\nscalars 3\n%0 = input 0\n%1 = abs %0\n"
                                   "%2 = top %1, $0, $1\n%3 = scalar 2\n%4 = where %2, %0, %3\n"
                                   "store f64 %4\n"),
                      {0}, {}, {threshold, cut, zero}, {kToOutput}, {}}, 1);
  maker.plan.numbers = {threshold};
  const Ran ran = run_everywhere(maker);
  const std::vector<double> as_wide(narrow.begin(), narrow.end());
  const auto expected = top_by_sorting<double>({as_wide, wide}, 3000);
  EXPECT_NE(ran.numbers[0], static_cast<float>(ran.numbers[0])) << "choose values for which this is so";
  expect_values(ran.outputs[0], Floats(expected[0].begin(), expected[0].end()), "narrow");
  expect_values(ran.outputs[1], expected[1], "wide");
}

TEST(Executor, draws_random_fields_by_tensor_and_element) {
  PlanMaker maker(1);
  maker.add_tensor<float>("x", DType::f32, {Floats(20'000, 1.0f)});
  maker.add_tensor<float>("y", DType::f32, {Floats(20'000, 1.0f)});
  const SlotId seed = maker.constant(42);
  const SlotId low = maker.key(Slot::Kind::key_low, seed), high = maker.key(Slot::Kind::key_high, seed);
  maker.launch(0, 0, {maker.kernel("kernel f32\ninputs f32\nscalars 5\n%0 = input 0\n"
                                   "%1 = bernoulli $0, $1, $2, $3\n%2 = scalar 4\n"
                                   "%3 = where %1, %0, %2\nstore f32 %3\n"),
                      {0}, {}, {low, high, maker.constant(0), maker.constant(0.25), maker.constant(0)},
                      {kToOutput}, {}});
  const Ran ran = run_everywhere(maker);
  for (int t : {0, 1}) {
    const Floats kept = testing::values_of_bytes<float>(ran.outputs[t]);
    EXPECT_NEAR(std::accumulate(kept.begin(), kept.end(), 0.0), 5000, 300);  // five standard deviations
  }
  EXPECT_NE(ran.outputs[0], ran.outputs[1]);
}

// --- carried tensors ---------------------------------------------------------------------------------

PlanMaker with_carried(CarriedTensor::Rule rule, const std::vector<std::vector<std::int64_t>>& values) {
  PlanMaker maker(static_cast<std::uint32_t>(values.size()));
  CarriedTensor tensor;
  tensor.name = "bn.num_batches_tracked";
  tensor.rule = rule;
  tensor.dtype = DType::i64;
  tensor.byte_count = values[0].size() * 8;
  for (std::uint32_t s = 0; s < values.size(); ++s)
    tensor.places.push_back({s, maker.sources[s]->add(tensor.name, DType::i64,
                                                      testing::bytes_of_values(values[s]))});
  tensor.in_output = {0};
  maker.plan.carried.push_back(tensor);
  return maker;
}

TEST(Executor, copies_carried_tensors_that_are_equal) {
  std::vector<std::int64_t> values(300'000);
  std::iota(values.begin(), values.end(), -5);
  PlanMaker maker = with_carried(CarriedTensor::Rule::equal, {values, values, values});
  const Ran ran = run_everywhere(maker);
  expect_values(ran.outputs[0], values, "carried");
  EXPECT_TRUE(ran.result.largest_taken.empty());
}

TEST(Executor, refuses_carried_tensors_that_differ) {
  std::vector<std::int64_t> values(300'000, 7), other = values;
  other[200'001] = -8;
  PlanMaker maker = with_carried(CarriedTensor::Rule::equal, {values, values, other});
  KernelCache cache = testing::kernel_cache("reference");
  const Result<Ran> ran = maker.run(cache, 2, 4096);
  ASSERT_FALSE(ran.ok());
  const Diagnostic& found = ran.error().front();
  EXPECT_EQ(found.kind, DiagnosticKind::integer_mismatch);
  for (const char* part : {"`bn.num_batches_tracked`", "element 200001 is 7 in `source0`, -8 in `source2`"})
    EXPECT_NE(found.message.find(part), std::string::npos) << found.message;
  EXPECT_NE(found.help.find("integers = first"), std::string::npos);
}

TEST(Executor, takes_the_largest_of_carried_tensors_where_asked) {
  PlanMaker maker = with_carried(CarriedTensor::Rule::largest, {{5, -7, 1}, {4, -6, 1}, {9, -8, 1}});
  const Ran ran = run_everywhere(maker);
  expect_values(ran.outputs[0], std::vector<std::int64_t>{9, -6, 1}, "carried");
  EXPECT_EQ(ran.result.largest_taken, std::vector<std::string>{"bn.num_batches_tracked"});
}

// --- what may go wrong -------------------------------------------------------------------------------

// out = x, for one source.
PlanMaker copying() {
  PlanMaker maker(1);
  add_tensors(maker);
  const SlotId one = maker.constant(1);
  maker.launch(0, 0, {maker.kernel("kernel f32\ninputs f32\nscalars 1\n%0 = input 0\n"
                                   "%1 = linear [%0 * $0]\nstore f32 %1\n"), {0}, {}, {one}, {kToOutput}, {}});
  return maker;
}

DiagnosticKind kind_of_failure(PlanMaker& maker, const ExecuteOptions& options = {}) {
  KernelCache cache = testing::kernel_cache("reference");
  const Result<Ran> ran = maker.run(cache, 3, 4096, options);
  EXPECT_FALSE(ran.ok());
  return ran ? DiagnosticKind::syntax : ran.error().front().kind;
}

TEST(Executor, stops_when_cancelled) {
  std::atomic<bool> cancel{true};
  ExecuteOptions options;
  options.cancel = &cancel;
  PlanMaker maker = copying();
  EXPECT_EQ(kind_of_failure(maker, options), DiagnosticKind::cancelled);

  cancel = false;
  std::atomic<int> reads{0};
  maker.sources[0]->before_read = [&] {
    ++reads;
    cancel = true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));  // there are 270 tiles
    return ok();
  };
  EXPECT_EQ(kind_of_failure(maker, options), DiagnosticKind::cancelled);
  EXPECT_LT(reads, 200);
}

TEST(Executor, turns_what_workers_throw_into_diagnostics) {
  PlanMaker maker = copying();
  maker.sources[0]->before_read = []() -> Status { throw std::bad_alloc(); };
  EXPECT_EQ(kind_of_failure(maker), DiagnosticKind::memory_budget);
  maker.sources[0]->before_read = []() -> Status { throw InternalError("here"); };
  EXPECT_EQ(kind_of_failure(maker), DiagnosticKind::internal);
}

TEST(Executor, reports_an_input_that_was_truncated_meanwhile) {
  const testing::TemporaryFolder folder;
  const std::string path = (folder / "x.safetensors").string();
  testing::write_file(path, testing::f32_safetensors({{"x", {50'000}, Floats(50'000, 1.5f)}}));
  const Result<Checkpoint::Ptr> opened = Checkpoint::open(path, Span{});
  ASSERT_TRUE(opened.ok());
  PlanMaker maker(1);
  maker.add_tensor<float>("x", DType::f32, {Floats(50'000)});
  maker.launch(0, 0, {maker.kernel(kMagnitude), {0}, {}, {}, {kToOutput}, {}});
  testing::MemoryWriter writer;
  writer.add(200'000);
  CheckpointWriter* writers[] = {&writer};
  KernelCache cache = testing::kernel_cache("reference");
  maker.plan.threads = 2;
  ASSERT_TRUE(execute(maker.plan, {{*opened}}, writers, cache, {}).ok());
  std::filesystem::resize_file(path, 100'000);
  const Result<ExecuteResult> result = execute(maker.plan, {{*opened}}, writers, cache, {});
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().front().kind, DiagnosticKind::io);
}

TEST(Executor, computes_in_the_default_floating_point_environment_and_restores_it) {
  PlanMaker maker(1);
  maker.add_tensor<float>("x", DType::f32, {Floats(10, 0.1f)});
  const SlotId third = maker.operation(Op::div, maker.constant(1), maker.constant(3));
  maker.launch(0, 0, {maker.kernel("kernel f32\ninputs f32\nscalars 1\n%0 = input 0\n"
                                   "%1 = linear [%0 * $0]\nstore f32 %1\n"), {0}, {}, {third}, {kToOutput}, {}});
  maker.plan.numbers = {third};
  KernelCache cache = testing::kernel_cache("llvm");
  std::fesetround(FE_UPWARD);
  const Result<Ran> ran = maker.run(cache, 2, 4096);
  EXPECT_EQ(std::fegetround(), FE_UPWARD);
  std::fesetround(FE_TONEAREST);
  ASSERT_TRUE(ran.ok());
  EXPECT_EQ(ran->numbers[0], 1.0 / 3);
  EXPECT_EQ(testing::values_of_bytes<float>(ran->outputs[0])[0], static_cast<float>(0.1f * (1.0 / 3)));
}

TEST(Executor, tells_progress_on_the_calling_thread_only) {
  PlanMaker maker = copying();
  maker.sources[0]->before_read = [] {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    return ok();
  };
  std::set<std::thread::id> threads;
  std::uint64_t last = 0;
  int calls = 0;
  ExecuteOptions options;
  options.on_progress = [&](const Progress& progress) {
    threads.insert(std::this_thread::get_id());
    EXPECT_GE(progress.bytes_done, last);
    last = progress.bytes_done;
    ++calls;
  };
  KernelCache cache = testing::kernel_cache("llvm");
  const Result<Ran> ran = maker.run(cache, 2, 4096, options);
  ASSERT_TRUE(ran.ok());
  EXPECT_EQ(threads, std::set{std::this_thread::get_id()});
  EXPECT_GE(calls, 2);
  EXPECT_EQ(last, ran->result.bytes_read + ran->result.bytes_written);
}

TEST(Executor, compiles_a_kernel_once) {
  PlanMaker maker = copying();
  KernelCache cache = testing::kernel_cache("llvm");
  ASSERT_TRUE(maker.run(cache, 1, 4096).ok());
  ASSERT_TRUE(maker.run(cache, 2, 8192).ok());
  EXPECT_EQ(cache.compiled_count(), 1u);
}

TEST(Executor, tells_its_memory_before_it_runs) {
  PlanMaker maker = copying();
  maker.plan.threads = 2;
  maker.plan.tile_elements = 8192;
  EXPECT_GE(peak_bytes(maker.plan), 2u * 8192 * 8);
  EXPECT_LT(peak_bytes(maker.plan), 1u << 20);
}

}  // namespace
}  // namespace roux
