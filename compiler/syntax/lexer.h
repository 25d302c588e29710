// Text to words: runs the generated lexer over a whole file and returns plain tokens, with none of
// ANTLR in them. Takes well-formed UTF-8, with or without a byte order mark; places are bytes of
// the text as given. Reports nothing: what is wrong comes out as a token of a kind that says so.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "compiler/syntax/tokens.h"

namespace roux::syntax {

struct Words {
  Tokens tokens;                   // the last is of kind `end`, unless there are too many
  std::vector<std::size_t> types;  // of the grammar, parallel to `tokens`
  bool too_many = false;           // it stopped after `limits::kSyntaxTokens`
};

Words lex(std::string_view text);

}  // namespace roux::syntax
