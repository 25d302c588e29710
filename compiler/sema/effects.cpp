#include "compiler/sema/effects.h"

#include <algorithm>
#include <iterator>

namespace roux {
namespace {

// Primitives that do something; a statement may consist of a call that reaches one of them.
constexpr std::string_view kEffects[] = {"save", "print", "fail"};
constexpr int kDepth = 16;  // of calls; what is deeper is taken to do something

}  // namespace

bool Effects::has_effect(ast::ExprId id, const Scope& scope, int depth) const {
  const auto& node = module[id].node;
  if (auto* call = std::get_if<ast::Call>(&node)) return of_call(*call, scope, depth);
  if (auto* block = std::get_if<ast::Block>(&node)) {
    for (const ast::Statement& statement : block->statements)
      if (auto* plain = std::get_if<ast::ExprStatement>(&statement.node))
        if (has_effect(plain->value, scope, depth + 1)) return true;
    return has_effect(block->result, scope, depth + 1);
  }
  if (auto* choice = std::get_if<ast::If>(&node))
    return has_effect(choice->then_value, scope, depth + 1) || has_effect(choice->else_value, scope, depth + 1);
  if (auto* loop = std::get_if<ast::Comprehension>(&node)) return has_effect(loop->value, scope, depth + 1);
  if (auto* lambda = std::get_if<ast::Lambda>(&node)) return has_effect(lambda->body, scope, depth + 1);
  return false;
}

bool Effects::of_call(const ast::Call& call, const Scope& scope, int depth) const {
  auto* name = std::get_if<ast::Name>(&module[call.callee].node);
  if (name)
    if (auto* own = names.own_method(name->text)) return depth > kDepth || has_effect(own->body, scope, depth + 1);
  if (const Export* found = names.imported_callee(call.callee, scope)) return found->has_effect;
  if (!name || scope.find(name->text) || !library.contains(name->text)) return true;
  if (std::find(std::begin(kEffects), std::end(kEffects), name->text) != std::end(kEffects)) return true;
  return std::any_of(call.arguments.begin(), call.arguments.end(), [&](const ast::Argument& argument) {
    const bool is_plain = std::holds_alternative<ast::Name>(module[argument.value].node);
    return !is_plain && has_effect(argument.value, scope, depth + 1);
  });
}

}  // namespace roux
