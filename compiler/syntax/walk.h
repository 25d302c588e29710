// Visits the direct parts of an expression: `for_each_part(expr, [](ast::ExprId part) { ... })`, in
// the order of the text. For a block these are the values of its statements, then its result.
#pragma once

#include <variant>

#include "compiler/syntax/ast.h"

namespace roux::ast {

template <class Visit>
void for_each_part(const Statement& statement, Visit visit) {
  const auto visit_if = [&](ExprId id) {
    if (id != kNoExpr) visit(id);
  };
  struct Parts {
    decltype(visit_if)& f;
    void operator()(const Bind& n) { f(n.value); }
    void operator()(const Param& n) { f(n.parameter.default_value); }
    void operator()(const Method& n) {
      for (const Parameter& parameter : n.parameters) f(parameter.default_value);
      f(n.body);
    }
    void operator()(const Import&) {}
    void operator()(const ExprStatement& n) { f(n.value); }
  };
  std::visit(Parts{visit_if}, statement.node);
}

template <class Visit>
void for_each_part(const Expr& expr, Visit visit) {
  const auto visit_if = [&](ExprId id) {
    if (id != kNoExpr) visit(id);
  };
  struct Parts {
    decltype(visit_if)& f;
    void all(const std::vector<ExprId>& ids) {
      for (ExprId id : ids) f(id);
    }
    void operator()(const Number&) {}
    void operator()(const Bool&) {}
    void operator()(const None&) {}
    void operator()(const Name&) {}
    void operator()(const String& n) {
      for (const StringPart& part : n.parts) f(part.value);
    }
    void operator()(const List& n) { all(n.items); }
    void operator()(const Tuple& n) { all(n.items); }
    void operator()(const Record& n) {
      for (const Field& field : n.fields) f(field.value);
    }
    void operator()(const Unary& n) { f(n.operand); }
    void operator()(const Binary& n) { f(n.left), f(n.right); }
    void operator()(const If& n) { f(n.condition), f(n.then_value), f(n.else_value); }
    void operator()(const As& n) { f(n.value); }
    void operator()(const Call& n) {
      f(n.callee);
      for (const Argument& argument : n.arguments) f(argument.value);
    }
    void operator()(const Index& n) { f(n.object), f(n.index); }
    void operator()(const Member& n) { f(n.object); }
    void operator()(const Lambda& n) { f(n.body); }
    void operator()(const Comprehension& n) {
      f(n.value);
      for (const Generator& generator : n.generators)
        f(generator.source), all(generator.conditions);
    }
    void operator()(const Match& n) {
      for (const MatchArm& arm : n.arms) f(arm.value);
    }
    void operator()(const Block& n) {
      for (const Statement& statement : n.statements) for_each_part(statement, f);
      f(n.result);
    }
  };
  std::visit(Parts{visit_if}, expr.node);
}

}  // namespace roux::ast
