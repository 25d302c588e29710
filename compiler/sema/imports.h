// The files that a recipe imports, parsed: which file each `import` statement means, and which names a file
// gives to those that import it. Whoever reads the files (api/) fills the table, an imported file before
// those that import it; the static check and evaluation look into it. Owns the files' trees.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "compiler/syntax/ast.h"

namespace roux {

// A name at the top of a file. Those that begin with `_` stay in their file.
struct Export {
  ast::BoundName name;
  const ast::Module* module = nullptr;
  const ast::Method* method = nullptr;  // null: a binding or a `param`
  bool has_effect = true;               // whether calling it can do anything but give a value
};

struct ImportedFile {
  std::string name;  // as diagnostics print it
  ast::Module module;
  std::vector<Export> exports;

  const Export* find(std::string_view name) const;
};

class Imports {
 public:
  using File = std::shared_ptr<const ImportedFile>;

  void add(const ast::Import& import, File file) { files_[key_of(import)] = std::move(file); }
  // Null: the file could not be read, which has been reported.
  const ImportedFile* find(const ast::Import& import) const;
  bool empty() const { return files_.empty(); }
  // Each file once, in the order in which the recipe and its files name them.
  std::vector<const ImportedFile*> all() const;

 private:
  using Key = std::pair<SourceId, std::uint32_t>;  // where the statement names its path
  static Key key_of(const ast::Import& import) { return {import.path_span.source, import.path_span.begin}; }

  std::map<Key, File> files_;
};

// A `param` that can be given a value from outside, and the name under which: `k`, or `m.k` for one of a
// file that the recipe imports `as m`. Files imported by imported files keep theirs to themselves.
struct Settable {
  std::string name;
  const ast::Parameter* parameter;
};
std::vector<Settable> settables(const ast::Module& recipe, const Imports& imports);

}  // namespace roux
