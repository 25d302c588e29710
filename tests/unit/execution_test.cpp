// What surrounds the arithmetic of a run: carried tensors, cancelling, faults, progress, memory.
#include <gtest/gtest.h>

#include <atomic>
#include <cfenv>
#include <chrono>
#include <filesystem>
#include <new>
#include <numeric>
#include <set>
#include <thread>

#include "runtime/exec/executor.h"
#include "tests/support/files.h"
#include "tests/support/paths.h"
#include "tests/support/plans.h"

namespace roux {
namespace {

using testing::add_tensors;
using testing::expect_values;
using testing::Floats;
using testing::kToOutput;
using testing::PlanMaker;
using testing::Ran;
using testing::run_everywhere;

PlanMaker with_carried(CarriedTensor::Rule rule,
                       const std::vector<std::vector<std::int64_t>>& values) {
  PlanMaker maker(static_cast<std::uint32_t>(values.size()));
  CarriedTensor tensor;
  tensor.name = "bn.num_batches_tracked";
  tensor.rule = rule;
  tensor.dtype = DType::i64;
  tensor.byte_count = values[0].size() * 8;
  for (std::uint32_t s = 0; s < values.size(); ++s)
    tensor.places.push_back(
        {s, maker.sources[s]->add(tensor.name, DType::i64, testing::bytes_of_values(values[s]))});
  tensor.in_output = {0};
  maker.plan.carried.push_back(tensor);
  return maker;
}

TEST(Execution, copies_carried_tensors_that_are_equal) {
  std::vector<std::int64_t> values(300'000);
  std::iota(values.begin(), values.end(), -5);
  PlanMaker maker = with_carried(CarriedTensor::Rule::equal, {values, values, values});
  const Ran ran = run_everywhere(maker);
  expect_values(ran.outputs[0], values, "carried");
  EXPECT_TRUE(ran.result.largest_taken.empty());
}

TEST(Execution, refuses_carried_tensors_that_differ) {
  std::vector<std::int64_t> values(300'000, 7), other = values;
  other[200'001] = -8;
  PlanMaker maker = with_carried(CarriedTensor::Rule::equal, {values, values, other});
  KernelCache cache = testing::kernel_cache("reference");
  const Result<Ran> ran = maker.run(cache, 2, 4096);
  ASSERT_FALSE(ran.ok());
  const Diagnostic& found = ran.error().front();
  EXPECT_EQ(found.kind, DiagnosticKind::integer_mismatch);
  for (const char* part :
       {"`bn.num_batches_tracked`", "element 200001 is 7 in `source0`, -8 in `source2`"})
    EXPECT_NE(found.message.find(part), std::string::npos) << found.message;
  EXPECT_NE(found.help.find("never averaged"), std::string::npos);
}

TEST(Execution, takes_the_largest_of_carried_tensors_where_asked) {
  PlanMaker maker =
      with_carried(CarriedTensor::Rule::largest, {{5, -7, 1}, {4, -6, 1}, {9, -8, 1}});
  const Ran ran = run_everywhere(maker);
  expect_values(ran.outputs[0], std::vector<std::int64_t>{9, -6, 1}, "carried");
  EXPECT_EQ(ran.result.largest_taken, std::vector<std::string>{"bn.num_batches_tracked"});
}

// out = x, for one source.
PlanMaker copying() {
  PlanMaker maker(1);
  add_tensors(maker);
  const SlotId one = maker.constant(1);
  maker.launch(0, 0,
               {maker.kernel("kernel f32\ninputs f32\nscalars 1\n%0 = input 0\n"
                             "%1 = linear [%0 * $0]\nstore f32 %1\n"),
                {0},
                {},
                {one},
                {kToOutput},
                {}});
  return maker;
}

DiagnosticKind kind_of_failure(PlanMaker& maker, const ExecuteOptions& options = {}) {
  KernelCache cache = testing::kernel_cache("reference");
  const Result<Ran> ran = maker.run(cache, 3, 4096, options);
  EXPECT_FALSE(ran.ok());
  return ran ? DiagnosticKind::syntax : ran.error().front().kind;
}

TEST(Execution, stops_when_cancelled) {
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

TEST(Execution, turns_what_workers_throw_into_diagnostics) {
  PlanMaker maker = copying();
  maker.sources[0]->before_read = []() -> Status { throw std::bad_alloc(); };
  EXPECT_EQ(kind_of_failure(maker), DiagnosticKind::memory_budget);
  maker.sources[0]->before_read = []() -> Status { throw InternalError("here"); };
  EXPECT_EQ(kind_of_failure(maker), DiagnosticKind::internal);
}

TEST(Execution, reports_an_input_that_was_truncated_meanwhile) {
  const testing::TemporaryFolder folder;
  const std::string path = (folder / "x.safetensors").string();
  testing::write_file(path, testing::f32_safetensors({{"x", {50'000}, Floats(50'000, 1.5f)}}));
  const Result<Checkpoint::Ptr> opened = Checkpoint::open(path, Span{});
  ASSERT_TRUE(opened.ok());
  PlanMaker maker(1);
  maker.add_tensor<float>("x", DType::f32, {Floats(50'000)});
  maker.launch(0, 0,
               {maker.kernel("kernel f32\ninputs f32\nscalars 0\n%0 = input 0\nstore f32 %0\n"),
                {0},
                {},
                {},
                {kToOutput},
                {}});
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

TEST(Execution, computes_in_the_default_floating_point_environment_and_restores_it) {
  PlanMaker maker(1);
  maker.add_tensor<float>("x", DType::f32, {Floats(10, 0.1f)});
  const SlotId third = maker.operation(Op::div, maker.constant(1), maker.constant(3));
  maker.launch(0, 0,
               {maker.kernel("kernel f32\ninputs f32\nscalars 1\n%0 = input 0\n"
                             "%1 = linear [%0 * $0]\nstore f32 %1\n"),
                {0},
                {},
                {third},
                {kToOutput},
                {}});
  maker.plan.numbers = {third};
  KernelCache cache = testing::kernel_cache("llvm");
  std::fesetround(FE_UPWARD);
  const Result<Ran> ran = maker.run(cache, 2, 4096);
  EXPECT_EQ(std::fegetround(), FE_UPWARD);
  std::fesetround(FE_TONEAREST);
  ASSERT_TRUE(ran.ok());
  EXPECT_EQ(ran->numbers[0], 1.0 / 3);
  EXPECT_EQ(testing::values_of_bytes<float>(ran->outputs[0])[0],
            static_cast<float>(0.1f * (1.0 / 3)));
}

TEST(Execution, tells_progress_on_the_calling_thread_only) {
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

TEST(Execution, compiles_a_kernel_once) {
  PlanMaker maker = copying();
  KernelCache cache = testing::kernel_cache("llvm");
  ASSERT_TRUE(maker.run(cache, 1, 4096).ok());
  ASSERT_TRUE(maker.run(cache, 2, 8192).ok());
  EXPECT_EQ(cache.compiled_count(), 1u);
}

TEST(Execution, tells_its_memory_before_it_runs) {
  PlanMaker maker = copying();
  maker.plan.threads = 2;
  maker.plan.tile_elements = 8192;
  EXPECT_GE(memory_need(maker.plan).bytes, 2u * 8192 * 8);
  EXPECT_LT(memory_need(maker.plan).bytes, 1u << 20);
}

}  // namespace
}  // namespace roux
