// How the generated parser fails: at the first token that does not fit it throws Stop, which says
// where that was and what was expected there, in the user's words. It never recovers by itself; the
// caller goes on with the next statement.
#pragma once

#include <memory>

#include "compiler/syntax/explain.h"

namespace antlr4 {
class ANTLRErrorStrategy;
}

namespace roux::syntax {

struct Stop {
  Surprise surprise;
};

// For a RouxParser that reads tokens of class ParserToken.
std::shared_ptr<antlr4::ANTLRErrorStrategy> stop_at_first_error();

}  // namespace roux::syntax
