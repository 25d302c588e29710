// What may be written next. `place_in` reads the text up to the cursor as words, with no need that it parses, and
// says what is expected there; the session then looks for what fits.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/session.h"

namespace roux {

// A call whose arguments are being written.
struct OpenCall {
  std::string callee;              // a name, or `m.f`; empty: something else is called
  std::vector<std::string> given;  // arguments named so far
  std::size_t position = 0;        // of the argument at the cursor, what was piped in counted
  std::string parameter;           // `k` after `k = `
};

struct PlaceInText {
  enum class Kind {
    statement,   // a statement begins
    expression,  // a value
    argument,    // an argument begins: a value or the name of a parameter
    value,       // of the parameter named
    type,        // the name of a type
    member,      // of `object`
    string,      // in a string that is an argument of `call`, or of nothing known
    import,      // in the string behind `import`
    tensor,      // in `object["..."]`
    pattern,     // in the pattern of an arm of `match`
    nothing,     // in a comment, behind `for`, ...
  };
  Kind kind = Kind::nothing;
  std::size_t begin = 0;  // where the word or string at the cursor begins
  std::string typed;      // it, so far
  OpenCall call;
  std::string object;     // the text of an expression
  std::vector<std::string> locals;  // names bound around the cursor: parameters, loop variables, bindings of a block
};

// `rest`: the text behind the cursor, where a comprehension may still bind names.
PlaceInText place_in(std::string_view text, std::string_view rest);

// The innermost call whose arguments the end of the text is in, however deep in one of them; no callee: there is none.
OpenCall call_around(std::string_view text);

// Files and folders that a path may go on with. `suffix`: of files, empty for all of them; folders that hold
// checkpoints are complete paths where it is ".safetensors". `globs`: also patterns for several that differ in a number.
std::vector<Candidate> paths_from(const std::string& typed, std::string_view suffix, bool globs);

}  // namespace roux
