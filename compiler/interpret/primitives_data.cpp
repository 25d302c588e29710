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

// A value to reduce over its elements. `name`: the parameter that it is given for.
NodeId elements(Evaluator& evaluator, const PrimitiveCall& call, std::size_t i, const char* name) {
  const Value& value = call.arguments[i];
  if (auto* list = value.get<List>()) {
    Diagnostic wrong = error(DiagnosticKind::wrong_type, call.spans[i],
                             "with `over` it reduces inside one value, got " +
                                 std::string(list->items.empty() ? "an empty list" : "a list"));
    if (!list->items.empty()) wrong.help = "take each by itself: `[f(x, over = ...) for x in xs]`";
    throw Failure{{std::move(wrong)}, name};
  }
  SpaceContext context = evaluator.context(call.spans[i]);
  const NodeId node = aligned_nodes(context, {&value, 1})[0];
  const Node& what = evaluator.graph()[node];
  if (what.level == Level::element && what.domain != kNone) return node;
  Diagnostic none = error(DiagnosticKind::wrong_type, call.spans[i],
                          "there are no elements to reduce over in " + describe_kind(value, evaluator.graph()));
  if (what.level != Level::element)
    none.help = "a reduction goes over elements, in one step: reduce the value itself with the wider `over`";
  throw Failure{{std::move(none)}, name};
}

// Where there is nothing a smallest, largest or middle one cannot be told. (Of tensors without elements nobody asks.)
void refuse_nothing(Evaluator& evaluator, const PrimitiveCall& call, NodeId x, Level scope, const char* name) {
  SpaceContext context = evaluator.context(call.spans[0]);
  if (scope != Level::recipe || counted_elements(context, x) > 0) return;
  throw Failure{{error(DiagnosticKind::empty_list, call.spans[0],
                       "there is no element in " + describe_kind(call.arguments[0], evaluator.graph()) + " of " +
                           format_count(evaluator.graph().domain(evaluator.graph()[x].domain).tensors.size(), "tensor") +
                           ", so there is none to choose")
                     .hint("`size(x, over = model)` tells how many there are")},
                name};
}

Value number(NodeId node) { return number_data(node); }

Value reduced(Evaluator& evaluator, const PrimitiveCall& call, ReduceOp op) {
  const NodeId x = elements(evaluator, call, 0, "values");
  const bool chooses = op == ReduceOp::min || op == ReduceOp::max;
  if (chooses) refuse_nothing(evaluator, call, x, scope_of(call, 1), "values");
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

// How many elements there are in the smallest of what a scope tells apart.
struct Smallest {
  double elements;
  std::string where;  // " in a row of `head.weight`"; empty: in the whole
};

Smallest smallest_of(SpaceContext& context, NodeId x, Level scope) {
  if (scope == Level::recipe) return {static_cast<double>(counted_elements(context, x)), ""};
  Smallest least{std::numeric_limits<double>::infinity(), ""};
  for (const Domain::Tensor& tensor : context.graph.domain(context.graph[x].domain).tensors) {
    const auto fact = [&](TensorFact which) { return tensor.facts[static_cast<std::size_t>(which)]; };
    const double own = scope == Level::row      ? fact(TensorFact::columns)
                       : scope == Level::column ? fact(TensorFact::rows)
                                                : static_cast<double>(tensor.element_count);
    if (tensor.element_count > 0 && own < least.elements)
      least = {own, " in " + (scope == Level::tensor ? "" : "a " + std::string(scope_name(scope)) + " of ") +
                        quoted(tensor.name)};
  }
  return least;
}

// The operands of an order statistic: its amount is no finer than its scope.
Amount amount_of(Evaluator& evaluator, const PrimitiveCall& call, double least) {
  const NodeId x = elements(evaluator, call, 0, "x");
  const Level scope = scope_of(call, 2);
  SpaceContext context = evaluator.context(call.spans[1]);
  const Graph& graph = evaluator.graph();
  const NodeId n = node_of(context, call.arguments[1]);
  if (!is_no_finer(graph[n].level, scope))
    fail(error(DiagnosticKind::too_fine, call.spans[1],
               (scope == Level::recipe ? "over the model" : "over a " + std::string(scope_name(scope))) +
                   " the amount must be one number, got " + describe_kind(call.arguments[1], graph)));
  const auto known = graph.constant_value(n);
  if (!known) return {x, n, scope};
  if (least > 0) refuse_nothing(evaluator, call, x, scope, "x");
  const Smallest most = smallest_of(context, x, scope);
  const double last = least > 0 ? most.elements : std::numeric_limits<double>::infinity();
  if (*known < least || *known != std::floor(*known) || *known > last)
    fail(error(DiagnosticKind::out_of_range, call.spans[1],
               "the amount is a whole number from " + format_number(least) +
                   (std::isfinite(last) ? " to " + format_number(last) + most.where : std::string(" on")) + ", got " +
                   format_number(*known)));
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
  const NodeId a = elements(evaluator, call, 0, "a"), b = elements(evaluator, call, 1, "b");
  SpaceContext context = evaluator.context(call.span);
  const Value operands[] = {call.arguments[0], call.arguments[1]};
  aligned_nodes(context, operands);
  Graph& graph = evaluator.graph();
  return number(graph.reduce(ReduceOp::dot, scope_of(call, 2), graph.number(a), graph.number(b)));
}

Value size(Evaluator& evaluator, const PrimitiveCall& call) {
  const NodeId x = elements(evaluator, call, 0, "x");
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
  const NodeId x = elements(evaluator, call, 0, "x");
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
