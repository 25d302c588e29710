#include "compiler/sema/definitions.h"

#include "compiler/sema/names.h"
#include "compiler/syntax/walk.h"

namespace roux {
namespace {

class Resolver {
 public:
  explicit Resolver(const ast::Module& module) : module_(module) {}

  std::map<ast::ExprId, ast::BoundName> run() {
    Scope top;
    visit_all(module_.statements, top);
    return std::move(definitions_);
  }

 private:
  // Methods may be used before they stand.
  void visit_all(const std::vector<ast::Statement>& statements, Scope& scope) {
    for (const ast::Statement& statement : statements)
      if (auto* method = std::get_if<ast::Method>(&statement.node)) scope.names.push_back(method->name);
    for (const ast::Statement& statement : statements) visit(statement, scope);
  }

  void visit(const ast::Statement& statement, Scope& scope) {
    if (auto* method = std::get_if<ast::Method>(&statement.node)) {
      Scope inner{.parent = &scope};
      for (const ast::Parameter& parameter : method->parameters) {
        if (parameter.default_value != ast::kNoExpr) visit(parameter.default_value, inner);
        inner.names.push_back(parameter.name);
      }
      return visit(method->body, inner);
    }
    ast::for_each_part(statement, [&](ast::ExprId part) { visit(part, scope); });
    if (auto* bind = std::get_if<ast::Bind>(&statement.node)) scope.names.push_back(bind->name);
    if (auto* param = std::get_if<ast::Param>(&statement.node)) scope.names.push_back(param->parameter.name);
    if (auto* import = std::get_if<ast::Import>(&statement.node))
      if (import->alias) scope.names.push_back(*import->alias);
  }

  void visit(ast::ExprId id, const Scope& scope) {
    const ast::Expr& expr = module_[id];
    if (auto* name = std::get_if<ast::Name>(&expr.node)) {
      if (const ast::BoundName* bound = scope.find(name->text)) definitions_.emplace(id, *bound);
    } else if (auto* lambda = std::get_if<ast::Lambda>(&expr.node)) {
      visit(lambda->body, Scope{.parent = &scope, .names = lambda->parameters});
    } else if (auto* loop = std::get_if<ast::Comprehension>(&expr.node)) {
      visit_from(*loop, 0, scope);
    } else if (auto* block = std::get_if<ast::Block>(&expr.node)) {
      Scope inner{.parent = &scope};
      visit_all(block->statements, inner);
      visit(block->result, inner);
    } else {
      ast::for_each_part(expr, [&](ast::ExprId part) { visit(part, scope); });
    }
  }

  void visit_from(const ast::Comprehension& loop, std::size_t i, const Scope& scope) {
    if (i == loop.generators.size()) return visit(loop.value, scope);
    const ast::Generator& generator = loop.generators[i];
    visit(generator.source, scope);
    const Scope inner{.parent = &scope, .names = generator.targets};
    for (ast::ExprId condition : generator.conditions) visit(condition, inner);
    visit_from(loop, i + 1, inner);
  }

  const ast::Module& module_;
  std::map<ast::ExprId, ast::BoundName> definitions_;
};

}  // namespace

std::map<ast::ExprId, ast::BoundName> definitions_in(const ast::Module& module) { return Resolver(module).run(); }

}  // namespace roux
