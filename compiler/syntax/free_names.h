// The names that an expression uses and does not bind itself: what it takes from around it.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "compiler/syntax/ast.h"

namespace roux::ast {

std::set<std::string> free_names(const Module& module, ExprId expr);

// The places in a statement where such names stand, in the order of the text.
std::vector<ExprId> free_uses(const Module& module, const Statement& statement);

}  // namespace roux::ast
