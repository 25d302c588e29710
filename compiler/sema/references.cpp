#include "compiler/sema/references.h"

#include <algorithm>
#include <set>

#include "compiler/sema/types.h"
#include "compiler/syntax/free_names.h"

namespace roux {
namespace {

const ast::Parameter* parameter_of(const ast::Method& method, const ast::Argument& argument, std::size_t i) {
  if (argument.name.empty()) return i < method.parameters.size() ? &method.parameters[i] : nullptr;
  for (const ast::Parameter& parameter : method.parameters)
    if (parameter.name.text == argument.name) return &parameter;
  return nullptr;
}

// The bare words that calls of library methods read as choices.
std::set<ast::ExprId> choices_in(const ast::Module& module, Library& library) {
  std::set<ast::ExprId> words;
  for (const ast::Expr& expr : module.exprs) {
    auto* call = std::get_if<ast::Call>(&expr.node);
    auto* callee = call ? std::get_if<ast::Name>(&module[call->callee].node) : nullptr;
    const MethodRef method = callee ? library.find(callee->text) : MethodRef{};
    for (std::size_t i = 0; method.method && i < call->arguments.size(); ++i) {
      const ast::ExprId value = call->arguments[i].value;
      auto* word = std::get_if<ast::Name>(&module[value].node);
      const ast::Parameter* parameter = parameter_of(*method.method, call->arguments[i], i);
      if (!word || !parameter || !parameter->type) continue;
      const std::vector<std::string> choices = choices_of(*parameter->type);
      if (std::find(choices.begin(), choices.end(), word->text) != choices.end()) words.insert(value);
    }
  }
  return words;
}

}  // namespace

std::vector<std::vector<Reference>> references_of(const ast::Module& module, Library& library) {
  const std::set<ast::ExprId> choices = choices_in(module, library);
  std::vector<std::vector<Reference>> all;
  for (const ast::Statement& statement : module.statements) {
    auto& references = all.emplace_back();
    for (ast::ExprId use : ast::free_uses(module, statement))
      if (!choices.contains(use)) references.push_back({std::get<ast::Name>(module[use].node).text, module[use].span});
  }
  return all;
}

}  // namespace roux
