// What there is to read about methods, taken from their files: signatures and the `##` lines above them. In goes
// the library or a recipe's tree, out come plain entries in the order of the files; nothing is printed here.
//
// Among the `##` lines, one that begins with `- NAME: ` tells of a parameter, one that begins with `> ` is an
// example (an expression that is true), one such as `Yadav et al. 2023, arXiv:2306.01708` is a reference; the others
// are the text. The first comment of a file names the group of its methods.
#pragma once

#include <vector>

#include "base/method_document.h"
#include "compiler/sema/library.h"

namespace roux {

MethodDocument document_of(const SourceMap& sources, const ast::Module& module, const ast::Method& method);
std::vector<MethodDocument> manual_of(Library& library, const SourceMap& sources);
std::vector<MethodDocument> manual_of(const ast::Module& recipe, const SourceMap& sources);

}  // namespace roux
