// Plans as values: what the verifier refuses, and what people are told.
#include "runtime/kernel/plan.h"

#include <gtest/gtest.h>

#include <functional>

#include "tests/support/plans.h"

namespace roux {
namespace {

using testing::kToOutput;
using testing::kToSelection;
using testing::PlanMaker;

// Keep the larger half of the magnitudes over the whole model, times the square root of their sum.
Plan good_plan() {
  PlanMaker maker(2);
  maker.add_tensor<float>("a", DType::f32, {{1, 2}, {3, 4}});
  maker.add_tensor<float>("b", DType::f32, {{1, 2, 3}, {3, 4, 5}});
  const SlotId rank = maker.constant(2), zero = maker.constant(0);
  const auto [threshold, cut] = maker.selection(Level::recipe, LaneType::f32, rank);
  const SlotId sum = maker.reduction(ReduceOp::sum, Level::recipe, 1, 0);
  const SlotId root = maker.operation(Op::sqrt, sum);
  maker.launch(0, 0,
               {maker.kernel("kernel f32\ninputs f32\nscalars 0\n%0 = input 0\n%1 = abs %0\n"
                             "store f32 %1\nreduce sum %1\n"),
                {0},
                {},
                {},
                {kToSelection},
                {sum}});
  maker.launch(
      1, 0,
      {maker.kernel("kernel f32\ninputs f32\ntables f32\nscalars 4\n%0 = input 0\n%1 = abs %0\n"
                    "%2 = top %1, $0, $1\n%3 = scalar 2\n%4 = where %2, %0, %3\n"
                    "%5 = linear [%4 * $3, table 0]\nstore f32 %5\n"),
       {0},
       {{{1, root}}},
       {threshold, cut, zero, root},
       {kToOutput},
       {}});
  maker.plan.stages[0].reason = "global threshold";
  maker.plan.stages[1].reason = "the output";
  maker.plan.numbers = {sum};
  return maker.plan;
}

TEST(VerifyPlan, accepts_a_good_plan) {
  const Status status = verify(good_plan());
  EXPECT_TRUE(status.ok()) << status.error()[0].message;
}

TEST(VerifyPlan, says_what_is_wrong) {
  struct Case {
    const char* part;  // of the message
    std::function<void(Plan&)> spoil;
  };
  // Slots: 0 rank, 1 zero, 2 threshold, 3 cut, 4 sum, 5 root.
  const auto launch = [](Plan& plan, int stage) -> Launch& {
    return plan.stages[stage].classes[0][0].launches[0];
  };
  const Case cases[] = {
      {"multiple of a block", [](Plan& p) { p.tile_elements = 1000; }},
      {"number of threads", [](Plan& p) { p.threads = 0; }},
      {"visits some tensor twice",
       [](Plan& p) {
         p.order = {0, 0};
       }},
      {"does not visit every tensor", [](Plan& p) { p.order = {0}; }},
      {"canonical order", [](Plan& p) { std::swap(p.tensors[0], p.tensors[1]); }},
      {"a class that does not exist", [](Plan& p) { p.tensors[1].tensor_class = 1; }},
      {"dtype per tensor", [](Plan& p) { p.outputs[0].dtypes.pop_back(); }},
      {"no place for each source", [](Plan& p) { p.tensors[0].in_source.pop_back(); }},
      {"does not come before it", [](Plan& p) { p.slots[5].a = 5; }},
      {"uses a number of a tensor", [](Plan& p) { p.slots[5].a = 3; }},
      {"not known yet", [](Plan& p) { p.slots[5].stage = 0; }},
      {"said to be known before", [](Plan& p) { p.slots[2].stage = 0; }},
      {"said to be known before", [](Plan& p) { p.slots[4].stage = 0, p.slots[5].a = 0; }},
      {"a fact of no tensor", [](Plan& p) { p.slots[1].kind = Slot::Kind::fact; }},
      {"a cut in no tensor", [](Plan& p) { p.slots[3].level = Level::recipe; }},
      {"a selection that does not exist", [](Plan& p) { p.slots[2].selection = 7; }},
      {"rank for each tensor",
       [](Plan& p) { p.slots[0] = p.slots[3], p.slots[0].kind = Slot::Kind::fact; }},
      {"a kernel that does not exist", [&](Plan& p) { launch(p, 0).kernel = 9; }},
      {"does not match its kernel", [&](Plan& p) { launch(p, 1).scalars.pop_back(); }},
      {"a source that does not exist", [&](Plan& p) { launch(p, 0).inputs[0] = 2; }},
      {"where it does not exist", [](Plan& p) { p.tensors[1].in_source[0] = kNone; }},
      {"a scalar that is no slot", [&](Plan& p) { launch(p, 1).scalars[0] = 99; }},
      {"not known yet", [](Plan& p) { p.slots[5].stage = 2; }},
      {"feeds a selection of another phase", [](Plan& p) { p.selections[0].phase = 1; }},
      {"another type of value", [](Plan& p) { p.selections[0].lane = LaneType::f64; }},
      {"another dtype than the output's", [](Plan& p) { p.outputs[0].dtypes[1] = DType::bf16; }},
      {"reduces otherwise", [](Plan& p) { p.slots[4].reduce = ReduceOp::max; }},
      {"a slot of another kind", [&](Plan& p) { launch(p, 0).reductions[0] = 5; }},
      {"something else as well", [](Plan& p) { p.kernels[1].terms[0].scale = 0; }},
      {"no slot of the recipe", [](Plan& p) { p.numbers = {3}; }},
      {"malformed kernel", [](Plan& p) { p.kernels[0].body[0].a = 4; }},
  };
  for (const Case& c : cases) {
    Plan plan = good_plan();
    c.spoil(plan);
    const Status status = verify(plan);
    ASSERT_FALSE(status.ok()) << c.part;
    EXPECT_NE(status.error()[0].message.find(c.part), std::string::npos)
        << c.part << "\n"
        << status.error()[0].message;
    EXPECT_EQ(status.error()[0].kind, DiagnosticKind::internal);
  }
}

// Each row and each column by its norm, and where its elements stand among all.
Plan fine_plan() {
  PlanMaker maker(1);
  maker.add_tensor<float>("a", DType::f32, {{1, 2, 3, 4, 5, 6}});
  maker.plan.tensors[0].shape = {2, 3};
  const SlotId rank = maker.constant(1);
  const SlotId row = maker.reduction(ReduceOp::dot, Level::row, 0, 1);
  const SlotId column = maker.reduction(ReduceOp::sum, Level::column, 0, 1);
  const SlotId root = maker.operation(Op::sqrt, row);
  const auto [threshold, cut] = maker.selection(Level::row, LaneType::f32, rank);
  const SlotId ordinal = maker.ordinal(Level::tensor, LaneType::f32);
  const std::string input = "kernel f32\ninputs f32\nstarts anywhere\n%0 = input 0\n";
  maker.launch(0, 0, {.kernel = maker.kernel(input + "reduce dot %0, %0\n"), .inputs = {0}, .tables = {},
                      .scalars = {}, .stores = {}, .reductions = {row}, .shape = LaunchShape::rows});
  maker.launch(0, 0, {.kernel = maker.kernel(input + "store f32 %0\n"), .inputs = {0}, .tables = {}, .scalars = {},
                      .stores = {testing::kToOperand}, .reductions = {}, .shape = LaunchShape::columns,
                      .column_reductions = {{0, kNone, column}}});
  maker.launch(0, 0, {.kernel = maker.kernel(input + "store f32 %0\n"), .inputs = {0}, .tables = {}, .scalars = {},
                      .stores = {kToSelection}, .reductions = {}, .shape = LaunchShape::rows});
  maker.launch(0, 0, {.kernel = maker.kernel("kernel f32\ninputs f32\n%0 = input 0\nstore f32 %0\n"),
                      .inputs = {0}, .tables = {}, .scalars = {}, .stores = {testing::kToOrdering}, .reductions = {}});
  maker.launch(0, 1, {.kernel = maker.kernel(
                          "kernel f32\ninputs f32\nscalars 3\nspreads 2\nstarts anywhere\n%0 = input 0\n"
                          "%1 = top %0, $0, $1\n%2 = to_number %1\n%3 = spread 1\n"
                          "%4 = linear [@0, %2 * $2, %3 * @0]\nstore f32 %4\n"),
                      .inputs = {0}, .tables = {}, .scalars = {threshold, cut, root}, .stores = {kToOutput},
                      .reductions = {}, .shape = LaunchShape::rows, .spreads = {column, ordinal}});
  return maker.plan;
}

TEST(VerifyPlan, accepts_numbers_of_rows_and_columns) {
  const Status status = verify(fine_plan());
  EXPECT_TRUE(status.ok()) << status.error()[0].message;
}

TEST(VerifyPlan, knows_what_is_fine) {
  struct Case {
    const char* part;  // of the message
    std::function<void(Plan&)> spoil;
  };
  // Slots: 0 rank, 1 row, 2 column, 3 root, 4 threshold, 5 cut, 6 ordinal.
  const auto launch = [](Plan& plan, int phase, int at) -> Launch& {
    return plan.stages[0].classes[0][phase].launches[at];
  };
  const Case cases[] = {
      {"uses a number of a row", [](Plan& p) { p.slots[3].level = Level::tensor; }},
      {"uses a number of a row", [](Plan& p) { p.slots[3].level = Level::column; }},
      {"is a number of elements", [](Plan& p) { p.slots[3].level = Level::element; }},
      {"a threshold of another scope", [](Plan& p) { p.slots[4].level = Level::column; }},
      {"a cut of another scope", [](Plan& p) { p.slots[5].level = Level::tensor; }},
      {"rank for each column", [](Plan& p) { p.selections[0].rank = 2, p.selections[0].phase = 1, p.slots[4].phase = p.slots[5].phase = 2; }},
      {"a position of no element", [](Plan& p) { p.slots[6].level = Level::row; }},
      {"an ordering that does not exist", [](Plan& p) { p.slots[6].selection = 1; }},
      {"another stage", [](Plan& p) { p.slots[1].stage = 1, p.slots[3].stage = 1; }},
      {"a kernel that does not start anywhere", [](Plan& p) { p.kernels[0].starts_anywhere = false; }},
      {"another scope than its shape", [&](Plan& p) { launch(p, 0, 0).shape = LaunchShape::flat; }},
      {"another scope than its shape", [&](Plan& p) { launch(p, 0, 1).shape = LaunchShape::rows; }},
      {"another scope than its shape", [&](Plan& p) { launch(p, 0, 2).shape = LaunchShape::columns; }},
      {"columns of what is no operand", [&](Plan& p) { launch(p, 0, 1).column_reductions[0].a = 1; }},
      {"columns of what is no operand", [&](Plan& p) { launch(p, 0, 1).column_reductions[0].b = 0; }},
      {"an ordering by columns", [&](Plan& p) { launch(p, 0, 3).shape = LaunchShape::columns, p.kernels[3].starts_anywhere = true; }},
      {"an ordering of another phase", [](Plan& p) { p.orderings[0].phase = 1, p.slots[6].phase = 2; }},
      {"varies within a call", [&](Plan& p) { launch(p, 1, 0).scalars[2] = 2; }},
      {"spreads a number that is a scalar", [&](Plan& p) { launch(p, 1, 0).spreads[0] = 3; }},
      {"does not match its kernel", [&](Plan& p) { launch(p, 1, 0).spreads.pop_back(); }},
      {"stores to an output by columns", [&](Plan& p) { launch(p, 1, 0).shape = LaunchShape::columns; }},
      {"not known yet", [](Plan& p) { p.slots[2].phase = 2; }},
      {"beside order statistics", [&](Plan& p) {
         p.kernels[2].reductions = p.kernels[0].reductions;
         launch(p, 0, 2).reductions = launch(p, 0, 0).reductions;
         launch(p, 0, 0) = launch(p, 0, 2);
         p.stages[0].classes[0][0].launches.erase(p.stages[0].classes[0][0].launches.begin() + 2);
       }},
  };
  for (const Case& c : cases) {
    Plan plan = fine_plan();
    c.spoil(plan);
    const Status status = verify(plan);
    ASSERT_FALSE(status.ok()) << c.part;
    EXPECT_NE(status.error()[0].message.find(c.part), std::string::npos)
        << c.part << "\n"
        << status.error()[0].message;
  }
}

TEST(DescribePlan, tells_sweeps_bytes_and_memory) {
  Plan plan = good_plan();
  plan.threads = 2;
  plan.bytes_read = 3'000'000;
  plan.bytes_written = 1'000'000;
  plan.peak_bytes = 5'000'000;
  EXPECT_EQ(describe(plan, false),
            "2 sweeps\n"
            "  global threshold: 1 sweep (sample, then collect)\n"
            "  the output\n"
            "  2 tensors, 5 elements: reads 2 f32; writes 1 f32\n"
            "reads 3 MB, writes 1 MB\n"
            "memory 5 MB at most: 2 threads, tiles of 65536 elements\n");
  EXPECT_NE(describe(plan, true).find("# kernel 1\nkernel f32\n"), std::string::npos);
}

}  // namespace
}  // namespace roux
