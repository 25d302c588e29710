// What can be told of a recipe from its text alone: every name is bound, once, before its use; types exist;
// calls of known methods name their arguments rightly; no statement is without effect; nothing is used that
// is parsed but not yet meant. All findings, in source order. Touches no file.
#pragma once

#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "compiler/sema/imports.h"
#include "compiler/sema/library.h"

namespace roux {

// Names that are bound before the first statement beside the library's methods.
const std::vector<std::string>& constant_names();  // pi, inf
const std::vector<std::string>& tensor_names();    // layer, layer_count, depth, ndim, numel

struct CheckOptions {
  std::vector<std::string> bound = {};   // names that a session has bound before; they may be bound again
  bool allow_plain_expressions = false;  // an expression without effect may stand as a statement
  bool is_imported = false;              // a file that others import: it holds names and does nothing
  const Imports* imports = nullptr;      // the files that `import` statements mean; null: there are none
};

Diagnostics check(const SourceMap& sources, const ast::Module& module, Library& library,
                  const CheckOptions& options);

// What the module gives to those that import it.
std::vector<Export> exports_of(const SourceMap& sources, const ast::Module& module, Library& library,
                               const CheckOptions& options);

}  // namespace roux
