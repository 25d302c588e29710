// Whether evaluating an expression as a statement can do anything: it reaches `save`, `print` or `fail`, or
// calls something whose body is not known here.
#pragma once

#include "compiler/sema/library.h"
#include "compiler/sema/names.h"

namespace roux {

struct Effects {
  const ast::Module& module;
  const Library& library;
  const Names& names;

  bool has_effect(ast::ExprId id, const Scope& scope, int depth = 0) const;

 private:
  bool of_call(const ast::Call& call, const Scope& scope, int depth) const;
};

}  // namespace roux
