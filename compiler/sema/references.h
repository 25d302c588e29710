// Where the statements of a module use names from around them: of the module itself, of a session, of the library.
// Names bound further in (parameters, loop variables, bindings of a block) are left out, and so are bare words that
// are choices of the library method they are given to.
#pragma once

#include <string>
#include <vector>

#include "compiler/sema/library.h"

namespace roux {

struct Reference {
  std::string name;
  Span span;
};

// One list for each statement, in the order of the text.
std::vector<std::vector<Reference>> references_of(const ast::Module& module, Library& library);

}  // namespace roux
