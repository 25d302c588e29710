#include "compiler/format/gaps.h"

#include <algorithm>

#include "compiler/syntax/brackets.h"
#include "compiler/syntax/newlines.h"

namespace roux::typeset {

using syntax::Token;
using syntax::TokenKind;

namespace {

bool opens(const Token& token) {
  return token.kind == TokenKind::open || token.kind == TokenKind::interpolation || token.kind == TokenKind::open_text;
}

bool closes(const Token& token) { return token.kind == TokenKind::close || token.kind == TokenKind::close_text; }

std::string_view without_blanks_behind(std::string_view comment) {
  return comment.substr(0, comment.find_last_not_of(" \t\r\f") + 1);
}

}  // namespace

Reader::Reader(std::string_view text) : text_(text), words_(syntax::lex(text)) {
  kept_ = syntax::without_blanks(words_.tokens, syntax::match_brackets(words_.tokens, kNoSource));
  closer_.resize(kept_.size(), 0);
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < kept_.size(); ++i) {
    const Token& token = words_.tokens[kept_[i]];
    if (opens(token)) open.push_back(i);
    if (!closes(token)) continue;
    closer_[open.back()] = i;
    open.pop_back();
  }
}

const Token& Reader::peek(std::size_t ahead) const {
  return words_.tokens[kept_[std::min(at_ + ahead, kept_.size() - 1)]];
}

bool Reader::sees(std::string_view symbol) const {
  const Token& token = peek();
  switch (token.kind) {
    case TokenKind::symbol:
    case TokenKind::reserved:
    case TokenKind::open:
    case TokenKind::close: return token.text == symbol;
    case TokenKind::word: return token.text == "without" && symbol == "without";
    default: return false;
  }
}

const Token& Reader::after_bracket(std::size_t ahead) const {
  return words_.tokens[kept_[closer_[at_ + ahead] + 1]];
}

bool Reader::sees_record() const {
  const std::size_t end = closer_[at_];
  const bool bound = end == at_ + 1 || (peek(1).kind == TokenKind::word && peek(2).is(TokenKind::symbol, "="));
  if (!bound) return false;
  for (std::size_t i = at_ + 1; i < end; ++i) {
    const Token& token = words_.tokens[kept_[i]];
    if (opens(token)) i = closer_[i];
    if (token.kind == TokenKind::newline || token.is(TokenKind::symbol, ";")) return false;
  }
  return true;
}

std::string_view Reader::take() {
  const std::uint32_t index = kept_[at_++];
  taken_ = index + 1;
  return words_.tokens[index].text;
}

std::string_view Reader::take_string() {
  const std::uint32_t first = kept_[at_];
  const std::uint32_t last = kept_[closer_[at_]];
  at_ = closer_[at_] + 1;
  taken_ = last + 1;
  const std::uint32_t begin = words_.tokens[first].begin;
  return text_.substr(begin, words_.tokens[last].end - begin);
}

Gap Reader::gap() {
  Gap gap;
  int newlines = 0;
  bool same_line = true;
  for (std::size_t i = taken_; i < kept_[at_]; ++i) {
    const Token& token = words_.tokens[i];
    if (token.kind == TokenKind::newline) ++newlines, same_line = false;
    if (token.kind != TokenKind::comment && token.kind != TokenKind::documentation) continue;
    const std::string_view text = without_blanks_behind(token.text);
    if (same_line && taken_ > 0)
      gap.trailing.push_back(text);
    else
      gap.own.push_back({text, newlines > 1});
    newlines = 0;
  }
  gap.skips = newlines > 1;
  taken_ = kept_[at_];
  return gap;
}

}  // namespace roux::typeset
