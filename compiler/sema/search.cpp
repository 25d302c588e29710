#include "compiler/sema/search.h"

#include "base/text.h"

namespace roux {
namespace {

const ast::Name* callee_of(const ast::Module& module, const ast::Call& call) {
  return std::get_if<ast::Name>(&module[call.callee].node);
}

bool is_search(const ast::Module& module, ast::ExprId id) {
  if (auto* call = std::get_if<ast::Call>(&module[id].node)) {
    auto* callee = callee_of(module, *call);
    return callee && callee->text == "greedy";
  }
  auto* name = std::get_if<ast::Name>(&module[id].node);
  if (!name) return false;
  for (const ast::Statement& statement : module.statements)
    if (auto* bind = std::get_if<ast::Bind>(&statement.node); bind && bind->name.text == name->text)
      return std::holds_alternative<ast::Call>(module[bind->value].node) && is_search(module, bind->value);
  return false;
}

// The argument, where the call of something other than the search's result can be told.
std::string merge_argument(const SourceMap& sources, const ast::Module& module) {
  for (const ast::Expr& expr : module.exprs) {
    auto* call = std::get_if<ast::Call>(&expr.node);
    if (!call || call->arguments.empty() || !is_search(module, call->arguments[0].value)) continue;
    auto* callee = callee_of(module, *call);
    if (!callee || callee->text == "save" || callee->text == "print") continue;
    std::string text = "merge = ms => " + callee->text + "(ms";
    for (std::size_t i = 1; i < call->arguments.size(); ++i) {
      const ast::Argument& argument = call->arguments[i];
      text += ", " + (argument.name.empty() ? "" : argument.name + " = ");
      text += sources.text(module[argument.value].span);
    }
    return text + ")";
  }
  return "merge = ms => ...";
}

}  // namespace

std::string advice_to_score(const SourceMap& sources, const ast::Module& module) {
  for (ast::ExprId id = 0; id < module.exprs.size(); ++id)
    if (std::holds_alternative<ast::Call>(module[id].node) && is_search(module, id))
      return "score what you save: give the search " + quoted(merge_argument(sources, module));
  return "score what you save, too, by the scorer that the others were scored by";
}

}  // namespace roux
