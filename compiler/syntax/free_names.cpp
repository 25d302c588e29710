#include "compiler/syntax/free_names.h"

#include "compiler/syntax/walk.h"

namespace roux::ast {
namespace {

class Finder {
 public:
  explicit Finder(const Module& module) : module_(module) {}

  std::vector<ExprId> take() { return std::move(free_); }

  void visit(ExprId id) {
    const Expr& expr = module_[id];
    if (auto* name = std::get_if<Name>(&expr.node)) {
      if (!bound_.contains(name->text)) free_.push_back(id);
    } else if (auto* lambda = std::get_if<Lambda>(&expr.node)) {
      binding(lambda->parameters, [&] { visit(lambda->body); });
    } else if (auto* loop = std::get_if<Comprehension>(&expr.node)) {
      visit_from(*loop, 0);
    } else if (auto* block = std::get_if<Block>(&expr.node)) {
      const std::multiset<std::string> outside = bound_;
      for (const Statement& statement : block->statements) visit(statement);
      visit(block->result);
      bound_ = outside;
    } else {
      for_each_part(expr, [&](ExprId part) { visit(part); });
    }
  }

  void visit(const Statement& statement) {
    if (auto* method = std::get_if<Method>(&statement.node)) {
      bound_.insert(method->name.text);
      std::vector<BoundName> parameters;
      for (const Parameter& parameter : method->parameters) {
        if (parameter.default_value != kNoExpr) visit(parameter.default_value);
        parameters.push_back(parameter.name);
      }
      return binding(parameters, [&] { visit(method->body); });
    }
    for_each_part(statement, [&](ExprId part) { visit(part); });
    if (auto* bind = std::get_if<Bind>(&statement.node)) bound_.insert(bind->name.text);
  }

 private:
  void visit_from(const Comprehension& loop, std::size_t i) {
    if (i == loop.generators.size()) return visit(loop.value);
    const Generator& generator = loop.generators[i];
    visit(generator.source);
    binding(generator.targets, [&] {
      for (ExprId condition : generator.conditions) visit(condition);
      visit_from(loop, i + 1);
    });
  }

  template <class Body>
  void binding(const std::vector<BoundName>& names, Body body) {
    for (const BoundName& name : names) bound_.insert(name.text);
    body();
    for (const BoundName& name : names) bound_.erase(bound_.find(name.text));
  }

  const Module& module_;
  std::multiset<std::string> bound_;
  std::vector<ExprId> free_;
};

}  // namespace

std::set<std::string> free_names(const Module& module, ExprId expr) {
  Finder finder(module);
  finder.visit(expr);
  std::set<std::string> names;
  for (ExprId use : finder.take()) names.insert(std::get<Name>(module[use].node).text);
  return names;
}

std::vector<ExprId> free_uses(const Module& module, const Statement& statement) {
  Finder finder(module);
  finder.visit(statement);
  return finder.take();
}

}  // namespace roux::ast
