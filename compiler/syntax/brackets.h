// Which bracket stands around each token, and the errors of brackets and strings that do not pair.
// Runs before the parser and bounds its recursion: the only things that nest are brackets,
// interpolations and `if ... else`, and more than `limits::kSyntaxDepth` of them is an error here.
// In goes what the lexer found, of one file; out comes a table parallel to it.
#pragma once

#include <cstdint>
#include <vector>

#include "base/diagnostic.h"
#include "compiler/syntax/tokens.h"

namespace roux::syntax {

inline constexpr std::uint32_t kTopLevel = ~std::uint32_t{0};

struct Brackets {
  // Per token the index of the innermost open `(`, `[`, `{`, `${` or quote, or kTopLevel. An
  // opening and its closing token have the same entry, that of what is around both.
  std::vector<std::uint32_t> inside;
  Diagnostics errors;     // in source order
  bool too_deep = false;  // then the table ends early, and nothing may be parsed
  bool open = false;      // the text ended inside a bracket (not inside a string)
};

Brackets match_brackets(const Tokens& tokens, SourceId source);

}  // namespace roux::syntax
