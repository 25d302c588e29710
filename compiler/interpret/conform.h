// Whether a value fits a type of a signature, and what it becomes there: a soup where a model is wanted is
// its weighted mean, where a list is wanted its ingredients; a combination used as a model must have total
// weight 1. Checked at every call, before any tensor is read.
#pragma once

#include "compiler/interpret/spaces.h"
#include "compiler/syntax/ast.h"

namespace roux {

// `what` names the use: "argument `k` of `ties`". Throws a Failure.
Value conform(SpaceContext& context, const Value& value, const ast::Type& type, const std::string& what);

// The models of a soup as a list; an error if its weights are not equal.
Value ingredients_of(SpaceContext& context, const Soup& soup);

}  // namespace roux
