// Places, statements and types.
#include "compiler/syntax/build_tree.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "base/limits.h"
#include "base/text.h"
#include "compiler/syntax/walk.h"

namespace roux::syntax {

Span TreeBuilder::span_of(const antlr4::Token* token) const {
  return syntax::span_of(module_.source, own(token).plain());
}

Span TreeBuilder::span_of(antlr4::ParserRuleContext& context) const {
  return between(context, context);
}

Span TreeBuilder::between(antlr4::ParserRuleContext& first, antlr4::ParserRuleContext& last) const {
  return cover(span_of(first.start), span_of(last.stop));
}

Span TreeBuilder::between(const antlr4::Token* first, antlr4::ParserRuleContext& last) const {
  return cover(span_of(first), span_of(last.stop));
}

void TreeBuilder::report(Span span, std::string message, std::string help, DiagnosticKind kind) {
  errors_.push_back(error(kind, span, std::move(message)).hint(std::move(help)));
}

ExprId TreeBuilder::add(decltype(ast::Expr::node) node, Span span) {
  ast::Expr expr{std::move(node), span};
  int depth = 0;
  ast::for_each_part(expr, [&](ExprId part) { depth = std::max(depth, depths_[part - first_]); });
  if (++depth > limits::kSyntaxDepth) throw TooDeep{{span.source, span.end - 1, span.end}};
  depths_.push_back(depth);
  module_.exprs.push_back(std::move(expr));
  return static_cast<ExprId>(module_.exprs.size() - 1);
}

// --- statements ----------------------------------------------------------------------------------

ast::Statement TreeBuilder::statement(RouxParser::StatementContext& context) {
  switch (context.getStart()->getType()) {
    case RouxLexer::PARAM: return {param(as<RouxParser::ParamContext>(context)), span_of(context)};
    case RouxLexer::METHOD:  // or a parameter of that name, in an expression
      if (auto* defined = dynamic_cast<RouxParser::MethodContext*>(&context)) return {method(*defined), span_of(context)};
      break;
    case RouxLexer::IMPORT:
      return {import(as<RouxParser::ImportContext>(context)), span_of(context)};
    default: break;
  }
  auto& entry = as<RouxParser::ValueContext>(context);
  const ExprId value = expr(*entry.value);
  if (entry.bound == nullptr) return {ast::ExprStatement{value}, span_of(context)};
  return {ast::Bind{bound_name(*entry.bound), value}, span_of(context)};
}

ast::BoundName TreeBuilder::bound_name(antlr4::ParserRuleContext& name) const {
  return {std::string(text_of(name.start)), span_of(name)};
}

ast::Param TreeBuilder::param(RouxParser::ParamContext& context) {
  return {{bound_name(*context.bound), type(*context.declared), optional_expr(context.value)}};
}

ast::Method TreeBuilder::method(RouxParser::MethodContext& context) {
  ast::Method method;
  method.name = bound_name(*context.bound);
  for (auto* parameter : context.parameters) {
    std::optional<ast::Type> declared;
    if (parameter->declared != nullptr) declared = type(*parameter->declared);
    method.parameters.push_back(
        {bound_name(*parameter->bound), std::move(declared), optional_expr(parameter->value)});
  }
  if (context.result != nullptr) method.result = type(*context.result);
  method.body = expr(*context.body);
  method.documentation = documentation_above(own(context.start).index());
  return method;
}

// The run of `##` lines that ends on the line before the token `at`. A `;` that separates nothing counts for nothing.
std::string TreeBuilder::documentation_above(std::size_t at) const {
  const auto line_begin = [this](std::size_t i) -> std::optional<std::size_t> {  // if `i` is the first in its line
    while (i > 0 && tokens_[i - 1].is(TokenKind::symbol, ";")) --i;
    if (i == 0 || tokens_[i - 1].kind == TokenKind::newline) return i;
    return std::nullopt;
  };
  std::vector<std::string_view> lines;  // from the last
  for (auto begin = line_begin(at); begin && *begin >= 2 && tokens_[*begin - 2].kind == TokenKind::documentation;) {
    const std::size_t comment = *begin - 2;
    begin = line_begin(comment);
    if (begin) lines.push_back(tokens_[comment].text.substr(2));
  }
  std::string text;
  for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
    if (line->starts_with(' ')) line->remove_prefix(1);
    if (!text.empty()) text += '\n';
    text += line->substr(0, line->find_last_not_of(" \t\r") + 1);
  }
  return text;
}

ast::Import TreeBuilder::import(RouxParser::ImportContext& context) {
  ast::Import import{
      plain_text(*context.path, "the path of an import"), span_of(*context.path), {}};
  if (context.alias != nullptr) import.alias = bound_name(*context.alias);
  return import;
}

std::vector<ast::BoundName> TreeBuilder::targets(RouxParser::TargetsContext& context) const {
  if (context.single != nullptr) return {bound_name(*context.single)};
  std::vector<ast::BoundName> names;
  for (auto* name : context.names) names.push_back(bound_name(*name));
  return names;
}

// --- types ---------------------------------------------------------------------------------------

ast::Type TreeBuilder::type(RouxParser::TypeContext& context) {
  if (context.alternatives.size() == 1) return optional_type(*context.alternatives[0]);
  ast::Type either;
  either.kind = ast::Type::Kind::either;
  either.span = span_of(context);
  for (auto* alternative : context.alternatives)
    either.arguments.push_back(optional_type(*alternative));
  return either;
}

ast::Type TreeBuilder::optional_type(RouxParser::TypeOptionalContext& context) {
  ast::Type inner = type_atom(*context.atom);
  if (context.marks.empty()) return inner;
  ast::Type optional;
  optional.kind = ast::Type::Kind::optional;
  optional.span = span_of(context);
  optional.arguments.push_back(std::move(inner));
  return optional;
}

ast::Type TreeBuilder::type_atom(RouxParser::TypeAtomContext& context) {
  ast::Type type;
  type.span = span_of(context);
  switch (context.getStart()->getType()) {
    case RouxLexer::OPEN_QUOTE:
      type.kind = ast::Type::Kind::literal;
      type.name = plain_text(*as<RouxParser::LiteralTypeContext>(context).text, "a choice");
      return type;
    case RouxLexer::OPEN_PAREN: return tuple_type(as<RouxParser::TupleTypeContext>(context));
    default: break;
  }
  auto& named = as<RouxParser::NamedTypeContext>(context);
  type.name = text_of(context.start);
  for (auto* argument : named.arguments) type.arguments.push_back(this->type(*argument));
  if (named.low != nullptr) type.range = {limit(*named.low), limit(*named.high)};
  return type;
}

ast::Type TreeBuilder::tuple_type(RouxParser::TupleTypeContext& context) {
  if (context.commas.empty()) return type(*context.members[0]);
  ast::Type tuple;
  tuple.kind = ast::Type::Kind::tuple;
  tuple.span = span_of(context);
  for (auto* member : context.members) tuple.arguments.push_back(type(*member));
  return tuple;
}

double TreeBuilder::limit(RouxParser::LimitContext& context) {
  double value = std::numeric_limits<double>::infinity();
  if (context.symbolic == nullptr)
    value = number(context.stop);
  else if (text_of(context.symbolic->start) != "inf")
    report(span_of(context),
           "unexpected " + quoted(text_of(context.symbolic->start)) + "; expected a number",
           "the limits of a range in a type are numbers or `inf`");
  return context.minus == nullptr ? value : -value;
}

}  // namespace roux::syntax
