#include "compiler/syntax/lexer.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "base/limits.h"
#include "compiler/syntax/antlr.h"
#include "compiler/syntax/utf8.h"

namespace roux::syntax {
namespace {

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

}  // namespace

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

}  // namespace roux::syntax
