#include "compiler/syntax/stop_at_first_error.h"

#include <string>
#include <vector>

#include "base/text.h"
#include "compiler/syntax/antlr.h"

namespace roux::syntax {
namespace {

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

}  // namespace

std::shared_ptr<antlr4::ANTLRErrorStrategy> stop_at_first_error() {
  return std::make_shared<StopAtFirstError>();
}

}  // namespace roux::syntax
