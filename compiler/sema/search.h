// For the hint to a recipe that scores models and saves another. Where it searches among plain means and then saves
// another merge of what was selected: the argument that makes the search score what is saved, such as
// `merge = ms => ties(ms, k = 0.2)`. It looks no further than calls of the result of `greedy`.
#pragma once

#include <string>

#include "base/source.h"
#include "compiler/syntax/ast.h"

namespace roux {

std::string advice_to_score(const SourceMap& sources, const ast::Module& module);

}  // namespace roux
