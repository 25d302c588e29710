// A value of the language as JSON text; docs/diagnostics.md says what becomes of what.
#pragma once

#include <string>

#include "compiler/interpret/value.h"

namespace roux {

std::string to_json(const Value& value, const Graph& graph);

}  // namespace roux
