#include "compiler/syntax/parse.h"

#include <algorithm>
#include <limits>
#include <span>
#include <utility>

#include "RouxLexer.h"
#include "RouxParser.h"
#include "antlr4-runtime.h"

#include "base/limits.h"
#include "base/text.h"
#include "compiler/syntax/brackets.h"
#include "compiler/syntax/explain.h"
#include "compiler/syntax/literals.h"
#include "compiler/syntax/newlines.h"
#include "compiler/syntax/tokens.h"
#include "compiler/syntax/utf8.h"
#include "compiler/syntax/walk.h"

namespace roux {
namespace {

using namespace syntax;
using ast::ExprId;
using roux_grammar::RouxLexer;
using roux_grammar::RouxParser;

// --- lexing --------------------------------------------------------------------------------------

// A `}` too many leaves the lexer where it is, and a string that is broken off takes its
// interpolations with it.
class TolerantLexer : public RouxLexer {
 public:
  using RouxLexer::RouxLexer;

  std::size_t popMode() override { return modeStack.empty() ? mode : RouxLexer::popMode(); }

  void leave_text() {
    if (std::find(modeStack.begin(), modeStack.end(), RouxLexer::TEXT) == modeStack.end()) return;
    modeStack.clear();
    mode = DEFAULT_MODE;
  }
};

TokenKind kind_of(std::size_t type) {
  switch (type) {
    case RouxLexer::NAME:
    case RouxLexer::WITHOUT: return TokenKind::word;
    case RouxLexer::NUMBER:
    case RouxLexer::PERCENT:
    case RouxLexer::SIZE: return TokenKind::number;
    case RouxLexer::BAD_NUMBER: return TokenKind::bad_number;
    case RouxLexer::OPEN_PAREN:
    case RouxLexer::OPEN_BRACKET:
    case RouxLexer::OPEN_BRACE: return TokenKind::open;
    case RouxLexer::CLOSE_PAREN:
    case RouxLexer::CLOSE_BRACKET:
    case RouxLexer::CLOSE_BRACE: return TokenKind::close;
    case RouxLexer::BAD_SYMBOL: return TokenKind::bad_symbol;
    case RouxLexer::OPEN_QUOTE: return TokenKind::open_text;
    case RouxLexer::CLOSE_QUOTE: return TokenKind::close_text;
    case RouxLexer::CHARACTERS: return TokenKind::characters;
    case RouxLexer::ESCAPE: return TokenKind::escape;
    case RouxLexer::DOLLAR: return TokenKind::dollar;
    case RouxLexer::INTERPOLATE: return TokenKind::interpolation;
    case RouxLexer::SINGLE_QUOTED: return TokenKind::single_quoted;
    case RouxLexer::STRAY: return TokenKind::stray;
    case RouxLexer::NEWLINE:
    case RouxLexer::BROKEN_TEXT: return TokenKind::newline;
    case RouxLexer::COMMENT: return TokenKind::comment;
    case RouxLexer::DOCUMENTATION: return TokenKind::documentation;
    case antlr4::Token::EOF: return TokenKind::end;
    default: return type <= RouxLexer::NET ? TokenKind::reserved : TokenKind::symbol;
  }
}

struct Words {
  Tokens tokens;
  std::vector<std::size_t> types;  // of the grammar, parallel to `tokens`
  bool too_many = false;
};

// `text` is well-formed UTF-8. The last token is of kind `end`.
Words lex(std::string_view text) {
  const std::size_t mark = text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
  const std::string_view body = text.substr(mark);
  const CodePointIndex index(body);
  antlr4::ANTLRInputStream input{std::string(body)};
  TolerantLexer lexer(&input);
  lexer.removeErrorListeners();

  Words words;
  while (words.tokens.empty() || words.tokens.back().kind != TokenKind::end) {
    const auto token = lexer.nextToken();
    const TokenKind kind = kind_of(token->getType());
    const bool is_end = kind == TokenKind::end;
    const auto begin = is_end ? body.size() : index.byte_of(token->getStartIndex());
    const auto end = is_end ? body.size() : index.byte_of(token->getStopIndex() + 1);
    words.tokens.push_back({kind, static_cast<std::uint32_t>(mark + begin),
                            static_cast<std::uint32_t>(mark + end),
                            body.substr(begin, end - begin)});
    words.types.push_back(token->getType());
    if (kind == TokenKind::newline) lexer.leave_text();
    words.too_many = words.tokens.size() > limits::kSyntaxTokens;
    if (words.too_many) break;
  }
  return words;
}

// --- the fence around the generated parser -------------------------------------------------------

// A token as the generated parser wants it. `place` is its index in the tokens that the parser
// sees.
class ParserToken final : public antlr4::Token {
 public:
  ParserToken(const syntax::Token& token, std::size_t type, std::size_t place, std::uint32_t index)
      : token_(&token), type_(type), place_(place), index_(index) {}

  const syntax::Token& plain() const { return *token_; }
  std::uint32_t index() const { return index_; }  // among all tokens of the file

  std::string getText() const override { return std::string(token_->text); }
  std::size_t getType() const override { return type_; }
  std::size_t getLine() const override { return 0; }
  std::size_t getCharPositionInLine() const override { return 0; }
  std::size_t getChannel() const override { return DEFAULT_CHANNEL; }
  std::size_t getTokenIndex() const override { return place_; }
  std::size_t getStartIndex() const override { return token_->begin; }
  std::size_t getStopIndex() const override { return token_->end; }
  antlr4::TokenSource* getTokenSource() const override { return nullptr; }
  antlr4::CharStream* getInputStream() const override { return nullptr; }
  std::string toString() const override { return getText(); }

 private:
  const syntax::Token* token_;
  std::size_t type_;
  std::size_t place_;
  std::uint32_t index_;
};

const ParserToken& own(const antlr4::Token* token) {
  return static_cast<const ParserToken&>(*token);
}

// The tokens of one statement, which lie in a vector of all; after them comes nothing but `end`.
class StatementStream final : public antlr4::TokenStream {
 public:
  StatementStream(std::span<ParserToken> tokens, ParserToken end) : tokens_(tokens), end_(end) {}

  antlr4::Token* LT(ssize_t k) override {
    if (k == 0 || (k < 0 && at_ < static_cast<std::size_t>(-k))) return nullptr;
    const std::size_t i =
        k > 0 ? at_ + static_cast<std::size_t>(k) - 1 : at_ - static_cast<std::size_t>(-k);
    return get(i);
  }
  antlr4::Token* get(std::size_t i) const override {
    return i < tokens_.size() ? &tokens_[i] : &end_;
  }
  std::size_t LA(ssize_t k) override { return LT(k)->getType(); }
  void consume() override { at_ += at_ < tokens_.size() ? 1 : 0; }
  ssize_t mark() override { return 0; }
  void release(ssize_t) override {}
  std::size_t index() override { return at_; }
  void seek(std::size_t i) override { at_ = std::min(i, tokens_.size()); }
  std::size_t size() override { return tokens_.size() + 1; }

  antlr4::TokenSource* getTokenSource() const override { return nullptr; }
  std::string getSourceName() const override { return {}; }
  std::string getText() override { return {}; }
  std::string getText(const antlr4::misc::Interval&) override { return {}; }
  std::string getText(antlr4::RuleContext*) override { return {}; }
  std::string getText(antlr4::Token*, antlr4::Token*) override { return {}; }

 private:
  std::span<ParserToken> tokens_;
  mutable ParserToken end_;
  std::size_t at_ = 0;
};

// What the parser wanted where it stopped, put into words.
class Expectation {
 public:
  Expectation(RouxParser& parser, antlr4::TokenStream& stream, std::size_t at)
      : wanted_(parser.getExpectedTokens()),
        rule_(parser.getContext()->getRuleIndex()),
        previous_(at == 0 ? nullptr : &own(stream.get(at - 1)).plain()),
        vocabulary_(parser.getVocabulary()) {}

  // `at_choice`: the parser stopped at the first token after a choice, so that what it wanted is
  // known.
  Surprise surprise(std::size_t at, bool at_choice) const {
    if (!at_choice) {
      const bool after_operand = previous_ != nullptr && ends_operand(*previous_);
      return {at, after_operand ? Expected::operator_or_end : Expected::expression};
    }
    if (rule_ == RouxParser::RuleLimit) return {at, Expected::listed, "a number"};
    if (wants(RouxLexer::NUMBER)) return {at, Expected::expression};
    if (wants(RouxLexer::NET)) return {at, wants(RouxLexer::IF) ? Expected::name : Expected::type};
    if (wants(RouxLexer::OPEN_QUOTE))
      return {at, wants(RouxLexer::NAME) ? Expected::pattern : Expected::string};
    if (wants(RouxLexer::NAME)) return {at, Expected::name};
    if (wants(antlr4::Token::EOF)) return {at, Expected::operator_or_end};
    if (previous_ != nullptr && begins_part(*previous_) && wants_closer())
      return {at, expected_part()};
    return {at, Expected::listed, listing()};
  }

 private:
  bool wants(std::size_t type) const { return wanted_.contains(type); }
  bool wants_closer() const {
    return wants(RouxLexer::CLOSE_PAREN) || wants(RouxLexer::CLOSE_BRACKET) ||
           wants(RouxLexer::CLOSE_BRACE);
  }

  static bool begins_part(const syntax::Token& token) {
    return token.kind == TokenKind::open || token.kind == TokenKind::newline || token.text == "," ||
           token.text == ";";
  }

  Expected expected_part() const {
    if (rule_ == RouxParser::RuleStatement || rule_ == RouxParser::RuleTargets)
      return Expected::name;
    if (rule_ == RouxParser::RuleTypeAtom) return Expected::type;
    // A `match` is the only one among the primaries that has braces of its own.
    if (rule_ == RouxParser::RulePrimary && wants(RouxLexer::CLOSE_BRACE)) return Expected::pattern;
    return Expected::expression;
  }

  std::string listing() const {
    if (wants(RouxLexer::CLOSE_PAREN))
      return rule_ == RouxParser::RulePattern ? "`)`" : "`,` or `)`";
    if (wants(RouxLexer::CLOSE_BRACKET))
      return rule_ == RouxParser::RuleSuffix ? "`]`" : "`,` or `]`";
    if (wants(RouxLexer::CLOSE_BRACE))
      return rule_ == RouxParser::RuleStringPart ? "`}`" : "the end of the line, `,` or `}`";
    std::vector<std::string> names;
    for (const ssize_t type : wanted_.toList()) {
      const std::string literal = vocabulary_.getLiteralName(static_cast<std::size_t>(type));
      if (literal.size() > 2) names.push_back(quoted(literal.substr(1, literal.size() - 2)));
    }
    return join(names, " or ");
  }

  antlr4::misc::IntervalSet wanted_;
  std::size_t rule_;
  const syntax::Token* previous_;
  const antlr4::dfa::Vocabulary& vocabulary_;
};

// Stops at the first error by throwing Stop. Recovery is ours: the next statement is parsed afresh.
struct Stop {
  Surprise surprise;
};

class StopAtFirstError final : public antlr4::DefaultErrorStrategy {
 public:
  void sync(antlr4::Parser*) override {}
  void reportMatch(antlr4::Parser*) override {}
  void reportError(antlr4::Parser*, const antlr4::RecognitionException&) override {}

  antlr4::Token* recoverInline(antlr4::Parser* parser) override {
    stop(parser, parser->getTokenStream()->index(), true);
  }
  void recover(antlr4::Parser* parser, std::exception_ptr failure) override {
    try {
      std::rethrow_exception(failure);
    } catch (const antlr4::NoViableAltException& e) {
      const std::size_t at = e.getOffendingToken()->getTokenIndex();
      stop(parser, at, at == e.getStartToken()->getTokenIndex());
    } catch (const antlr4::RecognitionException& e) {
      stop(parser, e.getOffendingToken()->getTokenIndex(), true);
    }
  }

 private:
  [[noreturn]] static void stop(antlr4::Parser* parser, std::size_t at, bool at_choice) {
    auto& roux_parser = static_cast<RouxParser&>(*parser);
    throw Stop{Expectation(roux_parser, *parser->getTokenStream(), at).surprise(at, at_choice)};
  }
};

// --- building the tree ---------------------------------------------------------------------------

struct TooDeep {
  Span span;  // where the innermost operations that fit end
};

// Reads the labels of the grammar's contexts. What the grammar lets through and the language does
// not is reported here; building goes on, so that all of it is found.
class Builder {
 public:
  Builder(const Tokens& tokens, ast::Module& module, Diagnostics& errors)
      : tokens_(tokens), module_(module), errors_(errors) {}

  ast::Statement statement(RouxParser::StatementContext& context) {
    switch (context.getStart()->getType()) {
      case RouxLexer::PARAM:
        return {param(as<RouxParser::ParamContext>(context)), span_of(context)};
      case RouxLexer::METHOD:
        return {method(as<RouxParser::MethodContext>(context)), span_of(context)};
      case RouxLexer::IMPORT:
        return {import(as<RouxParser::ImportContext>(context)), span_of(context)};
      default: break;
    }
    auto& entry = as<RouxParser::ValueContext>(context);
    const ExprId value = expr(*entry.value);
    if (entry.bound == nullptr) return {ast::ExprStatement{value}, span_of(context)};
    return {ast::Bind{bound_name(*entry.bound), value}, span_of(context)};
  }

 private:
  // Which alternative a context is follows from its first token; the cast makes sure.
  template <class Alternative>
  static Alternative& as(antlr4::ParserRuleContext& context) {
    auto* alternative = dynamic_cast<Alternative*>(&context);
    ROUX_CHECK(alternative != nullptr);
    return *alternative;
  }

  // --- places

  Span span_of(const antlr4::Token* token) const {
    return syntax::span_of(module_.source, own(token).plain());
  }
  Span span_of(antlr4::ParserRuleContext& context) const { return between(context, context); }
  Span between(antlr4::ParserRuleContext& first, antlr4::ParserRuleContext& last) const {
    return cover(span_of(first.start), span_of(last.stop));
  }
  Span between(const antlr4::Token* first, antlr4::ParserRuleContext& last) const {
    return cover(span_of(first), span_of(last.stop));
  }
  static std::string_view text_of(const antlr4::Token* token) { return own(token).plain().text; }

  void report(Span span, std::string message, std::string help,
              DiagnosticKind kind = DiagnosticKind::syntax) {
    errors_.push_back(error(kind, span, std::move(message)).hint(std::move(help)));
  }

  template <class Node>
  ExprId add(Node node, Span span) {
    ast::Expr expr{std::move(node), span};
    int depth = 0;
    ast::for_each_part(expr, [&](ExprId part) { depth = std::max(depth, depths_[part - first_]); });
    if (++depth > limits::kSyntaxDepth) throw TooDeep{{span.source, span.end - 1, span.end}};
    depths_.push_back(depth);
    module_.exprs.push_back(std::move(expr));
    return static_cast<ExprId>(module_.exprs.size() - 1);
  }

  // --- statements

  ast::BoundName bound_name(RouxParser::NameContext& name) const {
    return {std::string(text_of(name.start)), span_of(name)};
  }

  ast::Param param(RouxParser::ParamContext& context) {
    return {{bound_name(*context.bound), type(*context.declared), optional_expr(context.value)}};
  }

  ast::Method method(RouxParser::MethodContext& context) {
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

  // The run of `##` lines that ends on the line before the token `at`.
  std::string documentation_above(std::size_t at) const {
    std::size_t first = at;
    const auto is_line = [this](std::size_t i) {
      return tokens_[i].kind == TokenKind::documentation &&
             tokens_[i + 1].kind == TokenKind::newline &&
             (i == 0 || tokens_[i - 1].kind == TokenKind::newline);
    };
    while (first >= 2 && is_line(first - 2)) first -= 2;
    std::string text;
    for (; first < at; first += 2) {
      std::string_view line = tokens_[first].text.substr(2);
      if (line.starts_with(' ')) line.remove_prefix(1);
      line = line.substr(0, line.find_last_not_of(" \t\r") + 1);
      if (!text.empty()) text += '\n';
      text += line;
    }
    return text;
  }

  ast::Import import(RouxParser::ImportContext& context) {
    ast::Import import{
        plain_text(*context.path, "the path of an import"), span_of(*context.path), {}};
    if (context.alias != nullptr) import.alias = bound_name(*context.alias);
    return import;
  }

  // --- operators, loosest first

  ExprId optional_expr(RouxParser::ExprContext* context) {
    return context == nullptr ? ast::kNoExpr : expr(*context);
  }

  ExprId expr(RouxParser::ExprContext& context) {
    ExprId value = pipe(*context.body);
    for (std::size_t i = context.heads.size(); i-- > 0;)
      value =
          add(ast::Lambda{targets(*context.heads[i]), value}, between(*context.heads[i], context));
    return value;
  }

  std::vector<ast::BoundName> targets(RouxParser::TargetsContext& context) const {
    if (context.single != nullptr) return {bound_name(*context.single)};
    std::vector<ast::BoundName> names;
    for (auto* name : context.names) names.push_back(bound_name(*name));
    return names;
  }

  ExprId pipe(RouxParser::PipeContext& context) {
    ExprId value = choice(*context.stages[0]);
    for (std::size_t i = 1; i < context.stages.size(); ++i)
      value = stage(value, *context.stages[i], between(*context.stages[0], *context.stages[i]));
    return value;
  }

  // `x |> f(a)` is `f(x, a)`, any other `x |> f` is `f(x)`.
  ExprId stage(ExprId value, RouxParser::ChoiceContext& context, Span span) {
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

  // The call or name that `context` consists of, or null if an operator is part of it.
  static RouxParser::PostfixContext* only_postfix(RouxParser::ChoiceContext& context) {
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

  ExprId choice(RouxParser::ChoiceContext& context) {
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
  ExprId chain(Context& context, Operand operand) {
    ExprId left = operand(*context.operands[0]);
    for (std::size_t i = 1; i < context.operands.size(); ++i) {
      const ExprId right = operand(*context.operands[i]);
      left = binary(context.ops[i - 1], left, right,
                    between(*context.operands[0], *context.operands[i]));
    }
    return left;
  }

  ExprId disjunction(RouxParser::DisjunctionContext& context) {
    return chain(context, [this](auto& part) { return conjunction(part); });
  }
  ExprId conjunction(RouxParser::ConjunctionContext& context) {
    return chain(context, [this](auto& part) { return negation(part); });
  }
  ExprId sum(RouxParser::SumContext& context) {
    return chain(context, [this](auto& part) { return product(part); });
  }
  ExprId product(RouxParser::ProductContext& context) {
    return chain(context, [this](auto& part) { return power(part); });
  }

  ExprId negation(RouxParser::NegationContext& context) {
    return prefixed(ast::UnaryOp::logical_not, context.nots, comparison(*context.operand), context);
  }
  ExprId comparison(RouxParser::ComparisonContext& context) {
    const ExprId left = range(*context.left);
    if (context.right == nullptr) return left;
    return binary(context.op, left, range(*context.right), span_of(context));
  }
  ExprId range(RouxParser::RangeContext& context) {
    const ExprId left = sum(*context.left);
    if (context.right == nullptr) return left;
    return binary(context.op, left, sum(*context.right), span_of(context));
  }

  // From the right, and a minus takes the powers behind it: `-a ^ -b ^ c` is `-(a ^ (-(b ^ c)))`.
  ExprId power(RouxParser::PowerContext& context) {
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

  ExprId cast(RouxParser::CastContext& context) {
    ExprId value = postfix(*context.operand, context.operand->suffixes.size());
    for (auto* target : context.types)
      value = add(ast::As{value, type(*target)}, between(context, *target));
    return value;
  }

  ExprId prefixed(ast::UnaryOp op, const std::vector<antlr4::Token*>& signs, ExprId value,
                  antlr4::ParserRuleContext& last) {
    for (std::size_t i = signs.size(); i-- > 0;)
      value = add(ast::Unary{op, value}, between(signs[i], last));
    return value;
  }

  ExprId binary(const antlr4::Token* op, ExprId left, ExprId right, Span span) {
    return add(ast::Binary{binary_op(op->getType()), span_of(op), left, right}, span);
  }

  static ast::BinaryOp binary_op(std::size_t type) {
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

  // --- call, index, member

  // The operand with its first `count` suffixes.
  ExprId postfix(RouxParser::PostfixContext& context, std::size_t count) {
    ExprId object = primary(*context.operand);
    for (std::size_t i = 0; i < count; ++i)
      object = suffix(*context.suffixes[i], object, between(context, *context.suffixes[i]));
    return object;
  }

  ExprId suffix(RouxParser::SuffixContext& context, ExprId object, Span span) {
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
        return add(ast::Member{object, std::string(text_of(member->start)), span_of(*member)},
                   span);
      }
    }
  }

  void add_arguments(RouxParser::CallSuffixContext& context, ast::Call& call) {
    const ast::Argument* named = nullptr;
    for (auto* argument : context.arguments) {
      const ExprId value = expr(*argument->value);
      if (argument->bound != nullptr) {
        ast::BoundName name = bound_name(*argument->bound);
        call.arguments.push_back({std::move(name.text), name.span, value});
        named = &call.arguments.back();
        continue;
      }
      if (named != nullptr)
        errors_.push_back(error(DiagnosticKind::syntax, span_of(*argument),
                                "an argument without a name stands after one with a name")
                              .note(named->name_span, quoted(named->name) + " stands here")
                              .hint("first the arguments by position, then those by name"));
      call.arguments.push_back({{}, {}, value});
    }
  }

  // --- what stands by itself

  ExprId primary(RouxParser::PrimaryContext& context) {
    const Span span = span_of(context);
    switch (context.getStart()->getType()) {
      case RouxLexer::NUMBER:
      case RouxLexer::PERCENT:
      case RouxLexer::SIZE: return add(ast::Number{number(context.start)}, span);
      case RouxLexer::TRUE: return add(ast::Bool{true}, span);
      case RouxLexer::FALSE: return add(ast::Bool{false}, span);
      case RouxLexer::NONE: return add(ast::None{}, span);
      case RouxLexer::NAME:
      case RouxLexer::WITHOUT: return add(ast::Name{std::string(text_of(context.start))}, span);
      case RouxLexer::OPEN_QUOTE:
        return add(text(*as<RouxParser::TextContext>(context).text), span);
      case RouxLexer::OPEN_PAREN: return group(as<RouxParser::GroupContext>(context), span);
      case RouxLexer::OPEN_BRACKET: return list(as<RouxParser::ListContext>(context), span);
      case RouxLexer::OPEN_BRACE:
        return braces(*as<RouxParser::BlockOrRecordContext>(context).content, span);
      default: return matching(as<RouxParser::MatchContext>(context), span);
    }
  }

  double number(const antlr4::Token* token) {
    const auto value = number_value(text_of(token));
    if (!value)
      report(span_of(token), "the number " + quoted(text_of(token)) + " is too large",
             "the largest is about 1.8e308; infinity is written `inf`",
             DiagnosticKind::bad_literal);
    return value.value_or(0);
  }

  std::vector<ExprId> exprs(const std::vector<RouxParser::ExprContext*>& contexts) {
    std::vector<ExprId> ids;
    ids.reserve(contexts.size());
    for (auto* context : contexts) ids.push_back(expr(*context));
    return ids;
  }

  ExprId group(RouxParser::GroupContext& context, Span span) {
    if (context.commas.empty()) return expr(*context.items[0]);
    return add(ast::Tuple{exprs(context.items)}, span);
  }

  ExprId list(RouxParser::ListContext& context, Span span) {
    std::vector<ExprId> items = exprs(context.items);
    if (context.generators.empty()) return add(ast::List{std::move(items)}, span);
    ast::Comprehension comprehension{items[0], {}};
    for (auto* generator : context.generators)
      comprehension.generators.push_back(
          {targets(*generator->bound), expr(*generator->source), exprs(generator->conditions)});
    return add(std::move(comprehension), span);
  }

  // --- strings

  ast::String text(RouxParser::StringContext& context) {
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

  void append_text(const antlr4::Token* token, std::string& out) {
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
  std::string plain_text(RouxParser::StringContext& context, std::string_view what) {
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

  // --- blocks and records

  ExprId braces(RouxParser::BracesContext& context, Span span) {
    const auto is_comma = [](const antlr4::Token* token) {
      return token->getType() == RouxLexer::COMMA;
    };
    const auto commas =
        std::count_if(context.separators.begin(), context.separators.end(), is_comma);
    const bool all_commas = commas == static_cast<std::ptrdiff_t>(context.separators.size());
    const bool all_bound = std::all_of(context.entries.begin(), context.entries.end(), is_binding);
    if (all_bound && all_commas) return record(context, span);
    if (commas > 0) return mixed(context, span, all_bound);
    return block(context, span, all_bound);
  }

  static bool is_binding(RouxParser::StatementContext* entry) {
    const auto* value = dynamic_cast<RouxParser::ValueContext*>(entry);
    return value != nullptr && value->bound != nullptr;
  }

  ExprId record(RouxParser::BracesContext& context, Span span) {
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
  ExprId mixed(RouxParser::BracesContext& context, Span span, bool all_bound) {
    const auto separator = std::find_if(
        context.separators.begin(), context.separators.end(), [&](const antlr4::Token* token) {
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

  ExprId block(RouxParser::BracesContext& context, Span span, bool all_bound) {
    ast::Block block;
    for (auto* entry : context.entries) block.statements.push_back(inner_statement(*entry));
    const auto* last = block.statements.empty()
                           ? nullptr
                           : std::get_if<ast::ExprStatement>(&block.statements.back().node);
    if (last == nullptr) {
      const Span place = context.entries.empty() ? span : span_of(*context.entries.back());
      report(
          place, "a block ends with an expression, its value",
          all_bound && !block.statements.empty() ? "fields of a record are separated by `,`" : "");
      return add(ast::None{}, span);
    }
    block.result = last->value;
    block.statements.pop_back();
    return add(std::move(block), span);
  }

  ast::Statement inner_statement(RouxParser::StatementContext& context) {
    const std::size_t first = context.getStart()->getType();
    if (first == RouxLexer::METHOD || first == RouxLexer::PARAM || first == RouxLexer::IMPORT)
      report(span_of(context.start), quoted(text_of(context.start)) + " cannot stand inside braces",
             first == RouxLexer::METHOD ? "inside a block a function is `name = x => ...`"
                                        : "move it to the top level of the file");
    return statement(context);
  }

  // --- match

  ExprId matching(RouxParser::MatchContext& context, Span span) {
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

  ast::MatchArm pattern(RouxParser::PatternContext& context) {
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

  // --- types

  ast::Type type(RouxParser::TypeContext& context) {
    if (context.alternatives.size() == 1) return optional_type(*context.alternatives[0]);
    ast::Type either;
    either.kind = ast::Type::Kind::either;
    either.span = span_of(context);
    for (auto* alternative : context.alternatives)
      either.arguments.push_back(optional_type(*alternative));
    return either;
  }

  ast::Type optional_type(RouxParser::TypeOptionalContext& context) {
    ast::Type inner = type_atom(*context.atom);
    if (context.marks.empty()) return inner;
    ast::Type optional;
    optional.kind = ast::Type::Kind::optional;
    optional.span = span_of(context);
    optional.arguments.push_back(std::move(inner));
    return optional;
  }

  ast::Type type_atom(RouxParser::TypeAtomContext& context) {
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

  ast::Type tuple_type(RouxParser::TupleTypeContext& context) {
    if (context.commas.empty()) return type(*context.members[0]);
    ast::Type tuple;
    tuple.kind = ast::Type::Kind::tuple;
    tuple.span = span_of(context);
    for (auto* member : context.members) tuple.arguments.push_back(type(*member));
    return tuple;
  }

  double limit(RouxParser::LimitContext& context) {
    double value = std::numeric_limits<double>::infinity();
    if (context.symbolic == nullptr)
      value = number(context.stop);
    else if (text_of(context.symbolic->start) != "inf")
      report(span_of(context),
             "unexpected " + quoted(text_of(context.symbolic->start)) + "; expected a number",
             "the limits of a range in a type are numbers or `inf`");
    return context.minus == nullptr ? value : -value;
  }

  const Tokens& tokens_;
  ast::Module& module_;
  Diagnostics& errors_;
  std::vector<int> depths_;  // of the expressions that this builder added
  std::size_t first_ = module_.exprs.size();
};

// --- one file ------------------------------------------------------------------------------------

class FileParser {
 public:
  FileParser(std::string_view text, SourceId source) : words_(lex(text)) {
    module_.source = source;
  }

  Result<ast::Module> run() && {
    if (words_.too_many) return too_many();
    Brackets brackets = match_brackets(words_.tokens, module_.source);
    errors_ = std::move(brackets.errors);
    explain_bad_tokens();
    if (!brackets.too_deep) parse_statements(without_blanks(words_.tokens, brackets), brackets);
    if (errors_.empty()) return std::move(module_);
    std::stable_sort(errors_.begin(), errors_.end(), [](const Diagnostic& a, const Diagnostic& b) {
      return a.span.begin < b.span.begin;
    });
    if (errors_.size() > limits::kFindings) errors_.resize(limits::kFindings, errors_.front());
    return std::move(errors_);
  }

 private:
  Diagnostic too_many() const {
    const syntax::Token& last = words_.tokens.back();
    return error(DiagnosticKind::limit, syntax::span_of(module_.source, last),
                 "the text has more than " + std::to_string(limits::kSyntaxTokens) +
                     " names, numbers and signs");
  }

  // One per line: the rest of a line after a character that is wrong is seldom meant as it reads.
  void explain_bad_tokens() {
    bool reported = false;
    for (std::size_t i = 0; i < words_.tokens.size(); ++i) {
      if (words_.tokens[i].kind == TokenKind::newline) reported = false;
      if (reported) continue;
      auto found = explain_token(words_.tokens, i, module_.source);
      if (!found) continue;
      errors_.push_back(*std::move(found));
      reported = true;
    }
  }

  // Statements at the top level are parsed one by one, each with a parser that stops at its first
  // error.
  void parse_statements(const std::vector<std::uint32_t>& kept, const Brackets& brackets) {
    visible_.reserve(kept.size());
    for (std::uint32_t i : kept)
      visible_.emplace_back(words_.tokens[i], words_.types[i], visible_.size(), i);
    std::size_t first = 0;
    for (std::size_t i = 0; i < visible_.size(); ++i) {
      const std::size_t type = visible_[i].getType();
      const bool is_top = brackets.inside[kept[i]] == kTopLevel;
      const bool ends = type == antlr4::Token::EOF ||
                        (is_top && (type == RouxLexer::NEWLINE || type == RouxLexer::SEMICOLON));
      if (!ends) continue;
      const bool is_unclosed = type == antlr4::Token::EOF && brackets.open;
      if (is_unclosed) take_unclosed();
      if (first < i && !has_error_between(first, i)) parse_statement(first, i);
      first = i + 1;
    }
    if (unclosed_ && errors_.empty()) errors_.push_back(*std::move(unclosed_));
  }

  // A bracket that nothing closes swallows the rest of the text. Where that stops making sense is a
  // better place to show than the end.
  void take_unclosed() {
    const auto last =
        std::max_element(errors_.begin(), errors_.end(),
                         [](const auto& a, const auto& b) { return a.span.begin < b.span.begin; });
    unclosed_ = std::move(*last);
    errors_.erase(last);
  }

  bool has_error_between(std::size_t first, std::size_t last) const {
    const std::uint32_t begin = visible_[first].plain().begin;
    const std::uint32_t end = visible_[last].plain().begin;
    return std::any_of(errors_.begin(), errors_.end(), [&](const Diagnostic& diagnostic) {
      return diagnostic.span.begin >= begin && diagnostic.span.begin <= end;
    });
  }

  void parse_statement(std::size_t first, std::size_t last) {
    std::vector<ParserToken> tokens;
    for (std::size_t i = first; i < last; ++i)
      tokens.emplace_back(visible_[i].plain(), visible_[i].getType(), i - first,
                          visible_[i].index());
    const ParserToken end(visible_[last].plain(), antlr4::Token::EOF, last - first,
                          visible_[last].index());
    StatementStream stream(tokens, end);
    RouxParser parser(&stream);
    parser.removeErrorListeners();
    parser.setBuildParseTree(false);  // labels are all that is read
    parser.setErrorHandler(std::make_shared<StopAtFirstError>());
    try {
      RouxParser::LineContext& line = parse_line(parser, stream);
      Builder builder(words_.tokens, module_, errors_);
      module_.statements.push_back(builder.statement(*line.content));
      broken_off_ = false;
    } catch (const Stop& stop) {
      report(stop.surprise, first, last);
    } catch (const TooDeep& deep) {
      errors_.push_back(error(DiagnosticKind::limit, deep.span,
                              "more than " + std::to_string(limits::kSyntaxDepth) +
                                  " operations inside each other")
                            .hint("give parts of it names, or use `sum([...])`"));
    }
  }

  void report(const Surprise& surprise, std::size_t first, std::size_t last) {
    const syntax::Token& seen = visible_[first + surprise.at].plain();
    const bool at_end = first + surprise.at == last;
    const bool rest_of_if = seen.text == "then" || seen.text == "else";
    if (unclosed_ && at_end) return errors_.push_back(*std::move(unclosed_));
    if (std::exchange(broken_off_, at_end) && rest_of_if) return;  // the first half was reported
    Tokens plain;
    for (std::size_t i = first; i <= last; ++i) plain.push_back(visible_[i].plain());
    errors_.push_back(explain(plain, surprise, module_.source));
    if (unclosed_) errors_.back().notes = std::move(unclosed_->notes);
  }

  // First without the context of the callers, which is faster; what fails there is tried again with
  // it.
  static RouxParser::LineContext& parse_line(RouxParser& parser, StatementStream& stream) {
    auto* simulator = parser.getInterpreter<antlr4::atn::ParserATNSimulator>();
    simulator->setPredictionMode(antlr4::atn::PredictionMode::SLL);
    try {
      return *parser.line();
    } catch (const Stop&) {
      stream.seek(0);
      parser.reset();
      simulator->setPredictionMode(antlr4::atn::PredictionMode::LL);
      return *parser.line();
    }
  }

  Words words_;
  std::vector<ParserToken> visible_;  // the tokens that the parser sees
  ast::Module module_;
  Diagnostics errors_;
  std::optional<Diagnostic> unclosed_;  // the bracket open at the end of the text
  bool broken_off_ = false;             // the statement before ended too early
};

Diagnostic bug(SourceId source, std::string_view what) {
  return error(DiagnosticKind::internal, {source, 0, 0}, "the parser failed: " + std::string(what))
      .hint("this is a bug in Roux; please report it with the recipe");
}

Result<ast::Module> parse_text(std::string_view text, SourceId source) {
  if (text.size() > limits::kRecipeBytes)
    return error(DiagnosticKind::limit, {source, 0, 0},
                 "the text has " + format_bytes(text.size()) + "; the most is " +
                     format_bytes(limits::kRecipeBytes));
  if (const auto bad = find_bad_utf8(text)) {
    const auto at = static_cast<std::uint32_t>(*bad);
    return error(DiagnosticKind::bad_encoding, {source, at, at + 1},
                 "the text is not UTF-8 from here on")
        .hint("save the file as UTF-8");
  }
  return FileParser(text, source).run();
}

}  // namespace

Result<ast::Module> parse(const SourceMap& sources, SourceId source) {
  try {
    return parse_text(sources.text(source), source);
  } catch (const std::exception& failure) {
    return bug(source, failure.what());
  } catch (const char* failure) {  // the ANTLR runtime has thrown such
    return bug(source, failure);
  } catch (...) {
    return bug(source, "unknown exception");
  }
}

bool is_incomplete(std::string_view text) {
  if (text.size() > limits::kRecipeBytes || find_bad_utf8(text)) return false;
  try {
    const Words words = lex(text);
    if (words.too_many) return false;
    const Brackets brackets = match_brackets(words.tokens, kNoSource);
    if (!brackets.errors.empty()) return brackets.open;
    std::vector<const syntax::Token*> visible;
    for (const syntax::Token& token : words.tokens)
      if (!is_blank(token) && token.kind != TokenKind::end) visible.push_back(&token);
    if (visible.empty()) return false;
    return continues_line(*visible.back(),
                          visible.size() > 1 ? visible[visible.size() - 2] : nullptr);
  } catch (...) {
    return false;
  }
}

}  // namespace roux
