#include "compiler/syntax/brackets.h"

#include <algorithm>

#include "base/limits.h"
#include "base/text.h"

namespace roux::syntax {
namespace {

std::string_view closer_of(const Token& opener) {
  if (opener.kind == TokenKind::open_text) return "\"";
  if (opener.text == "(") return ")";
  return opener.text == "[" ? "]" : "}";
}

class Matcher {
 public:
  Matcher(const Tokens& tokens, SourceId source) : tokens_(tokens), source_(source) {
    found_.inside.reserve(tokens.size());
  }

  Brackets run() && {
    for (std::uint32_t i = 0; i < tokens_.size() && !found_.too_deep; ++i) step(i);
    std::stable_sort(found_.errors.begin(), found_.errors.end(),
                     [](const auto& a, const auto& b) { return a.span.begin < b.span.begin; });
    return std::move(found_);
  }

 private:
  struct Level {
    std::uint32_t opener;
    int open_ifs = 0;
  };

  void step(std::uint32_t i) {
    const Token& token = tokens_[i];
    switch (token.kind) {
      case TokenKind::open:
      case TokenKind::open_text:
      case TokenKind::interpolation: return open(i);
      case TokenKind::close:
      case TokenKind::close_text: return close(i);
      case TokenKind::newline:
        end_strings(i);
        line_ = i;
        break;
      case TokenKind::end: finish(i); break;
      case TokenKind::reserved: count_if(token); break;
      default: break;
    }
    record();
  }

  void record() { found_.inside.push_back(levels_.empty() ? kTopLevel : levels_.back().opener); }

  void open(std::uint32_t i) {
    record();
    levels_.push_back({i});
    deepen(i);
  }

  void close(std::uint32_t i) {
    const Token& token = tokens_[i];
    const auto partner = std::find_if(levels_.rbegin(), levels_.rend(), [&](const Level& level) {
      return closer_of(tokens_[level.opener]) == token.text;
    });
    if (levels_.empty()) {
      found_.errors.push_back(
          error(DiagnosticKind::syntax, span_of(source_, token),
                "unexpected " + quoted(token.text) + "; no bracket is open here"));
    } else if (partner != levels_.rbegin()) {
      mismatch(token, tokens_[levels_.back().opener]);
    }
    if (partner != levels_.rend())
      pop_to(static_cast<std::size_t>(levels_.rend() - partner) - 1);
    else if (!levels_.empty() && tokens_[levels_.back().opener].kind == TokenKind::open)
      pop_to(levels_.size() - 1);  // taken for a slip of the closing bracket
    record();
  }

  void mismatch(const Token& token, const Token& opener) {
    found_.errors.push_back(
        error(DiagnosticKind::syntax, span_of(source_, token),
              "unexpected " + quoted(token.text) + "; expected " + quoted(closer_of(opener)) +
                  " to close " + quoted(opener.text))
            .note(span_of(source_, opener), quoted(opener.text) + " was opened here"));
  }

  // A string, with whatever is open in its interpolations, ends with its line.
  void end_strings(std::uint32_t at) {
    for (std::size_t i = 0; i < levels_.size(); ++i) {
      const Token& opener = tokens_[levels_[i].opener];
      if (opener.kind != TokenKind::open_text) continue;
      const Span span{source_, opener.begin, tokens_[at].begin};
      found_.errors.push_back(
          error(DiagnosticKind::bad_literal, span, "this string is not closed on its line")
              .hint("end it with `\"`; a line break inside is written `\\n`"));
      while (i > 0 && levels_[i - 1].opener >= line_) --i;  // the string has swallowed what closes these
      return pop_to(i);
    }
  }

  void finish(std::uint32_t at) {
    end_strings(at);
    if (levels_.empty()) return;
    found_.open = found_.errors.empty();
    const Token& opener = tokens_[levels_.back().opener];
    found_.errors.push_back(
        error(DiagnosticKind::syntax, span_of(source_, tokens_[at]),
              "unexpected end of the text; expected " + quoted(closer_of(opener)) + " to close " +
                  quoted(opener.text))
            .note(span_of(source_, opener), quoted(opener.text) + " was opened here"));
    pop_to(0);
  }

  // In a valid text every `if` ends at its `else`, or, as a filter, with its `[ ]`.
  void count_if(const Token& token) {
    int& open_ifs = levels_.empty() ? top_ifs_ : levels_.back().open_ifs;
    if (token.text == "if") {
      ++open_ifs;
      deepen(static_cast<std::uint32_t>(&token - tokens_.data()));
    } else if (token.text == "else" && open_ifs > 0) {
      --open_ifs;
      --depth_;
    }
  }

  void pop_to(std::size_t size) {
    while (levels_.size() > size) {
      depth_ -= 1 + levels_.back().open_ifs;
      levels_.pop_back();
    }
  }

  void deepen(std::uint32_t at) {
    if (++depth_ <= limits::kSyntaxDepth) return;
    found_.too_deep = true;
    found_.errors.push_back(error(DiagnosticKind::limit, span_of(source_, tokens_[at]),
                                  "more than " + std::to_string(limits::kSyntaxDepth) +
                                      " brackets and `if`s inside each other")
                                .hint("give the inner parts names"));
  }

  const Tokens& tokens_;
  SourceId source_;
  Brackets found_;
  std::vector<Level> levels_;
  std::uint32_t line_ = 0;  // the token before the present line, or its first
  int top_ifs_ = 0;
  int depth_ = 0;
};

}  // namespace

Brackets match_brackets(const Tokens& tokens, SourceId source) {
  return Matcher(tokens, source).run();
}

}  // namespace roux::syntax
