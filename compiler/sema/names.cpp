#include "compiler/sema/names.h"

#include "base/text.h"
#include "compiler/sema/habits.h"

namespace roux {

const ast::BoundName* Scope::find_here(std::string_view name) const {
  for (const ast::BoundName& bound : names)
    if (bound.text == name) return &bound;
  return nullptr;
}

const ast::BoundName* Scope::find(std::string_view name) const {
  for (const Scope* scope = this; scope; scope = scope->parent)
    if (auto* bound = scope->find_here(name)) return bound;
  return nullptr;
}

Diagnostic unknown_name(const std::string& what, const std::string& name, Span span,
                        const std::vector<std::string>& candidates) {
  Diagnostic unknown = error(DiagnosticKind::unknown_name, span, "unknown " + what + " " + quoted(name));
  if (auto near = nearest(name, candidates)) unknown.help = "nearest is " + quoted(*near);
  if (const char* habit = hint_for_foreign_name(name)) unknown.help = habit;
  return unknown;
}

Names::Names(const ast::Module& module) : module_(module) {
  for (const ast::Statement& statement : module.statements)
    if (auto* method = std::get_if<ast::Method>(&statement.node)) methods_.push_back(method);
}

const ast::Method* Names::own_method(std::string_view name) const {
  for (const ast::Method* method : methods_)
    if (method->name.text == name) return method;
  return nullptr;
}

const ast::Method* Names::meant_method(std::string_view name, const Scope& scope) const {
  const ast::Method* own = own_method(name);
  const ast::BoundName* bound = scope.find(name);
  return own && (!bound || bound->span == own->name.span) ? own : nullptr;
}

const Export* Names::imported(const ast::BoundName* bound) const {
  if (!bound) return nullptr;
  const auto found = imported_.find({bound->span.source, bound->span.begin});
  return found == imported_.end() ? nullptr : found->second;
}

const ImportedFile* Names::aliased(ast::ExprId object, const Scope& scope) const {
  auto* name = std::get_if<ast::Name>(&module_[object].node);
  const ast::BoundName* bound = name ? scope.find(name->text) : nullptr;
  if (!bound || bound->span.source != module_.source) return nullptr;
  const auto found = aliases_.find(bound->span.begin);
  return found == aliases_.end() ? nullptr : found->second;
}

const Export* Names::imported_callee(ast::ExprId callee, const Scope& scope) const {
  const auto& node = module_[callee].node;
  if (auto* name = std::get_if<ast::Name>(&node)) return imported(scope.find(name->text));
  auto* member = std::get_if<ast::Member>(&node);
  const ImportedFile* file = member ? aliased(member->object, scope) : nullptr;
  return file ? file->find(member->name) : nullptr;
}

}  // namespace roux
