// What stands by itself in an expression: literals, lists, strings, braces, `match`.
#include <algorithm>
#include <cstddef>
#include <utility>

#include "base/text.h"
#include "compiler/syntax/build_tree.h"
#include "compiler/syntax/literals.h"

namespace roux::syntax {
namespace {

bool is_binding(RouxParser::StatementContext* entry) {
  const auto* value = dynamic_cast<RouxParser::ValueContext*>(entry);
  return value != nullptr && value->bound != nullptr;
}

}  // namespace

ExprId TreeBuilder::primary(RouxParser::PrimaryContext& context) {
  const Span span = span_of(context);
  switch (context.getStart()->getType()) {
    case RouxLexer::NUMBER:
    case RouxLexer::PERCENT:
    case RouxLexer::SIZE: return add(ast::Number{number(context.start)}, span);
    case RouxLexer::TRUE: return add(ast::Bool{true}, span);
    case RouxLexer::FALSE: return add(ast::Bool{false}, span);
    case RouxLexer::NONE: return add(ast::None{}, span);
    case RouxLexer::NAME:
    case RouxLexer::METHOD:
    case RouxLexer::WITHOUT: return add(ast::Name{std::string(text_of(context.start))}, span);
    case RouxLexer::OPEN_QUOTE: return add(text(*as<RouxParser::TextContext>(context).text), span);
    case RouxLexer::OPEN_PAREN: return group(as<RouxParser::GroupContext>(context), span);
    case RouxLexer::OPEN_BRACKET: return list(as<RouxParser::ListContext>(context), span);
    case RouxLexer::OPEN_BRACE:
      return braces(*as<RouxParser::BlockOrRecordContext>(context).content, span);
    default: return matching(as<RouxParser::MatchContext>(context), span);
  }
}

double TreeBuilder::number(const antlr4::Token* token) {
  const auto value = number_value(text_of(token));
  if (!value)
    report(span_of(token), "the number " + quoted(text_of(token)) + " is too large",
           "the largest is about 1.8e308; infinity is written `inf`", DiagnosticKind::bad_literal);
  return value.value_or(0);
}

ExprId TreeBuilder::group(RouxParser::GroupContext& context, Span span) {
  if (context.commas.empty()) return expr(*context.items[0]);
  return add(ast::Tuple{exprs(context.items)}, span);
}

ExprId TreeBuilder::list(RouxParser::ListContext& context, Span span) {
  std::vector<ExprId> items = exprs(context.items);
  if (context.generators.empty()) return add(ast::List{std::move(items)}, span);
  ast::Comprehension comprehension{items[0], {}};
  for (auto* generator : context.generators)
    comprehension.generators.push_back(
        {targets(*generator->bound), expr(*generator->source), exprs(generator->conditions)});
  return add(std::move(comprehension), span);
}

// --- strings -------------------------------------------------------------------------------------

ast::String TreeBuilder::text(RouxParser::StringContext& context) {
  ast::String string;
  std::string pending;
  const auto flush = [&] {
    if (!pending.empty()) string.parts.push_back({std::move(pending), ast::kNoExpr});
    pending.clear();
  };
  for (auto* part : context.parts) {
    if (part->value == nullptr) {
      append_text(part->start, pending);
      continue;
    }
    flush();
    string.parts.push_back({{}, expr(*part->value)});
  }
  flush();
  return string;
}

void TreeBuilder::append_text(const antlr4::Token* token, std::string& out) {
  const std::string_view spelling = text_of(token);
  switch (token->getType()) {
    case RouxLexer::DOLLAR: out += '$'; return;
    case RouxLexer::CHARACTERS: out += spelling; return;
    default: break;
  }
  if (auto bad = append_escape(spelling, out))
    report(span_of(token), std::move(bad->message), std::move(bad->hint),
           DiagnosticKind::bad_literal);
}

// A string that may hold no `${ }`.
std::string TreeBuilder::plain_text(RouxParser::StringContext& context, std::string_view what) {
  std::string plain;
  for (auto* part : context.parts) {
    if (part->value == nullptr)
      append_text(part->start, plain);
    else
      report(span_of(*part), std::string(what) + " cannot hold `${...}`",
             "it is fixed before anything is computed; a dollar before a brace is written `$$`");
  }
  return plain;
}

// --- blocks and records --------------------------------------------------------------------------

ExprId TreeBuilder::braces(RouxParser::BracesContext& context, Span span) {
  const auto is_comma = [](const antlr4::Token* token) {
    return token->getType() == RouxLexer::COMMA;
  };
  const auto commas = std::count_if(context.separators.begin(), context.separators.end(), is_comma);
  const bool all_commas = commas == static_cast<std::ptrdiff_t>(context.separators.size());
  const bool all_bound = std::all_of(context.entries.begin(), context.entries.end(), is_binding);
  if (all_bound && all_commas) return record(context, span);
  if (commas > 0) return mixed(context, span, all_bound);
  return block(context, span, all_bound);
}

ExprId TreeBuilder::record(RouxParser::BracesContext& context, Span span) {
  for (std::size_t i = 0; i < context.separators.size(); ++i) {
    const bool after_field =
        i < context.entries.size() &&
        own(context.separators[i]).index() > own(context.entries[i]->start).index();
    if (after_field) continue;
    report(span_of(context.separators[i]), "unexpected `,`; expected a field `name = value`", "");
    break;
  }
  ast::Record record;
  for (auto* entry : context.entries) {
    auto& field = as<RouxParser::ValueContext>(*entry);
    ast::BoundName name = bound_name(*field.bound);
    record.fields.push_back({std::move(name.text), name.span, expr(*field.value)});
  }
  return add(std::move(record), span);
}

// Commas beside other separators, or between entries that are no fields.
ExprId TreeBuilder::mixed(RouxParser::BracesContext& context, Span span, bool all_bound) {
  const auto separator = std::find_if(context.separators.begin(), context.separators.end(),
                                      [&](const antlr4::Token* token) {
                                        return (token->getType() == RouxLexer::COMMA) != all_bound;
                                      });
  if (all_bound)
    report(span_of(*separator), "fields of a record are separated by `,`", "");
  else
    report(span_of(*separator), "unexpected `,` in a block",
           "statements are separated by `;` or a new line; a record is `{name = value, ...}`, a "
           "list `[a, b]`");
  return add(ast::Record{}, span);
}

ExprId TreeBuilder::block(RouxParser::BracesContext& context, Span span, bool all_bound) {
  ast::Block block;
  for (auto* entry : context.entries) block.statements.push_back(inner_statement(*entry));
  const auto* last = block.statements.empty()
                         ? nullptr
                         : std::get_if<ast::ExprStatement>(&block.statements.back().node);
  if (last == nullptr) {
    const Span place = context.entries.empty() ? span : span_of(*context.entries.back());
    report(place, "a block ends with an expression, its value",
           all_bound && !block.statements.empty() ? "fields of a record are separated by `,`" : "");
    return add(ast::None{}, span);
  }
  block.result = last->value;
  block.statements.pop_back();
  return add(std::move(block), span);
}

ast::Statement TreeBuilder::inner_statement(RouxParser::StatementContext& context) {
  const bool is_method = dynamic_cast<RouxParser::MethodContext*>(&context) != nullptr;
  if (is_method || dynamic_cast<RouxParser::ValueContext*>(&context) == nullptr)
    report(span_of(context.start), quoted(text_of(context.start)) + " cannot stand inside braces",
           is_method ? "inside a block a function is `name = x => ...`" : "move it to the top level of the file");
  return statement(context);
}

// --- match ---------------------------------------------------------------------------------------

ExprId TreeBuilder::matching(RouxParser::MatchContext& context, Span span) {
  ast::Match match{std::string(text_of(context.subject->start)), span_of(*context.subject), {}};
  for (auto* arm : context.arms) {
    ast::MatchArm built = pattern(*arm->head);
    built.value = expr(*arm->value);
    match.arms.push_back(std::move(built));
  }
  if (match.arms.empty())
    report(span, "a `match` without arms", "an arm is written `\"*.mlp.*\" => value`");
  return add(std::move(match), span);
}

ast::MatchArm TreeBuilder::pattern(RouxParser::PatternContext& context) {
  using Pattern = ast::MatchArm::Pattern;
  const Span span = span_of(context);
  if (context.literal != nullptr)
    return {Pattern::glob, plain_text(*context.literal, "a pattern"), span, ast::kNoExpr};
  const std::string_view word = text_of(context.keyword->start);
  if (word == "regex" && context.argument_text != nullptr)
    return {Pattern::regex, plain_text(*context.argument_text, "a pattern"), span, ast::kNoExpr};
  if (word != "_" || context.argument_text != nullptr)
    report(span, quoted(word) + " is no pattern",
           word == "regex"
               ? "write `regex(\"...\")`"
               : "a pattern is a string such as `\"*.mlp.*\"`, `regex(\"...\")` or `_`");
  return {Pattern::anything, {}, span, ast::kNoExpr};
}

}  // namespace roux::syntax
