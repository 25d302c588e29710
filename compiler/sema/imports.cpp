#include "compiler/sema/imports.h"

#include <algorithm>

namespace roux {

const Export* ImportedFile::find(std::string_view wanted) const {
  for (const Export& each : exports)
    if (each.name.text == wanted) return &each;
  return nullptr;
}

const ImportedFile* Imports::find(const ast::Import& import) const {
  const auto found = files_.find(key_of(import));
  return found == files_.end() ? nullptr : found->second.get();
}

std::vector<const ImportedFile*> Imports::all() const {
  std::vector<const ImportedFile*> all;
  for (const auto& [key, file] : files_)
    if (std::find(all.begin(), all.end(), file.get()) == all.end()) all.push_back(file.get());
  return all;
}

namespace {

void add_settables(const ast::Module& module, const std::string& prefix, std::vector<Settable>& all) {
  for (const ast::Statement& statement : module.statements)
    if (auto* param = std::get_if<ast::Param>(&statement.node))
      all.push_back({prefix + param->parameter.name.text, &param->parameter});
}

}  // namespace

std::vector<Settable> settables(const ast::Module& recipe, const Imports& imports) {
  std::vector<Settable> all;
  add_settables(recipe, "", all);
  for (const ast::Statement& statement : recipe.statements)
    if (auto* import = std::get_if<ast::Import>(&statement.node))
      if (const ImportedFile* file = imports.find(*import))
        add_settables(file->module, import->alias ? import->alias->text + "." : "", all);
  return all;
}

}  // namespace roux
