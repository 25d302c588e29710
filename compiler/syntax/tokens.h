// The words of a recipe as plain values: what the lexer found, by kind and byte range, with none of
// ANTLR in it. The passes between lexer and parser (brackets, newlines) and the texts of the syntax
// errors work on these, so they can be tested without a grammar. Views point into the source's
// text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/source.h"

namespace roux::syntax {

enum class TokenKind : unsigned char {
  word,           // a name; also `without`, which is an operator between operands
  reserved,       // `if`, `match`, ...
  number,         // also percentages and sizes
  bad_number,     // `0x10`, `.5`, `5gb`
  open,           // ( [ {
  close,          // ) ] }   (also the end of an interpolation)
  symbol,         // an operator or separator
  bad_symbol,     // `&&`, `**`, ...: an operator of other languages
  open_text,      // the quote that begins a string
  close_text,     // the quote that ends it
  characters,     // plain text of a string
  escape,         // `\n`, `\u{e9}`
  dollar,         // `$$` or `$` in a string
  interpolation,  // `${`
  single_quoted,  // 'text'
  stray,          // a character that begins nothing
  newline,
  comment,
  documentation,  // `## text`
  end,
};

struct Token {
  TokenKind kind;
  std::uint32_t begin;
  std::uint32_t end;
  std::string_view text;

  bool is(TokenKind wanted, std::string_view spelling) const {
    return kind == wanted && text == spelling;
  }
};

using Tokens = std::vector<Token>;  // the last is of kind `end`

inline Span span_of(SourceId source, const Token& token) {
  return {source, token.begin, token.end};
}

// Newlines and comments: what the parser may never see.
inline bool is_blank(const Token& token) {
  return token.kind == TokenKind::newline || token.kind == TokenKind::comment ||
         token.kind == TokenKind::documentation;
}

// Whether an operand may end with `token`, so that an operator may follow.
bool ends_operand(const Token& token);

// Whether `token` is a binary operator, given the token before it that is not blank (or null).
bool is_binary_operator(const Token& token, const Token* before);

}  // namespace roux::syntax
