// Methods that come back to themselves, told from who names whom: there is no recursion.
#pragma once

#include <vector>

#include "base/diagnostic.h"
#include "compiler/syntax/ast.h"

namespace roux {

// One method's body names another (or itself).
struct MethodUse {
  const ast::Method* user;
  const ast::Method* used;
  Span span;
};

// One finding for each circle, at the use that closes it.
Diagnostics find_recursion(const std::vector<MethodUse>& uses);

}  // namespace roux
