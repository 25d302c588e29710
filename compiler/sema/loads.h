// The checkpoints that a text names outright, wherever it does so: in branches that are not taken and methods
// that nobody calls, too. So that they can be looked for before anything runs.
#pragma once

#include <string>
#include <vector>

#include "compiler/syntax/ast.h"

namespace roux {

struct NamedCheckpoint {
  enum class Use : unsigned char { load, load_all, save };
  Use use;
  std::string path;  // or glob
  Span span;         // of the path
};

std::vector<NamedCheckpoint> named_checkpoints(const ast::Module& module);

}  // namespace roux
