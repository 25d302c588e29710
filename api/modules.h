// The files that a recipe imports: read (by whatever `Options::read_import` says), parsed and checked, each
// once, those that others import first. What is wrong with them comes back as findings, each pointing into
// the file it concerns; an import that could not be loaded is missing from the table.
#pragma once

#include <map>
#include <string>

#include "api/roux.h"
#include "compiler/sema/imports.h"
#include "compiler/sema/library.h"

namespace roux {

// Adds what `module`, a file of the name `name`, imports, and what that imports in turn.
Diagnostics load_imports(SourceMap& sources, Library& library, const ReadImport& read, const std::string& name,
                         const ast::Module& module, Imports& imports);

// The texts of all imported files by their paths, as seen from the recipe: what is kept inside outputs.
std::map<std::string, std::string> imported_texts(const SourceMap& sources, const std::string& recipe_name,
                                                  const Imports& imports);

}  // namespace roux
