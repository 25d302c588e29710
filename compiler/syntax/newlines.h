// The newline rule. Newlines separate statements, entries of braces and arms of a `match`; they
// mean nothing inside the innermost `( )` or `[ ]` (and `${ }`), after a binary operator, `=`,
// `=>`, `,` or `{`, and before `|>`, `then`, `else`, `->` or `}`. Of several in a row one is left.
#pragma once

#include <cstdint>
#include <vector>

#include "compiler/syntax/brackets.h"
#include "compiler/syntax/tokens.h"

namespace roux::syntax {

// The indices of the tokens that the parser sees, in order: everything but comments and newlines
// without meaning. The last is that of the `end` token.
std::vector<std::uint32_t> without_blanks(const Tokens& tokens, const Brackets& brackets);

// Whether a newline after `token` would mean nothing, so that the text goes on in the next line.
bool continues_line(const Token& token, const Token* before);

}  // namespace roux::syntax
