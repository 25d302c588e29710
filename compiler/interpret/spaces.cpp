#include "compiler/interpret/spaces.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/text.h"
#include "compiler/interpret/domains.h"
#include "compiler/interpret/failure.h"
#include "runtime/kernel/semantics.h"

namespace roux {
namespace {

using ast::BinaryOp;

constexpr double kWeightTolerance = 1e-9;  // relative to the sum of |w| (LANGUAGE, section 2)

bool has_weight(const Graph& graph, const Data& data, double wanted) {
  if (data.space != Space::combination) return false;
  const auto weight = graph.constant_value(data.weight);
  return weight && std::fabs(*weight - wanted) <= kWeightTolerance * data.weight_magnitude;
}

bool is_model(const Graph& graph, const Data& data) { return has_weight(graph, data, 1); }
bool is_delta(const Graph& graph, const Data& data) { return has_weight(graph, data, 0); }

std::optional<double> plain_number(const Value& value) {
  if (auto* number = value.get<double>()) return *number;
  if (auto* flag = value.get<bool>()) return *flag ? 1.0 : 0.0;
  return std::nullopt;
}

bool is_zero(const Graph& graph, const Data& data) {
  return data.space == Space::number && graph.constant_value(data.node) == 0.0;
}

bool is_coarse_number(const Graph& graph, const Data& data) {
  return data.space == Space::number && graph[data.node].level != Level::element;
}

Data combination(NodeId node, NodeId weight, double magnitude, std::shared_ptr<const Data> base) {
  return {node, Space::combination, weight, magnitude, std::move(base)};
}

Data delta_data(Graph& graph, NodeId node, std::shared_ptr<const Data> base) {
  return combination(node, graph.constant(0), 0, std::move(base));
}

Space plain_space(std::initializer_list<const Data*> operands) {
  for (const Data* data : operands)
    if (data->space != Space::number) return Space::tensors;
  return Space::number;
}

bool same_base(SpaceContext& context, const Data& a, const Data& b) {
  if (a.node == b.node) return true;
  const Node& first = context.graph[a.node];
  const Node& second = context.graph[b.node];
  if (first.kind != NodeKind::source || second.kind != NodeKind::source) return false;
  return unwrap(context.host.same_checkpoint(first.attribute, second.attribute));
}

using Base = std::shared_ptr<const Data>;

// model + delta: the delta brings its base along where the model is that base or descends from it.
Base base_of_shifted(SpaceContext& context, const Data& model, const Data& delta) {
  if (!delta.base) return model.base;
  if (same_base(context, model, *delta.base)) return delta.base;
  if (!model.base) return nullptr;
  if (same_base(context, *model.base, *delta.base)) return model.base;
  context.host.note(note(DiagnosticKind::other_base, context.span,
                         "the delta was taken from another base than the model it is added to"));
  return model.base;
}

Data add_combinations(SpaceContext& context, const Data& a, const Data& b, bool subtract) {
  Graph& graph = context.graph;
  const NodeId node = subtract ? graph.subtract(a.node, b.node) : graph.add(a.node, b.node);
  const NodeId weight = subtract ? graph.subtract(a.weight, b.weight) : graph.add(a.weight, b.weight);
  Base base;
  if (subtract && is_model(graph, a) && is_model(graph, b))
    base = std::make_shared<const Data>(b);
  else if (is_model(graph, a) && is_delta(graph, b))
    base = base_of_shifted(context, a, b);
  else if (!subtract && is_delta(graph, a) && is_model(graph, b))
    base = base_of_shifted(context, b, a);
  else
    base = shared_base(context, a.base, b.base);
  return combination(node, weight, a.weight_magnitude + b.weight_magnitude, std::move(base));
}

Data add_or_subtract(SpaceContext& context, const Data& a, const Data& b, bool subtract) {
  Graph& graph = context.graph;
  if (a.space == Space::combination && b.space == Space::combination)
    return add_combinations(context, a, b, subtract);
  if (a.space == Space::combination && is_zero(graph, b)) return a;
  if (b.space == Space::combination && is_zero(graph, a) && !subtract) return b;
  const NodeId node = subtract ? graph.subtract(a.node, b.node) : graph.add(a.node, b.node);
  return {node, plain_space({&a, &b})};
}

// number * combination.
Data scaled(SpaceContext& context, NodeId factor, const Data& data) {
  Graph& graph = context.graph;
  const double size = std::fabs(graph.constant_value(factor).value_or(1));
  return combination(graph.multiply(factor, data.node), graph.multiply(factor, data.weight),
                     size * data.weight_magnitude, data.base);
}

Data multiply(SpaceContext& context, const Data& a, const Data& b) {
  Graph& graph = context.graph;
  if (b.space == Space::combination && is_coarse_number(graph, a)) return scaled(context, a.node, b);
  if (a.space == Space::combination && is_coarse_number(graph, b)) return scaled(context, b.node, a);
  const NodeId node = graph.multiply(a.node, b.node);
  if (is_delta(graph, a) && b.space != Space::combination) return delta_data(graph, node, a.base);
  if (is_delta(graph, b) && a.space != Space::combination) return delta_data(graph, node, b.base);
  return {node, plain_space({&a, &b})};
}

Data divide(SpaceContext& context, const Data& a, const Data& b) {
  Graph& graph = context.graph;
  if (graph.constant_value(b.node) == 0.0)
    fail(error(DiagnosticKind::arithmetic, context.span, "division by zero"));
  if (a.space == Space::combination && is_coarse_number(graph, b))
    return scaled(context, graph.divide(graph.constant(1), b.node), a);
  const NodeId node = graph.divide(a.node, b.node);
  if (is_delta(graph, a) && b.space != Space::combination) return delta_data(graph, node, a.base);
  return {node, plain_space({&a, &b})};
}

struct Comparison {
  Op op;
  bool swapped;
};

std::optional<Comparison> comparison(BinaryOp op) {
  switch (op) {
    case BinaryOp::equal: return Comparison{Op::eq, false};
    case BinaryOp::not_equal: return Comparison{Op::ne, false};
    case BinaryOp::less: return Comparison{Op::lt, false};
    case BinaryOp::less_equal: return Comparison{Op::le, false};
    case BinaryOp::greater: return Comparison{Op::lt, true};
    case BinaryOp::greater_equal: return Comparison{Op::le, true};
    case BinaryOp::logical_and: return Comparison{Op::logical_and, false};
    case BinaryOp::logical_or: return Comparison{Op::logical_or, false};
    default: return std::nullopt;
  }
}

Value plain_binary(SpaceContext& context, BinaryOp op, double a, double b) {
  switch (op) {
    case BinaryOp::add: return a + b;
    case BinaryOp::subtract: return a - b;
    case BinaryOp::multiply: return a * b;
    case BinaryOp::divide:
      if (b == 0) fail(error(DiagnosticKind::arithmetic, context.span, "division by zero"));
      return a / b;
    case BinaryOp::power: {
      const NodeId power = context.graph.power(context.graph.constant(a), context.graph.constant(b));
      return *context.graph.constant_value(power);
    }
    default: break;
  }
  const auto how = comparison(op);
  ROUX_CHECK(how.has_value());
  return apply_scalar(how->op, how->swapped ? b : a, how->swapped ? a : b, 0) != 0;
}

}  // namespace

Data data_of(SpaceContext& context, const Value& value) {
  if (auto* data = value.get<Data>()) return *data;
  if (auto number = plain_number(value)) return number_data(context.graph.constant(*number));
  if (auto* soup = value.get<Soup>()) return soup_mean(context, *soup);
  fail(error(DiagnosticKind::wrong_type, context.span,
             "expected a number or tensors, got " + describe_kind(value, context.graph)));
}

std::shared_ptr<const Data> common_base(SpaceContext& context, const std::vector<Data>& models) {
  if (models.empty()) return nullptr;
  Base base = models[0].base;
  for (const Data& model : models) base = shared_base(context, base, model.base);
  return base;
}

bool is_model(const Graph& graph, const Value& value) {
  auto* data = value.get<Data>();
  return data && is_model(graph, *data);
}

bool is_delta(const Graph& graph, const Value& value) {
  auto* data = value.get<Data>();
  return data && is_delta(graph, *data);
}

Data number_data(NodeId node) { return {.node = node, .space = Space::number}; }
Data tensors_data(NodeId node) { return {.node = node, .space = Space::tensors}; }

Value binary(SpaceContext& context, BinaryOp op, const Value& left, const Value& right) {
  const auto plain_left = plain_number(left), plain_right = plain_number(right);
  if (plain_left && plain_right) return plain_binary(context, op, *plain_left, *plain_right);

  const Data a = data_of(context, left), b = data_of(context, right);
  check_alignment(context, {{a, b}});
  switch (op) {
    case BinaryOp::add: return add_or_subtract(context, a, b, false);
    case BinaryOp::subtract: return add_or_subtract(context, a, b, true);
    case BinaryOp::multiply: return multiply(context, a, b);
    case BinaryOp::divide: return divide(context, a, b);
    case BinaryOp::power: return Data{context.graph.power(a.node, b.node), plain_space({&a, &b})};
    default: break;
  }
  const auto how = comparison(op);
  ROUX_CHECK(how.has_value());
  const NodeId node = how->swapped ? context.graph.operation(how->op, {b.node, a.node})
                                   : context.graph.operation(how->op, {a.node, b.node});
  return Data{node, plain_space({&a, &b})};
}

Value negate(SpaceContext& context, const Value& value) {
  if (auto number = plain_number(value)) return -*number;
  return binary(context, BinaryOp::multiply, -1.0, value);
}

Value logical_not(SpaceContext& context, const Value& value) {
  if (auto number = plain_number(value)) return *number == 0;
  const Value operands[] = {value};
  return elementwise(context, Op::logical_not, operands);
}

Value elementwise(SpaceContext& context, Op op, std::span<const Value> operands) {
  double plain[3] = {0, 0, 0};
  bool all_plain = true;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const auto number = plain_number(operands[i]);
    all_plain = all_plain && number;
    plain[i] = number.value_or(0);
  }
  if (all_plain) {
    const double result = apply_scalar(op, plain[0], plain[1], plain[2]);
    return facts_of(op).result == ValueType::mask ? Value(result != 0) : Value(result);
  }
  Space space = Space::number;
  std::vector<Data> data;
  std::vector<NodeId> nodes;
  for (const Value& value : operands) {
    data.push_back(data_of(context, value));
    nodes.push_back(data.back().node);
    if (data.back().space != Space::number) space = Space::tensors;
  }
  check_alignment(context, data);
  return Data{context.graph.operation(op, std::move(nodes)), space};
}

Value choose(SpaceContext& context, const Value& mask, const Value& yes, const Value& no) {
  if (auto known = plain_number(mask)) return *known != 0 ? yes : no;
  const Data m = data_of(context, mask), a = data_of(context, yes), b = data_of(context, no);
  const Data all[] = {m, a, b};
  check_alignment(context, all);
  Graph& graph = context.graph;
  const NodeId node = graph.operation(Op::where, {m.node, a.node, b.node});
  const Base base = shared_base(context, a.base, b.base);
  if (is_model(graph, a) && is_model(graph, b)) return combination(node, graph.constant(1), 1, base);
  if (is_delta(graph, a) && is_delta(graph, b)) return delta_data(graph, node, base);
  if (is_delta(graph, a) && is_zero(graph, b)) return delta_data(graph, node, a.base);
  if (is_zero(graph, a) && is_delta(graph, b)) return delta_data(graph, node, b.base);
  const bool number = m.space == Space::number && a.space == Space::number && b.space == Space::number;
  return Data{node, number ? Space::number : Space::tensors};
}

Value sum_of(SpaceContext& context, std::span<const Value> values) {
  if (values.empty()) return 0.0;
  Value total = values[0];
  for (const Value& value : values.subspan(1)) total = binary(context, BinaryOp::add, total, value);
  return total;
}

std::shared_ptr<const Data> shared_base(SpaceContext& context, const Base& a, const Base& b) {
  return a && b && same_base(context, *a, *b) ? a : nullptr;
}

NodeId node_of(SpaceContext& context, const Value& value) { return data_of(context, value).node; }

std::vector<NodeId> aligned_nodes(SpaceContext& context, std::span<const Value> values) {
  std::vector<Data> data;
  std::vector<NodeId> nodes;
  for (const Value& value : values) {
    data.push_back(data_of(context, value));
    nodes.push_back(data.back().node);
  }
  check_alignment(context, data);
  return nodes;
}

Data soup_mean(SpaceContext& context, const Soup& soup) {
  check_alignment(context, soup.ingredients);
  double total = 0;
  for (double weight : soup.weights) total += weight;
  std::vector<Value> parts;
  for (std::size_t i = 0; i < soup.ingredients.size(); ++i)
    parts.push_back(scaled(context, context.graph.constant(soup.weights[i] / total), soup.ingredients[i]));
  const Value mean = sum_of(context, parts);
  return *mean.get<Data>();
}

Data as_model(SpaceContext& context, const Value& value) {
  const Graph& graph = context.graph;
  if (auto* soup = value.get<Soup>()) return soup_mean(context, *soup);
  auto* data = value.get<Data>();
  if (data && is_model(graph, *data)) return *data;
  if (!data || data->space != Space::combination || is_delta(graph, *data)) {
    Diagnostic wrong = error(DiagnosticKind::wrong_space, context.span,
                             "expected a model, got " + describe_kind(value, graph));
    if (data && is_delta(graph, *data)) wrong.help = "a delta becomes a model by adding it to one: `base + delta`";
    if (data && data->space == Space::tensors) wrong.help = "if it is one, say so: `(...) as model`";
    if (value.is<List>()) wrong.help = "merge the list first, e.g. `mean(models)`";
    if (auto* path = value.get<std::string>()) wrong.help = "open it first: `load(" + string_literal(*path) + ")`";
    fail(std::move(wrong));
  }
  if (auto weight = graph.constant_value(data->weight))
    fail(error(DiagnosticKind::total_weight, context.span,
               "this combination of models has total weight " + format_number(*weight) +
                   "; a model needs 1")
             .hint("for an average write `mean([a, b])`, for a change `model + (a - b)`"));
  fail(error(DiagnosticKind::total_weight, context.span,
             "the total weight of this combination depends on numbers that only tensors tell")
           .hint("if it is 1, say so: `(...) as model`"));
}

Data as_delta(SpaceContext& context, const Value& value) {
  const Graph& graph = context.graph;
  auto* data = value.get<Data>();
  if (data && is_delta(graph, *data)) return *data;
  Diagnostic wrong = error(DiagnosticKind::wrong_space, context.span,
                           "expected a delta, got " + describe_kind(value, graph));
  if (value.is<Soup>() || (data && is_model(graph, *data)))
    wrong.help = "a delta is a difference of two models: `model - base`";
  else if (data && data->space == Space::tensors)
    wrong.help = "if it is one, say so: `(...) as delta`";
  fail(std::move(wrong));
}

std::string space_name(const Graph& graph, const Value& value) {
  if (value.is<Soup>() || is_model(graph, value)) return "model";
  if (is_delta(graph, value)) return "delta";
  if (auto* data = value.get<Data>()) {
    if (data->space == Space::combination) return "combination";
    return data->space == Space::tensors ? "tensors" : "number";
  }
  if (plain_number(value)) return "number";
  return "other";
}

}  // namespace roux
