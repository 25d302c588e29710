// Binary operators, indices and members.
#include <cmath>

#include "base/limits.h"
#include "base/text.h"
#include "compiler/interpret/by_name.h"
#include "compiler/interpret/evaluator.h"
#include "compiler/interpret/failure.h"

namespace roux {
namespace {

using ast::BinaryOp;

bool is_arithmetic_operand(const Value& value) {
  return value.is<double>() || value.is<bool>() || value.is<Data>() || value.is<Soup>();
}

constexpr double kLargestWhole = 9007199254740992.0;  // 2^53: beyond it not every whole number is an f64

}  // namespace

Value range_of(double first, double last, Span span) {
  const auto is_whole = [](double x) { return x == std::floor(x) && std::fabs(x) <= kLargestWhole; };
  if (!is_whole(first) || !is_whole(last))
    fail(error(DiagnosticKind::wrong_type, span, "the ends of a range are whole numbers"));
  if (last - first > static_cast<double>(limits::kListLength))
    fail(error(DiagnosticKind::limit, span,
               "a range of more than " + std::to_string(limits::kListLength) + " numbers"));
  List list;
  for (double i = 0; i < last - first; ++i) list.items.push_back(first + i);
  return list;
}

namespace {

Value concatenation(SpaceContext& context, const Value& left, const Value& right) {
  if (left.is<std::string>() && right.is<std::string>())
    return *left.get<std::string>() + *right.get<std::string>();
  for (const auto& [text, other] : {std::pair(&left, &right), std::pair(&right, &left)})
    if (text->is<std::string>() && is_arithmetic_operand(*other))
      fail(error(DiagnosticKind::wrong_type, context.span,
                 "`++` joins a string to a string, got " + describe_kind(*other, context.graph))
               .hint("put it into the text: \"${...}\""));
  List list{items_of(context, left, "the left side of `++`")};
  const std::vector<Value> more = items_of(context, right, "the right side of `++`");
  if (list.items.size() + more.size() > limits::kListLength)
    fail(error(DiagnosticKind::limit, context.span,
               "a list of more than " + std::to_string(limits::kListLength) + " items"));
  list.items.insert(list.items.end(), more.begin(), more.end());
  return list;
}

Value without(SpaceContext& context, const Value& left, const Value& right) {
  const std::vector<Value> removed = items_of(context, right, "the right side of `without`");
  List list;
  for (const Value& item : items_of(context, left, "the left side of `without`")) {
    bool keep = true;
    for (const Value& other : removed) keep = keep && !equal_values(item, other);
    if (keep) list.items.push_back(item);
  }
  return list;
}

std::size_t position(double index, std::size_t size, Span span) {
  const double at = index < 0 ? index + static_cast<double>(size) : index;
  if (index == std::floor(index) && at >= 0 && at < static_cast<double>(size)) return static_cast<std::size_t>(at);
  if (index != std::floor(index))
    fail(error(DiagnosticKind::bad_index, span, "an index is a whole number, got " + format_number(index)));
  Diagnostic outside = error(DiagnosticKind::bad_index, span,
                             "there is no item " + format_number(index) + " in a list of " + std::to_string(size));
  if (size > 0)
    outside.help = "items are counted from 0 to " + std::to_string(size - 1) + "; `-1` is the last one";
  fail(std::move(outside));
}

}  // namespace

// `models - base` for each item: `[x - base for x in models]`.
std::string Evaluator::each_of(const ast::Binary& node, bool is_left, const Frame& frame) const {
  const auto text_of_operand = [&](ast::ExprId id) { return std::string(sources_.text(frame.module[id].span)); };
  const std::string left = text_of_operand(node.left), right = text_of_operand(node.right);
  return "[" + (is_left ? "x" : left) + " " + std::string(spelling(node.op)) + " " + (is_left ? right : "x") +
         " for x in " + (is_left ? left : right) + "]";
}

Value Evaluator::eval_node(const ast::Binary& node, Span span, Frame& frame) {
  if (node.op == BinaryOp::logical_and || node.op == BinaryOp::logical_or)
    return eval_logical(node, span, frame);
  const Value left = eval(node.left, frame), right = eval(node.right, frame);
  if (left.is<Poison>() || right.is<Poison>()) return Poison{};
  SpaceContext where = context(span);
  switch (node.op) {
    case BinaryOp::range: {
      const auto first = control_number(left, "the start of a range", frame.module[node.left].span);
      const auto last = control_number(right, "the end of a range", frame.module[node.right].span);
      return range_of(first.value_or(0), last.value_or(first.value_or(0) + 1), span);
    }
    case BinaryOp::concatenate: return concatenation(where, left, right);
    case BinaryOp::without: return without(where, left, right);
    case BinaryOp::equal:
    case BinaryOp::not_equal:
      if (!is_arithmetic_operand(left) || !is_arithmetic_operand(right))
        return equal_values(left, right) == (node.op == BinaryOp::equal);
      break;
    default: break;
  }
  const auto refuse = [&](const Value& operand) {
    Diagnostic wrong = error(DiagnosticKind::wrong_type, span,
                             std::string("`") + spelling(node.op) + "` cannot take " +
                                 describe_kind(operand, graph_));
    if (operand.is<List>()) wrong.help = "apply it to each: " + quoted(each_of(node, left.is<List>(), frame));
    if (operand.is<std::string>()) wrong.help = "texts are joined by `++` or \"${...}\"";
    fail(std::move(wrong));
  };
  if (!is_arithmetic_operand(left)) refuse(left);
  if (!is_arithmetic_operand(right)) refuse(right);
  return binary(where, node.op, left, right);
}

// `and` and `or` of plain conditions do not look at the right side where the left one decides.
Value Evaluator::eval_logical(const ast::Binary& node, Span span, Frame& frame) {
  const Value left = eval(node.left, frame);
  if (left.is<Poison>()) return left;
  if (auto* flag = left.get<bool>()) {
    if (*flag == (node.op == BinaryOp::logical_or)) return *flag;
    const Value right = eval(node.right, frame);
    if (!is_arithmetic_operand(right) && !right.is<Poison>())
      fail(error(DiagnosticKind::wrong_type, frame.module[node.right].span,
                 "expected a condition, got " + describe_kind(right, graph_)));
    return right;
  }
  const Value right = eval(node.right, frame);
  if (right.is<Poison>()) return right;
  SpaceContext where = context(span);
  return binary(where, node.op, left, right);
}

Value Evaluator::eval_node(const ast::Index& node, Span span, Frame& frame) {
  const Value object = eval(node.object, frame);
  const Value index = eval(node.index, frame);
  if (object.is<Poison>() || index.is<Poison>()) return Poison{};
  SpaceContext where = context(span);
  if (auto* glob = index.get<std::string>()) return part_by_glob(where, object, *glob);
  const std::vector<Value> items = items_of(where, object, "what is indexed");
  const Span index_span = frame.module[node.index].span;
  if (auto* list = index.get<List>()) {
    List chosen;
    for (const Value& item : list->items)
      chosen.items.push_back(items[position(control_number(item, "an index", index_span).value_or(0),
                                            items.size(), index_span)]);
    return chosen;
  }
  const auto at = control_number(index, "an index", index_span);
  return items[position(at.value_or(0), items.size(), index_span)];
}

Value Evaluator::eval_node(const ast::Member& node, Span, Frame& frame) {
  const Value object = eval(node.object, frame);
  if (object.is<Poison>()) return object;
  std::vector<std::string> known;
  if (auto* record = object.get<Record>()) {
    for (const auto& [name, value] : record->fields) {
      if (name == node.name) return value;
      known.push_back(name);
    }
  } else if (auto* soup = object.get<Soup>()) {
    known = {"ingredients", "weights"};
    List list;
    if (node.name == "ingredients") list.items.assign(soup->ingredients.begin(), soup->ingredients.end());
    if (node.name == "weights") list.items.assign(soup->weights.begin(), soup->weights.end());
    if (node.name == "ingredients" || node.name == "weights") return list;
  } else if (auto* scorer = object.get<Scorer>()) {
    known = {"goal"};
    if (node.name == "goal") return std::string(scorer->higher_is_better ? "max" : "min");
  }
  Diagnostic unknown = error(DiagnosticKind::unknown_member, node.name_span,
                             describe_kind(object, graph_) + " has no member " + quoted(node.name));
  if (auto near = nearest(node.name, known)) unknown.help = "nearest is " + quoted(*near);
  const bool is_of_soups = nearest(node.name, {"ingredients", "weights"}).has_value();
  if (is_of_soups && is_merged(graph_, object)) unknown.help = kKeepsIngredients;
  if (object.is<List>())
    unknown.help = "`len(xs)` is the length of a list, `xs ++ [x]` a longer list, `sort(xs)` a sorted one";
  if (library_.contains(node.name))
    unknown.help = "it is a function here: " +
                   quoted(node.name + "(" + std::string(sources_.text(frame.module[node.object].span)) + ")");
  fail(std::move(unknown));
}

}  // namespace roux
