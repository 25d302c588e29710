// Operators, pipes, calls, indices and members.
#include <optional>
#include <utility>

#include "base/text.h"
#include "compiler/syntax/build_tree.h"

namespace roux::syntax {
namespace {

// The call or name that `context` consists of, or null if an operator is part of it.
RouxParser::PostfixContext* only_postfix(RouxParser::ChoiceContext& context) {
  if (!context.conditions.empty() || context.last->operands.size() > 1) return nullptr;
  const auto* conjunction = context.last->operands[0];
  if (conjunction->operands.size() > 1 || !conjunction->operands[0]->nots.empty()) return nullptr;
  const auto* comparison = conjunction->operands[0]->operand;
  if (comparison->right != nullptr || comparison->left->right != nullptr) return nullptr;
  const auto* sum = comparison->left->left;
  if (sum->operands.size() > 1 || sum->operands[0]->operands.size() > 1) return nullptr;
  const auto* power = sum->operands[0]->operands[0];
  if (power->operands.size() > 1 || !power->operands[0]->minuses.empty()) return nullptr;
  const auto* cast = power->operands[0]->operand;
  return cast->types.empty() ? cast->operand : nullptr;
}

ast::BinaryOp binary_op(std::size_t type) {
  switch (type) {
    case RouxLexer::PLUS: return ast::BinaryOp::add;
    case RouxLexer::MINUS: return ast::BinaryOp::subtract;
    case RouxLexer::STAR: return ast::BinaryOp::multiply;
    case RouxLexer::SLASH: return ast::BinaryOp::divide;
    case RouxLexer::CARET: return ast::BinaryOp::power;
    case RouxLexer::EQUAL: return ast::BinaryOp::equal;
    case RouxLexer::NOT_EQUAL: return ast::BinaryOp::not_equal;
    case RouxLexer::LESS: return ast::BinaryOp::less;
    case RouxLexer::LESS_EQUAL: return ast::BinaryOp::less_equal;
    case RouxLexer::GREATER: return ast::BinaryOp::greater;
    case RouxLexer::GREATER_EQUAL: return ast::BinaryOp::greater_equal;
    case RouxLexer::AND: return ast::BinaryOp::logical_and;
    case RouxLexer::OR: return ast::BinaryOp::logical_or;
    case RouxLexer::RANGE: return ast::BinaryOp::range;
    case RouxLexer::CONCATENATE: return ast::BinaryOp::concatenate;
    default: ROUX_CHECK(type == RouxLexer::WITHOUT); return ast::BinaryOp::without;
  }
}

}  // namespace

// --- operators, loosest first --------------------------------------------------------------------

ExprId TreeBuilder::optional_expr(RouxParser::ExprContext* context) {
  return context == nullptr ? ast::kNoExpr : expr(*context);
}

ExprId TreeBuilder::expr(RouxParser::ExprContext& context) {
  ExprId value = pipe(*context.body);
  for (std::size_t i = context.heads.size(); i-- > 0;)
    value =
        add(ast::Lambda{targets(*context.heads[i]), value}, between(*context.heads[i], context));
  return value;
}

std::vector<ExprId> TreeBuilder::exprs(const std::vector<RouxParser::ExprContext*>& contexts) {
  std::vector<ExprId> ids;
  ids.reserve(contexts.size());
  for (auto* context : contexts) ids.push_back(expr(*context));
  return ids;
}

ExprId TreeBuilder::pipe(RouxParser::PipeContext& context) {
  ExprId value = choice(*context.stages[0]);
  for (std::size_t i = 1; i < context.stages.size(); ++i)
    value = stage(value, *context.stages[i], between(*context.stages[0], *context.stages[i]));
  return value;
}

// `x |> f(a)` is `f(x, a)`, any other `x |> f` is `f(x)`.
ExprId TreeBuilder::stage(ExprId value, RouxParser::ChoiceContext& context, Span span) {
  RouxParser::PostfixContext* target = only_postfix(context);
  if (target == nullptr) {
    report(span_of(context), "right of `|>` stands a function or a call, and nothing around it",
           "put the part with `|>` in `( )`, or give a function: `x |> (y => ...)`");
    choice(context);
    return value;
  }
  const bool is_call = !target->suffixes.empty() &&
                       target->suffixes.back()->getStart()->getType() == RouxLexer::OPEN_PAREN;
  ast::Call call;
  call.callee = postfix(*target, target->suffixes.size() - (is_call ? 1 : 0));
  call.arguments.push_back({{}, {}, value});
  call.piped = true;
  if (is_call) add_arguments(as<RouxParser::CallSuffixContext>(*target->suffixes.back()), call);
  return add(std::move(call), span);
}

ExprId TreeBuilder::choice(RouxParser::ChoiceContext& context) {
  std::vector<ExprId> conditions, values;
  for (auto* condition : context.conditions) conditions.push_back(expr(*condition));
  for (auto* value : context.values) values.push_back(expr(*value));
  ExprId result = disjunction(*context.last);
  for (std::size_t i = conditions.size(); i-- > 0;) {
    const auto* keyword = i == 0 ? context.start : context.keywords[i];
    result = add(ast::If{conditions[i], values[i], result}, between(keyword, context));
  }
  return result;
}

// A chain of operands of one layer, from the left: `a - b + c` is `(a - b) + c`.
template <class Context, class Operand>
ExprId TreeBuilder::chain(Context& context, Operand operand) {
  ExprId left = operand(*context.operands[0]);
  for (std::size_t i = 1; i < context.operands.size(); ++i) {
    const ExprId right = operand(*context.operands[i]);
    left = binary(context.ops[i - 1], left, right,
                  between(*context.operands[0], *context.operands[i]));
  }
  return left;
}

ExprId TreeBuilder::disjunction(RouxParser::DisjunctionContext& context) {
  return chain(context, [this](auto& part) { return conjunction(part); });
}
ExprId TreeBuilder::conjunction(RouxParser::ConjunctionContext& context) {
  return chain(context, [this](auto& part) { return negation(part); });
}
ExprId TreeBuilder::sum(RouxParser::SumContext& context) {
  return chain(context, [this](auto& part) { return product(part); });
}
ExprId TreeBuilder::product(RouxParser::ProductContext& context) {
  return chain(context, [this](auto& part) { return power(part); });
}

ExprId TreeBuilder::negation(RouxParser::NegationContext& context) {
  return prefixed(ast::UnaryOp::logical_not, context.nots, comparison(*context.operand), context);
}
ExprId TreeBuilder::comparison(RouxParser::ComparisonContext& context) {
  const ExprId left = range(*context.left);
  if (context.right == nullptr) return left;
  return binary(context.op, left, range(*context.right), span_of(context));
}
ExprId TreeBuilder::range(RouxParser::RangeContext& context) {
  const ExprId left = sum(*context.left);
  if (context.right == nullptr) return left;
  return binary(context.op, left, sum(*context.right), span_of(context));
}

// From the right, and a minus takes the powers behind it: `-a ^ -b ^ c` is `-(a ^ (-(b ^ c)))`.
ExprId TreeBuilder::power(RouxParser::PowerContext& context) {
  std::vector<ExprId> operands;
  for (auto* operand : context.operands) operands.push_back(cast(*operand->operand));
  ExprId value = operands.back();
  for (std::size_t i = operands.size(); i-- > 0;) {
    auto& operand = *context.operands[i];
    if (i + 1 < operands.size())
      value = binary(context.ops[i], operands[i], value, between(*operand.operand, context));
    value = prefixed(ast::UnaryOp::negate, operand.minuses, value, context);
  }
  return value;
}

ExprId TreeBuilder::cast(RouxParser::CastContext& context) {
  ExprId value = postfix(*context.operand, context.operand->suffixes.size());
  for (auto* target : context.types)
    value = add(ast::As{value, type(*target)}, between(context, *target));
  return value;
}

ExprId TreeBuilder::prefixed(ast::UnaryOp op, const std::vector<antlr4::Token*>& signs,
                             ExprId value, antlr4::ParserRuleContext& last) {
  for (std::size_t i = signs.size(); i-- > 0;)
    value = add(ast::Unary{op, value}, between(signs[i], last));
  return value;
}

ExprId TreeBuilder::binary(const antlr4::Token* op, ExprId left, ExprId right, Span span) {
  return add(ast::Binary{binary_op(op->getType()), span_of(op), left, right}, span);
}

// --- call, index, member -------------------------------------------------------------------------

// The operand with its first `count` suffixes.
ExprId TreeBuilder::postfix(RouxParser::PostfixContext& context, std::size_t count) {
  ExprId object = primary(*context.operand);
  for (std::size_t i = 0; i < count; ++i)
    object = suffix(*context.suffixes[i], object, between(context, *context.suffixes[i]));
  return object;
}

ExprId TreeBuilder::suffix(RouxParser::SuffixContext& context, ExprId object, Span span) {
  switch (context.getStart()->getType()) {
    case RouxLexer::OPEN_PAREN: {
      ast::Call call;
      call.callee = object;
      add_arguments(as<RouxParser::CallSuffixContext>(context), call);
      return add(std::move(call), span);
    }
    case RouxLexer::OPEN_BRACKET:
      return add(ast::Index{object, expr(*as<RouxParser::IndexSuffixContext>(context).index)},
                 span);
    default: {
      auto* member = as<RouxParser::MemberSuffixContext>(context).member;
      return add(ast::Member{object, std::string(text_of(member->start)), span_of(*member)}, span);
    }
  }
}

void TreeBuilder::add_arguments(RouxParser::CallSuffixContext& context, ast::Call& call) {
  std::optional<std::size_t> named;  // the last one that is
  for (auto* argument : context.arguments) {
    const ExprId value = expr(*argument->value);
    if (argument->bound != nullptr) {
      ast::BoundName name = bound_name(*argument->bound);
      call.arguments.push_back({std::move(name.text), name.span, value});
      named = call.arguments.size() - 1;
      continue;
    }
    if (named) {
      const ast::Argument& before = call.arguments[*named];
      errors_.push_back(error(DiagnosticKind::syntax, span_of(*argument),
                              "an argument without a name stands after one with a name")
                            .note(before.name_span, quoted(before.name) + " stands here")
                            .hint("first the arguments by position, then those by name"));
    }
    call.arguments.push_back({{}, {}, value});
  }
}

}  // namespace roux::syntax
