// Which argument of a call goes to which parameter: positional first, then named; a first parameter of type
// `operands` takes one list or any number of plain arguments. One definition, used by the static check
// (where the callee is known by name) and by evaluation.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "compiler/syntax/ast.h"

namespace roux {

struct ArgumentPlan {
  // Per parameter: the index of the argument it takes, or nothing (its default).
  std::vector<std::optional<std::size_t>> of_parameter;
  // For a first parameter of type `operands` given two or more plain arguments: all of them.
  std::vector<std::size_t> gathered;
};

// The method that is called; its signature is written out only where a finding shows it.
struct Callee {
  const SourceMap& sources;
  const ast::Module& module;
  const ast::Method& method;
};

// All that is wrong with the call, or the plan. `call_span` is where a missing argument is reported.
Result<ArgumentPlan> plan_arguments(const Callee& callee, const std::vector<ast::Argument>& arguments,
                                    const ast::Module& module, Span call_span);

bool takes_operands(const std::vector<ast::Parameter>& parameters);

}  // namespace roux
