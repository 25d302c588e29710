#include "compiler/syntax/parse.h"

#include <algorithm>
#include <span>
#include <utility>

#include "base/limits.h"
#include "base/text.h"
#include "base/utf8.h"
#include "compiler/syntax/antlr.h"
#include "compiler/syntax/brackets.h"
#include "compiler/syntax/build_tree.h"
#include "compiler/syntax/explain.h"
#include "compiler/syntax/lexer.h"
#include "compiler/syntax/newlines.h"
#include "compiler/syntax/stop_at_first_error.h"

namespace roux {
namespace {

using namespace syntax;

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

class FileParser {
 public:
  FileParser(std::string_view text, SourceId source) : words_(lex(text)) {
    module_.source = source;
  }

  Result<ast::Module> run() && {
    if (words_.too_many) return too_many();
    if (auto foreign = explain_other_format(words_.tokens, module_.source)) return *std::move(foreign);
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
    parser.setErrorHandler(stop_at_first_error());
    try {
      RouxParser::LineContext& line = parse_line(parser, stream);
      TreeBuilder builder(words_.tokens, module_, errors_);
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
    Diagnostic found = explain(plain, surprise, module_.source);
    if (found.message.ends_with(kReservedWord) && was_told(found.message)) return;  // where it was bound
    errors_.push_back(std::move(found));
    if (unclosed_) errors_.back().notes = std::move(unclosed_->notes);
  }

  bool was_told(const std::string& message) const {
    return std::any_of(errors_.begin(), errors_.end(), [&](const Diagnostic& error) { return error.message == message; });
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
