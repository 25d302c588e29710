// Where the names that a file uses are bound in it: for an editor that goes to definitions. Names that the file
// does not bind itself, of the library or of imported files, are left out.
#pragma once

#include <map>

#include "compiler/syntax/ast.h"

namespace roux {

// By the expression that uses a name: the binding that it means, innermost first.
std::map<ast::ExprId, ast::BoundName> definitions_in(const ast::Module& module);

}  // namespace roux
