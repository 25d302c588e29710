// What the generated parser saw of one statement → values of ast.h, by the labels of the grammar's
// contexts. In: the tokens of the file and a context without errors. Out: the statement, its
// expressions at the end of `module`, and what the grammar lets through and the language does not
// at the end of `errors`; building goes on, so that all of it is found. Throws TooDeep.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "base/result.h"
#include "compiler/syntax/antlr.h"
#include "compiler/syntax/ast.h"
#include "compiler/syntax/tokens.h"

namespace roux::syntax {

using ast::ExprId;

struct TooDeep {
  Span span;  // where the innermost operations that fit end
};

class TreeBuilder {
 public:
  TreeBuilder(const Tokens& tokens, ast::Module& module, Diagnostics& errors)
      : tokens_(tokens), module_(module), errors_(errors) {}

  ast::Statement statement(RouxParser::StatementContext& context);

 private:
  // Which alternative a context is follows from its first token; the cast makes sure.
  template <class Alternative>
  static Alternative& as(antlr4::ParserRuleContext& context) {
    auto* alternative = dynamic_cast<Alternative*>(&context);
    ROUX_CHECK(alternative != nullptr);
    return *alternative;
  }

  // build_tree.cpp: places, statements, types
  Span span_of(const antlr4::Token* token) const;
  Span span_of(antlr4::ParserRuleContext& context) const;
  Span between(antlr4::ParserRuleContext& first, antlr4::ParserRuleContext& last) const;
  Span between(const antlr4::Token* first, antlr4::ParserRuleContext& last) const;
  static std::string_view text_of(const antlr4::Token* token) { return own(token).plain().text; }
  void report(Span span, std::string message, std::string help,
              DiagnosticKind kind = DiagnosticKind::syntax);
  ExprId add(decltype(ast::Expr::node) node, Span span);

  ast::Param param(RouxParser::ParamContext& context);
  ast::Method method(RouxParser::MethodContext& context);
  std::string documentation_above(std::size_t at) const;
  ast::Import import(RouxParser::ImportContext& context);
  ast::BoundName bound_name(antlr4::ParserRuleContext& name) const;
  std::vector<ast::BoundName> targets(RouxParser::TargetsContext& context) const;

  ast::Type type(RouxParser::TypeContext& context);
  ast::Type optional_type(RouxParser::TypeOptionalContext& context);
  ast::Type type_atom(RouxParser::TypeAtomContext& context);
  ast::Type tuple_type(RouxParser::TupleTypeContext& context);
  double limit(RouxParser::LimitContext& context);

  // build_operators.cpp, loosest first
  ExprId optional_expr(RouxParser::ExprContext* context);
  ExprId expr(RouxParser::ExprContext& context);
  std::vector<ExprId> exprs(const std::vector<RouxParser::ExprContext*>& contexts);
  ExprId pipe(RouxParser::PipeContext& context);
  ExprId stage(ExprId value, RouxParser::ChoiceContext& context, Span span);
  ExprId choice(RouxParser::ChoiceContext& context);
  ExprId disjunction(RouxParser::DisjunctionContext& context);
  ExprId conjunction(RouxParser::ConjunctionContext& context);
  ExprId negation(RouxParser::NegationContext& context);
  ExprId comparison(RouxParser::ComparisonContext& context);
  ExprId range(RouxParser::RangeContext& context);
  ExprId sum(RouxParser::SumContext& context);
  ExprId product(RouxParser::ProductContext& context);
  ExprId power(RouxParser::PowerContext& context);
  ExprId cast(RouxParser::CastContext& context);
  template <class Context, class Operand>
  ExprId chain(Context& context, Operand operand);
  ExprId prefixed(ast::UnaryOp op, const std::vector<antlr4::Token*>& signs, ExprId value,
                  antlr4::ParserRuleContext& last);
  ExprId binary(const antlr4::Token* op, ExprId left, ExprId right, Span span);
  ExprId postfix(RouxParser::PostfixContext& context, std::size_t count);
  ExprId suffix(RouxParser::SuffixContext& context, ExprId object, Span span);
  void add_arguments(RouxParser::CallSuffixContext& context, ast::Call& call);

  // build_operands.cpp: what stands by itself
  ExprId primary(RouxParser::PrimaryContext& context);
  double number(const antlr4::Token* token);
  ExprId group(RouxParser::GroupContext& context, Span span);
  ExprId list(RouxParser::ListContext& context, Span span);
  ast::String text(RouxParser::StringContext& context);
  void append_text(const antlr4::Token* token, std::string& out);
  std::string plain_text(RouxParser::StringContext& context, std::string_view what);
  ExprId braces(RouxParser::BracesContext& context, Span span);
  ExprId record(RouxParser::BracesContext& context, Span span);
  ExprId mixed(RouxParser::BracesContext& context, Span span, bool all_bound);
  ExprId block(RouxParser::BracesContext& context, Span span, bool all_bound);
  ast::Statement inner_statement(RouxParser::StatementContext& context);
  ExprId matching(RouxParser::MatchContext& context, Span span);
  ast::MatchArm pattern(RouxParser::PatternContext& context);

  const Tokens& tokens_;
  ast::Module& module_;
  Diagnostics& errors_;
  std::vector<int> depths_;  // of the expressions that this builder added
  std::size_t first_ = module_.exprs.size();
};

}  // namespace roux::syntax
