#include "compiler/sema/loads.h"

#include <optional>

namespace roux {
namespace {

using Use = NamedCheckpoint::Use;

struct Row {
  const char* method;
  Use use;
  std::size_t position;  // of the path
};
constexpr Row kRows[] = {{"load", Use::load, 0}, {"load_all", Use::load_all, 0}, {"save", Use::save, 1}};

// A text without `${}`.
const std::string* plain_text(const ast::Expr& expr) {
  auto* text = std::get_if<ast::String>(&expr.node);
  if (!text || text->parts.size() != 1 || text->parts[0].value != ast::kNoExpr) return nullptr;
  return &text->parts[0].text;
}

std::optional<ast::ExprId> path_of(const ast::Call& call, std::size_t position) {
  std::size_t at = 0;
  for (const ast::Argument& argument : call.arguments) {
    if (argument.name == "path" || argument.name == "glob") return argument.value;
    if (argument.name.empty() && at++ == position) return argument.value;
  }
  return std::nullopt;
}

bool binds(const ast::Module& module, const std::string& name) {
  for (const ast::Statement& statement : module.statements) {
    if (auto* bind = std::get_if<ast::Bind>(&statement.node); bind && bind->name.text == name) return true;
    if (auto* method = std::get_if<ast::Method>(&statement.node); method && method->name.text == name) return true;
  }
  return false;
}

}  // namespace

std::vector<NamedCheckpoint> named_checkpoints(const ast::Module& module) {
  std::vector<NamedCheckpoint> all;
  for (const ast::Expr& expr : module.exprs) {
    auto* call = std::get_if<ast::Call>(&expr.node);
    auto* name = call ? std::get_if<ast::Name>(&module[call->callee].node) : nullptr;
    if (!name) continue;
    for (const Row& row : kRows) {
      if (name->text != row.method || binds(module, row.method)) continue;
      const auto path = path_of(*call, row.position);
      if (const std::string* text = path ? plain_text(module[*path]) : nullptr)
        all.push_back({row.use, *text, module[*path].span});
    }
  }
  return all;
}

}  // namespace roux
