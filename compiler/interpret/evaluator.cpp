#include "compiler/interpret/evaluator.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/limits.h"
#include "base/text.h"
#include "compiler/interpret/conform.h"
#include "compiler/interpret/depth_guard.h"
#include "compiler/interpret/domains.h"
#include "compiler/interpret/failure.h"

namespace roux {

const Value* Environment::find(std::string_view name) const {
  for (const Environment* environment = this; environment; environment = environment->parent_.get()) {
    auto found = environment->values_.find(name);
    if (found != environment->values_.end()) return &found->second;
  }
  return nullptr;
}

namespace {

constexpr TensorFact kFacts[] = {TensorFact::layer, TensorFact::layer_count, TensorFact::depth,
                                 TensorFact::ndim, TensorFact::numel};
constexpr const char* kCondition = "the condition";
constexpr double kPi = 3.14159265358979323846;

}  // namespace

Evaluator::Evaluator(SourceMap& sources, Library& library, const Imports& imports, Graph& graph, Host& host,
                     const ControlLimits& limits)
    : sources_(sources), library_(library), imports_(imports), graph_(graph), host_(host), limits_(limits),
      root_(std::make_shared<Environment>(nullptr)) {
  root_->bind("pi", kPi);
  root_->bind("inf", HUGE_VAL);
  for (TensorFact fact : kFacts) root_->bind(name_of(fact), number_data(graph_.fact(fact)));
}

Evaluator::Evaluator(const Evaluator& other, Graph& copy, Host& host)
    : sources_(other.sources_), library_(other.library_), imports_(other.imports_), graph_(copy), host_(host),
      limits_(other.limits_), root_(other.root_), whole_matches_(other.whole_matches_),
      scorer_count_(other.scorer_count_) {}

Evaluator::~Evaluator() {
  // A function bound in the scope that it remembers keeps that scope alive: take the cycles apart.
  for (const std::weak_ptr<Environment>& captured : captured_)
    if (auto environment = captured.lock()) environment->clear();
}

std::shared_ptr<const Environment> Evaluator::capture(const Frame& frame) {
  captured_.push_back(frame.environment);
  return frame.environment;
}

// --- limits, numbers, scores ------------------------------------------------------------------------

void Evaluator::count_step(Span span) {
  if (steps_ % 1024 == 0 && host_.is_cancelled()) fail(error(DiagnosticKind::cancelled, span, "cancelled"));
  if (++steps_ > limits_.steps)
    fail(error(DiagnosticKind::limit, span, "more than " + std::to_string(limits_.steps) + " steps of control")
             .hint("a loop that is meant may go on with `--max-steps`"));
}

std::optional<double> Evaluator::control_number(const Value& value, const std::string& what, Span span) {
  if (auto* number = value.get<double>()) return *number;
  if (auto* flag = value.get<bool>()) return *flag ? 1.0 : 0.0;
  auto* data = value.get<Data>();
  if (data && data->space != Space::number && graph_[data->node].type == ValueType::mask)
    fail(error(DiagnosticKind::too_fine, span,
               what + " must be one for the recipe, got a mask: one for each element")
             .hint("reduce the mask to a number: `count(mask, over = model) > 0`"));
  if (!data || data->space != Space::number)
    fail(error(DiagnosticKind::wrong_type, span,
               what + (what == kCondition ? " must be `true` or `false`, got " : " must be a number, got ") +
                   describe_kind(value, graph_)));
  if (graph_[data->node].level != Level::recipe)
    fail(error(DiagnosticKind::too_fine, span,
               what + " must be one number for the recipe, got " + describe_kind(value, graph_))
             .hint("reduce it first, e.g. with `over = model`"));
  if (auto known = graph_.constant_value(data->node)) return known;
  if (host_.rehearsing()) return std::nullopt;
  need({data->node}, span);
  return unwrap(host_.number(data->node, span));
}

Value Evaluator::score(const Scorer& scorer, const Value& value, bool partial, Span span) {
  refuse_inside_match("score", span);
  SpaceContext where = context(span);
  const Data model = as_model(where, value);
  if (!partial) refuse_part(where, model, "scored", "scorer(part, partial = true)");
  print_waiting();
  if (const auto known = unwrap(host_.score(scorer, model, span))) return *known;
  auto [it, fresh] = rehearsed_scores_.emplace(std::pair(scorer.id, model.node), 0);
  if (fresh) it->second = graph_.unknown();
  return number_data(it->second);
}

void Evaluator::refuse_inside_match(const std::string& what, Span span) const {
  if (arm_depth_ == 0) return;
  fail(error(DiagnosticKind::wrong_place, span, "an arm of a `match` cannot " + what)
           .hint("bind what the `match` gives to a name, and " + what + " that"));
}

void Evaluator::claim_lone_stream(NodeId node, Span span) {
  if (!lone_stream_) lone_stream_ = {node, recipe_call_};
  if (lone_stream_->node == node) return;
  Diagnostic lone = error(DiagnosticKind::needs_stream, span,
                          "`drop` is used on several deltas of one expression without a stream: they would lose "
                          "the same elements");
  if (lone_stream_->call == recipe_call_) {
    lone.help = "number them: `[drop(d, p, stream = i) for (i, d) in enumerate(deltas)]`";
  } else {
    lone.notes.push_back({lone_stream_->call, "used here first"});
    lone.help = "give each a stream of its own: `stream = 0` to one, `stream = 1` to the other";
  }
  throw Failure{{std::move(lone)}, "stream"};
}

// --- expressions ------------------------------------------------------------------------------------

namespace {

// Says whose names are at hand while an expression is evaluated.
class Here {
 public:
  Here(const Environment*& here, const Environment* now) : here_(here), outer_(std::exchange(here, now)) {}
  ~Here() { here_ = outer_; }
  Here(const Here&) = delete;

 private:
  const Environment*& here_;
  const Environment* outer_;
};

}  // namespace

Value Evaluator::eval(ast::ExprId id, Frame& frame) {
  const ast::Expr& expr = frame.module[id];
  count_step(expr.span);
  const DepthGuard guard(evaluation_depth_, limits::kEvaluationDepth, "expressions", expr.span);
  const Here here(here_, frame.environment.get());
  Value value = std::visit([&](const auto& node) { return eval_node(node, expr.span, frame); }, expr.node);
  check_extent(value, expr.span);
  return value;
}

void Evaluator::check_extent(const Value& value, Span span) const {
  const Extent extent = extent_of(value);
  auto* text = value.get<std::string>();
  if (text && text->size() > limits::kTextBytes)
    fail(error(DiagnosticKind::limit, span, "a text of more than " + format_bytes(limits::kTextBytes)));
  if (extent.items > static_cast<double>(limits::kListLength))
    fail(error(DiagnosticKind::limit, span,
               "a list of more than " + std::to_string(limits::kListLength) + " items, those inside counted"));
  if (extent.depth > limits::kListDepth)
    fail(error(DiagnosticKind::limit, span,
               "lists are nested more than " + std::to_string(limits::kListDepth) + " deep"));
}

Value Evaluator::eval_node(const ast::Number& node, Span, Frame&) { return node.value; }
Value Evaluator::eval_node(const ast::Bool& node, Span, Frame&) { return node.value; }
Value Evaluator::eval_node(const ast::None&, Span, Frame&) { return {}; }

Value Evaluator::eval_node(const ast::Name& node, Span span, Frame& frame) {
  if (const Value* found = frame.environment->find(node.text)) return *found;
  if (const MethodRef method = library_.find(node.text); method.method)
    return Function(MethodValue{method.module, method.method, nullptr});
  fail(error(DiagnosticKind::unknown_name, span, "unknown name " + quoted(node.text)));
}

Value Evaluator::eval_node(const ast::String& node, Span, Frame& frame) {
  std::string text;
  for (const ast::StringPart& part : node.parts)
    text += part.value == ast::kNoExpr ? part.text : text_of(eval(part.value, frame), frame.module[part.value].span);
  return text;
}

Value Evaluator::eval_node(const ast::List& node, Span, Frame& frame) {
  List list;
  for (ast::ExprId item : node.items) list.items.push_back(eval(item, frame));
  return list;
}

Value Evaluator::eval_node(const ast::Tuple& node, Span, Frame& frame) {
  Tuple tuple;
  for (ast::ExprId item : node.items) tuple.items.push_back(eval(item, frame));
  return tuple;
}

Value Evaluator::eval_node(const ast::Record& node, Span, Frame& frame) {
  Record record;
  for (const ast::Field& field : node.fields) record.fields.emplace_back(field.name, eval(field.value, frame));
  return record;
}

Value Evaluator::eval_node(const ast::Unary& node, Span span, Frame& frame) {
  const Value operand = eval(node.operand, frame);
  if (operand.is<Poison>()) return operand;
  SpaceContext where = context(span);
  return node.op == ast::UnaryOp::negate ? negate(where, operand) : logical_not(where, operand);
}

Value Evaluator::eval_node(const ast::If& node, Span span, Frame& frame) {
  const Value condition = eval(node.condition, frame);
  if (condition.is<Poison>()) return condition;
  if (auto* data = condition.get<Data>(); data && graph_[data->node].level != Level::recipe) {
    const Value yes = eval(node.then_value, frame), no = eval(node.else_value, frame);
    for (const Value& branch : {yes, no})
      if (branch.is<List>() || branch.is<std::string>() || branch.is<Record>() || branch.is<Function>())
        fail(error(DiagnosticKind::too_fine, frame.module[node.condition].span,
                   "this condition is decided for each " + std::string(scope_name(graph_[data->node].level)) +
                       ", so it cannot choose " +
                       describe_kind(branch, graph_))
                 .hint("choose between models, deltas, tensors or numbers, or reduce the condition first, "
                       "e.g. with `over = model`"));
    SpaceContext where = context(span);
    return choose(where, condition, yes, no);
  }
  const auto known = control_number(condition, kCondition, frame.module[node.condition].span);
  if (known) return eval(*known != 0 ? node.then_value : node.else_value, frame);
  // Only the run will know: whatever stands in either branch is looked at, and a number is left open.
  ++speculation_;
  const Value first = eval(node.then_value, frame), second = eval(node.else_value, frame);
  --speculation_;
  if (first.is<Poison>()) return second;
  const auto is_number = [](const Value& value) {
    auto* data = value.get<Data>();
    return value.is<double>() || value.is<bool>() || (data && data->space == Space::number);
  };
  return is_number(first) && is_number(second) ? Value(number_data(graph_.unknown())) : first;
}

Value Evaluator::eval_node(const ast::As& node, Span span, Frame& frame) {
  const Value value = eval(node.value, frame);
  if (value.is<Poison>()) return value;
  auto* data = value.get<Data>();
  const bool elements = data && graph_[data->node].level == Level::element;
  if (node.type.name == "model" && elements)
    return Data{data->node, Space::combination, graph_.constant(1), 1, data->base};
  if (node.type.name == "delta" && elements)
    return Data{data->node, Space::combination, graph_.constant(0), 0, data->base};
  if (node.type.name == "tensors" && elements) return tensors_data(data->node);
  SpaceContext where = context(span);
  return conform(where, value, node.type, "this value");
}

Value Evaluator::eval_node(const ast::Lambda& node, Span span, Frame& frame) {
  return Function(Closure{&frame.module, &node, span, capture(frame)});
}

Value Evaluator::eval_node(const ast::Block& node, Span, Frame& frame) {
  Frame inner{frame.module, std::make_shared<Environment>(frame.environment)};
  for (const ast::Statement& statement : node.statements) execute(statement, inner);
  return eval(node.result, inner);
}

bool is_merged(const Graph& graph, const Value& value) {
  auto* data = value.get<Data>();
  return data && is_model(graph, value) && graph[data->node].kind != NodeKind::source;
}

std::vector<Value> items_of(SpaceContext& context, const Value& value, const std::string& what) {
  if (value.is<Poison>()) throw Failure{};
  if (auto* list = value.get<List>()) return list->items;
  if (auto* tuple = value.get<Tuple>()) return tuple->items;
  if (auto* soup = value.get<Soup>()) return {soup->ingredients.begin(), soup->ingredients.end()};
  Diagnostic wrong =
      error(DiagnosticKind::wrong_type, context.span, what + " must be a list, got " + describe_kind(value, context.graph));
  if (is_merged(context.graph, value)) wrong.help = kKeepsIngredients;
  fail(std::move(wrong));
}

bool equal_values(const Value& a, const Value& b) {
  if (a.variant.index() != b.variant.index()) return false;
  if (a.is<NoneValue>()) return true;
  if (auto* text = a.get<std::string>()) return *text == *b.get<std::string>();
  if (auto* number = a.get<double>()) return *number == *b.get<double>();
  if (auto* flag = a.get<bool>()) return *flag == *b.get<bool>();
  const auto equal_items = [](const std::vector<Value>& x, const std::vector<Value>& y) {
    if (x.size() != y.size()) return false;
    for (std::size_t i = 0; i < x.size(); ++i)
      if (!equal_values(x[i], y[i])) return false;
    return true;
  };
  if (auto* list = a.get<List>()) return equal_items(list->items, b.get<List>()->items);
  if (auto* tuple = a.get<Tuple>()) return equal_items(tuple->items, b.get<Tuple>()->items);
  if (auto* record = a.get<Record>()) {
    const auto& x = record->fields;
    const auto& y = b.get<Record>()->fields;
    if (x.size() != y.size()) return false;
    for (std::size_t i = 0; i < x.size(); ++i)
      if (x[i].first != y[i].first || !equal_values(x[i].second, y[i].second)) return false;
    return true;
  }
  if (auto* data = a.get<Data>()) return data->node == b.get<Data>()->node;
  return false;
}

}  // namespace roux
