// Text to syntax tree. Never throws, never prints; at most `limits::kRecipeBytes` of UTF-8 text and
// `limits::kSyntaxDepth` levels of nesting. On failure: the syntax errors in source order, each
// with its place, what was seen, what was expected in the user's words, and a hint where one is
// known. This is the only door to ANTLR; the headers that know it (antlr.h, build_tree.h) are
// private to this folder.
#pragma once

#include "base/result.h"
#include "compiler/syntax/ast.h"

namespace roux {

Result<ast::Module> parse(const SourceMap& sources, SourceId source);

// Whether `text` ends inside an open bracket or block, or after a sign such as `=`, `+` or `|>`
// that lets it go on in the next line: the reader of lines should ask for more. (Not inside a
// string: those end with their line, so more would not help.)
bool is_incomplete(std::string_view text);

}  // namespace roux
