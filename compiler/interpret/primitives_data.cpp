// Reductions, order statistics, choices and random fields.
#include <cmath>
#include <limits>

#include "base/text.h"
#include "compiler/interpret/domains.h"
#include "compiler/interpret/failure.h"
#include "compiler/interpret/primitive_groups.h"

namespace roux::primitives {
namespace {

Level scope_of(const PrimitiveCall& call, std::size_t i) {
  const std::string& name = *call.arguments[i].get<std::string>();
  for (const Level scope : {Level::recipe, Level::tensor, Level::row, Level::column})
    if (name == scope_name(scope)) return scope;
  ROUX_CHECK(!"a scope that is none");
  return Level::recipe;
}

// A value to reduce over its elements.
NodeId elements(Evaluator& evaluator, const PrimitiveCall& call, std::size_t i) {
  SpaceContext context = evaluator.context(call.spans[i]);
  const NodeId node = aligned_nodes(context, {&call.arguments[i], 1})[0];
  const Node& what = evaluator.graph()[node];
  if (what.level == Level::element && what.domain != kNone) return node;
  fail(error(DiagnosticKind::wrong_type, call.spans[i],
             "there are no elements to reduce over in " + describe_kind(call.arguments[i], evaluator.graph())));
}

Value number(NodeId node) { return number_data(node); }

Value reduced(Evaluator& evaluator, const PrimitiveCall& call, ReduceOp op) {
  const NodeId x = elements(evaluator, call, 0);
  Graph& graph = evaluator.graph();
  const NodeId operand = op == ReduceOp::count ? graph.mask(x) : graph.number(x);
  return number(graph.reduce(op, scope_of(call, 1), operand));
}

// The items that a reduction across values goes over.
std::vector<Value> across(Evaluator& evaluator, const PrimitiveCall& call, const char* name) {
  const Value& values = call.arguments[0];
  SpaceContext context = evaluator.context(call.spans[0]);
  if (values.is<List>() || values.is<Tuple>() || values.is<Soup>()) return items_of(context, values, "the values");
  const std::string called = std::string("`") + name;
  fail(error(DiagnosticKind::needs_scope, call.span,
             called + "` of one value needs to know over what: `over = tensor`, `row`, `column` or `model`")
           .hint(called + "(x, over = model)` reduces inside x; " + called + "([a, b])` across a list"));
}

bool has_scope(const PrimitiveCall& call) { return !call.arguments[1].is<NoneValue>(); }

Value extreme(Evaluator& evaluator, const PrimitiveCall& call, ReduceOp reduce, Op op, const char* name) {
  if (has_scope(call)) return reduced(evaluator, call, reduce);
  const std::vector<Value> values = across(evaluator, call, name);
  if (values.empty())
    fail(error(DiagnosticKind::empty_list, call.span, std::string("`") + name + "` of an empty list"));
  SpaceContext context = evaluator.context(call.span);
  Value result = values[0];
  for (std::size_t i = 1; i < values.size(); ++i) {
    const Value pair[] = {result, values[i]};
    result = elementwise(context, op, pair);
  }
  return result;
}

double whole_number(Evaluator& evaluator, const PrimitiveCall& call, std::size_t i, const char* what) {
  const auto known = evaluator.control_number(call.arguments[i], what, call.spans[i]);
  if (!known) return 0;
  if (*known < 0 || *known != std::floor(*known) || *known > 9007199254740992.0)
    fail(error(DiagnosticKind::out_of_range, call.spans[i],
               std::string(what) + " is a whole number, 0 or more; got " + format_number(*known)));
  return *known;
}

Value random_field(Evaluator& evaluator, const PrimitiveCall& call, NodeKind kind, std::size_t seed,
                   std::size_t stream, std::optional<NodeId> p) {
  Graph& graph = evaluator.graph();
  const double stream_value = whole_number(evaluator, call, stream, "a stream");
  if (stream_value > std::numeric_limits<std::uint32_t>::max())
    fail(error(DiagnosticKind::out_of_range, call.spans[stream], "a stream is less than 2^32"));
  return number(graph.random(kind, whole_number(evaluator, call, seed, "a seed"), graph.constant(stream_value), p));
}

struct Amount {
  NodeId x, n;
  Level scope;
};

// The operands of an order statistic: its amount is no finer than its scope.
Amount amount_of(Evaluator& evaluator, const PrimitiveCall& call, double least) {
  const NodeId x = elements(evaluator, call, 0);
  const Level scope = scope_of(call, 2);
  SpaceContext context = evaluator.context(call.spans[1]);
  const Graph& graph = evaluator.graph();
  const NodeId n = node_of(context, call.arguments[1]);
  if (!is_no_finer(graph[n].level, scope))
    fail(error(DiagnosticKind::too_fine, call.spans[1],
               (scope == Level::recipe ? "over the model" : "over a " + std::string(scope_name(scope))) +
                   " the amount must be one number, got " + describe_kind(call.arguments[1], graph)));
  if (auto known = graph.constant_value(n)) {
    const double total = scope == Level::recipe
                             ? static_cast<double>(counted_elements(context, x))
                             : std::numeric_limits<double>::infinity();
    if (*known < least || *known != std::floor(*known) || (least > 0 && *known > total))
      fail(error(DiagnosticKind::out_of_range, call.spans[1],
                 "the amount is a whole number from " + format_number(least) + " to " + format_number(total) +
                     ", got " + format_number(*known)));
  }
  return {x, n, scope};
}

}  // namespace

Value sum(Evaluator& evaluator, const PrimitiveCall& call) {
  if (has_scope(call)) return reduced(evaluator, call, ReduceOp::sum);
  SpaceContext context = evaluator.context(call.span);
  return sum_of(context, across(evaluator, call, "sum"));
}

// Across a list: how many of the masks are true, element by element.
Value count(Evaluator& evaluator, const PrimitiveCall& call) {
  if (has_scope(call)) return reduced(evaluator, call, ReduceOp::count);
  SpaceContext context = evaluator.context(call.span);
  std::vector<Value> flags;
  for (const Value& value : across(evaluator, call, "count")) {
    if (auto* plain = value.get<bool>()) {
      flags.push_back(*plain ? 1.0 : 0.0);
    } else {
      Graph& graph = evaluator.graph();
      const NodeId flag = graph.number(graph.mask(node_of(context, value)));
      flags.push_back(space_name(graph, value) == "number" ? number_data(flag) : tensors_data(flag));
    }
  }
  return sum_of(context, flags);
}

Value minimum(Evaluator& evaluator, const PrimitiveCall& call) {
  return extreme(evaluator, call, ReduceOp::min, Op::min, "min");
}

Value maximum(Evaluator& evaluator, const PrimitiveCall& call) {
  return extreme(evaluator, call, ReduceOp::max, Op::max, "max");
}

Value dot(Evaluator& evaluator, const PrimitiveCall& call) {
  const NodeId a = elements(evaluator, call, 0), b = elements(evaluator, call, 1);
  SpaceContext context = evaluator.context(call.span);
  const Value operands[] = {call.arguments[0], call.arguments[1]};
  aligned_nodes(context, operands);
  Graph& graph = evaluator.graph();
  return number(graph.reduce(ReduceOp::dot, scope_of(call, 2), graph.number(a), graph.number(b)));
}

Value size(Evaluator& evaluator, const PrimitiveCall& call) {
  const NodeId x = elements(evaluator, call, 0);
  Graph& graph = evaluator.graph();
  switch (scope_of(call, 1)) {
    case Level::tensor: return number(graph.fact(TensorFact::numel));
    case Level::row: return number(graph.fact(TensorFact::columns));
    case Level::column: return number(graph.fact(TensorFact::rows));
    default: break;
  }
  SpaceContext context = evaluator.context(call.span);
  return static_cast<double>(counted_elements(context, x));
}

Value largest(Evaluator& evaluator, const PrimitiveCall& call) {
  const Amount amount = amount_of(evaluator, call, 1);
  return number(evaluator.graph().largest(amount.x, amount.n, amount.scope));
}

Value top(Evaluator& evaluator, const PrimitiveCall& call) {
  const Amount amount = amount_of(evaluator, call, 0);
  return tensors_data(evaluator.graph().top(amount.x, amount.n, amount.scope));
}

Value ordinal(Evaluator& evaluator, const PrimitiveCall& call) {
  const NodeId x = elements(evaluator, call, 0);
  return tensors_data(evaluator.graph().ordinal(x, scope_of(call, 1)));
}

Value where(Evaluator& evaluator, const PrimitiveCall& call) {
  SpaceContext context = evaluator.context(call.span);
  return choose(context, call.arguments[0], call.arguments[1], call.arguments[2]);
}

Value uniform(Evaluator& evaluator, const PrimitiveCall& call) {
  return random_field(evaluator, call, NodeKind::uniform, 0, 1, std::nullopt);
}

Value normal(Evaluator& evaluator, const PrimitiveCall& call) {
  SpaceContext context = evaluator.context(call.span);
  const Value field = random_field(evaluator, call, NodeKind::normal, 0, 1, std::nullopt);
  const Value spread = binary(context, ast::BinaryOp::multiply, call.arguments[3], field);
  return binary(context, ast::BinaryOp::add, call.arguments[2], spread);
}

Value bernoulli(Evaluator& evaluator, const PrimitiveCall& call) {
  SpaceContext context = evaluator.context(call.spans[0]);
  const NodeId p = node_of(context, call.arguments[0]);
  if (evaluator.graph()[p].level == Level::element)
    fail(error(DiagnosticKind::too_fine, call.spans[0],
               "the probability must be one number for a tensor, row or column, got " +
                   describe_kind(call.arguments[0], evaluator.graph()))
             .hint("compare a field instead: `uniform(seed, stream) < p`"));
  return random_field(evaluator, call, NodeKind::bernoulli, 1, 2, p);
}

// 0, for a random choice that was given no stream; an error where two different values of one expression
// would share it.
Value lone_stream(Evaluator& evaluator, const PrimitiveCall& call) {
  SpaceContext context = evaluator.context(call.span);
  evaluator.claim_lone_stream(node_of(context, call.arguments[0]), call.span);
  return 0.0;
}

}  // namespace roux::primitives
