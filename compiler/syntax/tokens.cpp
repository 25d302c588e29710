#include "compiler/syntax/tokens.h"

#include <algorithm>

namespace roux::syntax {
namespace {

constexpr std::string_view kBinarySymbols[] = {
    "+", "-", "*", "/", "^", "++", "..", "==", "!=", "<", "<=", ">", ">=", "|>", "|"};

}  // namespace

bool ends_operand(const Token& token) {
  switch (token.kind) {
    case TokenKind::word:
    case TokenKind::number:
    case TokenKind::close:
    case TokenKind::close_text:
    case TokenKind::bad_number:
    case TokenKind::single_quoted: return true;
    case TokenKind::reserved:
      return token.text == "true" || token.text == "false" || token.text == "none" ||
             token.text == "net";
    default: return false;
  }
}

bool is_binary_operator(const Token& token, const Token* before) {
  const bool after_operand = before != nullptr && ends_operand(*before);
  switch (token.kind) {
    case TokenKind::word: return token.text == "without" && after_operand;
    case TokenKind::reserved:
      return token.text == "and" || token.text == "or" || token.text == "as";
    case TokenKind::symbol:
      return after_operand && std::find(std::begin(kBinarySymbols), std::end(kBinarySymbols),
                                        token.text) != std::end(kBinarySymbols);
    default: return false;
  }
}

}  // namespace roux::syntax
