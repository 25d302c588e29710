// Syntax errors in the user's words: what was seen, after what, what was expected, and a hint where
// the text looks like a habit from another language. Knows tokens, not the grammar.
#pragma once

#include <optional>
#include <string>

#include "base/diagnostic.h"
#include "compiler/syntax/tokens.h"

namespace roux::syntax {

// The error of a token that is wrong wherever it stands (`&&`, 'text', `0x10`).
std::optional<Diagnostic> explain_token(const Tokens& tokens, std::size_t at, SourceId source);

enum class Expected : unsigned char {
  expression,
  name,
  type,
  string,
  pattern,          // of a `match` arm
  operator_or_end,  // nothing in particular: the statement could have ended
  listed,           // Surprise::list
};

// Where the parser could not go on. `statement` holds the tokens of one statement as the parser saw
// them (no blanks but meaningful newlines), and one more: what ended it.
struct Surprise {
  std::size_t at;
  Expected expected;
  std::string list = {};  // as it is to be read: "`,` or `)`"
};

// How the message ends that a name is reserved: told once, not at every use of the name.
inline constexpr std::string_view kReservedWord = " is a reserved word";

// A text that is no recipe at all but, from its first line, one of another format.
std::optional<Diagnostic> explain_other_format(const Tokens& tokens, SourceId source);

Diagnostic explain(const Tokens& statement, const Surprise& surprise, SourceId source);

}  // namespace roux::syntax
