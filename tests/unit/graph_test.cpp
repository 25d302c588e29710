// The graph as it is built (folding, flattening, hash-consing) and as it is simplified, read by its dump.
#include <gtest/gtest.h>

#include "compiler/graph/graph.h"
#include "compiler/lower/schedule.h"
#include "compiler/passes/simplify.h"

namespace roux {
namespace {

class GraphTest : public ::testing::Test {
 protected:
  NodeId source(std::uint32_t index) { return graph_.source(index, domain_); }
  NodeId number(double value) { return graph_.constant(value); }
  std::string text(NodeId node) { return dump(graph_, node); }
  std::string simplified(NodeId node) { return text(simplify(graph_, {node})[0]); }

  Graph graph_;
  DomainId domain_ = graph_.intern({.tensors = {{"w", {4}, 4}}});
  NodeId a_ = source(0), b_ = source(1), c_ = source(2);
};

TEST_F(GraphTest, equal_expressions_are_one_node) {
  EXPECT_EQ(graph_.add(a_, b_), graph_.add(a_, b_));
  EXPECT_EQ(graph_.add(a_, b_), graph_.add(b_, a_));
  EXPECT_EQ(graph_.reduce(ReduceOp::dot, Level::tensor, a_, b_), graph_.reduce(ReduceOp::dot, Level::tensor, b_, a_));
  EXPECT_NE(graph_.operation(Op::div, {a_, b_}), graph_.operation(Op::div, {b_, a_}));
}

TEST_F(GraphTest, numbers_fold) {
  EXPECT_EQ(graph_.constant_value(graph_.operation(Op::sqrt, {number(9)})), 3.0);
  EXPECT_EQ(graph_.constant_value(graph_.multiply(number(3), number(0.5))), 1.5);
  const NodeId depth = graph_.fact(TensorFact::depth);
  const NodeId rest = graph_.subtract(number(1), depth);
  EXPECT_EQ(graph_.constant_value(graph_.add(rest, depth)), 1.0) << "the total weight of a lerp along the depth";
}

TEST_F(GraphTest, linear_combinations_are_flattened_merged_and_ordered) {
  const NodeId delta = graph_.subtract(b_, a_);
  EXPECT_EQ(text(delta), "(linear -1 s0, 1 s1)");
  EXPECT_EQ(text(graph_.add(a_, graph_.scale(number(0.5), delta))), "(linear 0.5 s0, 0.5 s1)");
  EXPECT_EQ(graph_.add(a_, delta), b_) << "what is left is the source itself";
  EXPECT_EQ(text(graph_.add(a_, number(2))), "(linear 2, 1 s0)");
}

TEST_F(GraphTest, a_combination_that_cancels_keeps_its_domain) {
  const NodeId nothing = graph_.subtract(a_, a_);
  EXPECT_EQ(text(nothing), "(linear 0 s0)");
  EXPECT_EQ(graph_[nothing].domain, domain_);
  EXPECT_EQ(graph_.add(nothing, b_), b_);
}

TEST_F(GraphTest, products_of_elements_end_a_combination) {
  const NodeId product = graph_.multiply(graph_.add(a_, b_), c_);
  EXPECT_EQ(text(graph_.add(product, a_)), "(linear 1 s0, 1 (mul s2 (linear 1 s0, 1 s1)))");
}

TEST_F(GraphTest, whole_powers_are_products_from_the_lowest_bit) {
  EXPECT_EQ(text(graph_.power(a_, number(3))), "(mul s0 (mul s0 s0))");
  EXPECT_EQ(text(graph_.power(a_, number(-1))), "(div 1 s0)");
  EXPECT_EQ(text(graph_.power(a_, number(0.5))), "(pow s0 0.5)");
}

TEST_F(GraphTest, simplification_keeps_the_meaning_and_drops_the_rest) {
  const NodeId positive = graph_.operation(Op::lt, {number(0), a_});
  const NodeId negation = graph_.operation(Op::logical_not, {positive});
  EXPECT_EQ(simplified(graph_.operation(Op::logical_not, {negation})), text(positive));
  EXPECT_EQ(simplified(graph_.operation(Op::where, {positive, b_, b_})), "s1");
  EXPECT_EQ(simplified(graph_.operation(Op::where, {negation, b_, c_})), "(where (lt 0 s0) s2 s1)");
  EXPECT_EQ(simplified(graph_.operation(Op::abs, {graph_.operation(Op::abs, {a_})})), "(abs s0)");
  EXPECT_EQ(simplified(graph_.mask(graph_.number(positive))), text(positive));
}

// d was rounded where it was chosen: adding the base again must not undo that.
TEST_F(GraphTest, simplification_does_not_move_a_rounding) {
  const NodeId d = graph_.subtract(b_, a_);
  const NodeId mask = graph_.operation(Op::lt, {number(0), c_});
  const NodeId sum = graph_.add(a_, graph_.operation(Op::where, {mask, d, d}));
  EXPECT_EQ(simplified(sum), "(linear 1 s0, 1 (linear -1 s0, 1 s1))");
}

TEST_F(GraphTest, numbers_over_tensors_take_a_phase_and_over_the_model_a_stage) {
  const NodeId within = graph_.reduce(ReduceOp::dot, Level::tensor, a_, a_);
  const NodeId unit = graph_.divide(a_, graph_.operation(Op::sqrt, {within}));
  const NodeId whole = graph_.reduce(ReduceOp::sum, Level::recipe, unit);
  const NodeId result = graph_.scale(whole, b_);
  const Schedule plan(graph_, {result});
  EXPECT_EQ(plan.known(within), (Moment{0, 1}));
  ASSERT_EQ(plan.made_of(whole).size(), 1u);
  EXPECT_EQ(plan.made_of(whole)[0].when, (Moment{0, 1}));
  EXPECT_EQ(plan.known(result), (Moment{1, 0}));
  ASSERT_EQ(plan.stage_count(), 2u);
  EXPECT_EQ(plan.phase_count(0), 2u);
  EXPECT_EQ(plan.phase_count(1), 1u);
}

TEST_F(GraphTest, numbers_of_rows_are_made_anew_in_every_stage) {
  const NodeId rows = graph_.reduce(ReduceOp::dot, Level::row, a_, a_);
  const NodeId unit = graph_.divide(a_, graph_.operation(Op::sqrt, {rows}));
  const NodeId whole = graph_.reduce(ReduceOp::sum, Level::recipe, unit);
  const NodeId result = graph_.scale(whole, unit);
  const Schedule plan(graph_, {result});
  ASSERT_EQ(plan.made_of(rows).size(), 2u);
  EXPECT_EQ(plan.made_of(rows)[0].when, (Moment{0, 0}));
  EXPECT_EQ(plan.made_of(rows)[1].when, (Moment{1, 0}));
  ASSERT_EQ(plan.made_of(whole).size(), 1u);
  EXPECT_EQ(plan.made_of(whole)[0].when, (Moment{0, 1}));
  EXPECT_EQ(plan.known(result), (Moment{1, 1}));
}

TEST_F(GraphTest, rows_and_columns_meet_in_elements) {
  const NodeId row = graph_.reduce(ReduceOp::sum, Level::row, a_);
  const NodeId column = graph_.reduce(ReduceOp::sum, Level::column, a_);
  EXPECT_EQ(graph_[graph_.add(row, row)].level, Level::row);
  EXPECT_EQ(graph_[graph_.multiply(row, column)].level, Level::element);
  // Neither their sum nor their product becomes a coefficient.
  const std::string r = "(sum over row s0)", c = "(sum over column s0)";
  EXPECT_EQ(dump(graph_, graph_.add(b_, graph_.add(row, column))), "(linear " + r + ", 1 s1, " + c + " 1)");
  EXPECT_EQ(dump(graph_, graph_.add(graph_.multiply(row, b_), graph_.multiply(column, b_))),
            "(linear " + r + " s1, " + c + " s1)");
  EXPECT_EQ(dump(graph_, graph_.multiply(row, graph_.multiply(column, b_))),
            "(linear " + r + " (linear " + c + " s1))");
  EXPECT_EQ(graph_.add(b_, graph_.add(row, column)), graph_.add(column, graph_.add(row, b_)));
}

}  // namespace
}  // namespace roux
