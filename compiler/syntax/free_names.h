// The names that an expression uses and does not bind itself: what it takes from around it.
#pragma once

#include <set>
#include <string>

#include "compiler/syntax/ast.h"

namespace roux::ast {

std::set<std::string> free_names(const Module& module, ExprId expr);

}  // namespace roux::ast
