// What the library cannot say in the language itself. A method in stdlib/ whose body is `primitive` is
// found here under its name; its signature, types and documentation stand there.
#pragma once

#include <string_view>

#include "compiler/interpret/evaluator.h"

namespace roux {

using Primitive = Value (*)(Evaluator& evaluator, const PrimitiveCall& call);

// Null: no such primitive. Elementwise operations (op.def) are found under their own names.
Primitive find_primitive(std::string_view name);
Value call_elementwise(Evaluator& evaluator, Op op, const PrimitiveCall& call);

}  // namespace roux
