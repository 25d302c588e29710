// What names mean in one file: those bound in a scope and the scopes around it, the file's own methods (which
// may be used before they stand), and what imports bring along. Filled by the static check as it goes.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/diagnostic.h"
#include "compiler/sema/imports.h"

namespace roux {

struct Scope {
  const Scope* parent = nullptr;
  std::vector<ast::BoundName> names{};

  const ast::BoundName* find_here(std::string_view name) const;
  const ast::BoundName* find(std::string_view name) const;
};

// A finding about a name that nothing has, with what was probably meant. `what`: "name", "method", "type".
Diagnostic unknown_name(const std::string& what, const std::string& name, Span span,
                        const std::vector<std::string>& candidates);

class Names {
 public:
  explicit Names(const ast::Module& module);

  const std::vector<const ast::Method*>& methods() const { return methods_; }
  const ast::Method* own_method(std::string_view name) const;
  // The method of this file that a name means, if nothing nearer has the name.
  const ast::Method* meant_method(std::string_view name, const Scope& scope) const;

  void add_imported(const Export& each) { imported_[{each.name.span.source, each.name.span.begin}] = &each; }
  // `file`: null where it could not be read.
  void add_alias(const ast::BoundName& alias, const ImportedFile* file) { aliases_[alias.span.begin] = file; }
  // What a bound name means, if it came from another file.
  const Export* imported(const ast::BoundName* bound) const;
  // The file that `m` in `m.name` stands for; null: `m` is something else, or its file is not there.
  const ImportedFile* aliased(ast::ExprId object, const Scope& scope) const;
  // What is called, if it is a name of another file: `f` or `m.f`.
  const Export* imported_callee(ast::ExprId callee, const Scope& scope) const;

 private:
  const ast::Module& module_;
  std::vector<const ast::Method*> methods_;
  std::map<std::uint32_t, const ImportedFile*> aliases_;                   // by where the alias begins
  std::map<std::pair<SourceId, std::uint32_t>, const Export*> imported_;  // by where the name is bound
};

}  // namespace roux
