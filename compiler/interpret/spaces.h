// Arithmetic on the values of a recipe: which space the result lies in, which base it carries, what its
// total weight is (LANGUAGE, section 2), and the graph node that computes it. Everything is checked here,
// from headers alone, before any tensor is read.
#pragma once

#include <span>

#include "compiler/interpret/host.h"
#include "compiler/interpret/value.h"

namespace roux {

struct SpaceContext {
  Graph& graph;
  Host& host;
  Span span;  // of the operation, for messages
};

Data number_data(NodeId node);
Data tensors_data(NodeId node);

// The base that all models carry, if there is one such.
std::shared_ptr<const Data> common_base(SpaceContext& context, const std::vector<Data>& models);

// Numbers known to the recipe stay plain; everything else becomes Data. Booleans count as 0 and 1.
Value binary(SpaceContext& context, ast::BinaryOp op, const Value& left, const Value& right);
Value negate(SpaceContext& context, const Value& value);
Value logical_not(SpaceContext& context, const Value& value);
// op over operands of any kind; the space is `tensors`, or `number` if all are numbers.
Value elementwise(SpaceContext& context, Op op, std::span<const Value> operands);
// where(mask, model, model) is a model, where(mask, delta, delta) a delta; 0 counts as a delta.
Value choose(SpaceContext& context, const Value& mask, const Value& yes, const Value& no);
// Sum of many: one linear combination.
Value sum_of(SpaceContext& context, std::span<const Value> values);

// Any operand as Data: soups as their mean, plain numbers as constants.
Data data_of(SpaceContext& context, const Value& value);
// The operand as a graph node, checked to range over the same tensors as the others.
NodeId node_of(SpaceContext& context, const Value& value);
std::vector<NodeId> aligned_nodes(SpaceContext& context, std::span<const Value> values);

// Uses of a value as a model or a delta: soups become their weighted mean, combinations are checked for
// their total weight. `as` skips the check.
Data as_model(SpaceContext& context, const Value& value);
Data as_delta(SpaceContext& context, const Value& value);
bool is_model(const Graph& graph, const Value& value);
bool is_delta(const Graph& graph, const Value& value);
// The base that both carry, if they share one.
std::shared_ptr<const Data> shared_base(SpaceContext& context, const std::shared_ptr<const Data>& a,
                                        const std::shared_ptr<const Data>& b);
Data soup_mean(SpaceContext& context, const Soup& soup);

// "model", "delta", "tensors", "number", or what else it is.
std::string space_name(const Graph& graph, const Value& value);

}  // namespace roux
