#include "compiler/syntax/newlines.h"

namespace roux::syntax {
namespace {

bool continues_previous_line(const Token& token) {
  switch (token.kind) {
    case TokenKind::symbol: return token.text == "|>" || token.text == "->";
    case TokenKind::reserved: return token.text == "then" || token.text == "else";
    case TokenKind::close: return token.text == "}";
    case TokenKind::end: return true;
    default: return false;
  }
}

bool is_inside_round_or_square(std::uint32_t opener, const Tokens& tokens) {
  return opener != kTopLevel && tokens[opener].text != "{";
}

}  // namespace

bool continues_line(const Token& token, const Token* before) {
  return token.is(TokenKind::symbol, "=") || token.is(TokenKind::symbol, "=>") ||
         token.is(TokenKind::symbol, ",") || token.is(TokenKind::open, "{") ||
         is_binary_operator(token, before);
}

std::vector<std::uint32_t> without_blanks(const Tokens& tokens, const Brackets& brackets) {
  std::vector<std::uint32_t> kept;
  kept.reserve(tokens.size());
  std::uint32_t next = 0;  // the next token that is not blank; only ever moves on
  const auto separates = [&](std::uint32_t i) {
    if (kept.empty() || is_inside_round_or_square(brackets.inside[i], tokens)) return false;
    const Token& previous = tokens[kept.back()];
    if (previous.kind == TokenKind::newline) return false;
    if (continues_line(previous, kept.size() > 1 ? &tokens[kept[kept.size() - 2]] : nullptr))
      return false;
    while (next < i || is_blank(tokens[next])) ++next;
    return !continues_previous_line(tokens[next]);
  };
  for (std::uint32_t i = 0; i < tokens.size(); ++i)
    if (tokens[i].kind == TokenKind::newline ? separates(i) : !is_blank(tokens[i]))
      kept.push_back(i);
  return kept;
}

}  // namespace roux::syntax
