// Diagnostics for programs: the JSON that docs/diagnostics.md describes, from diagnostics and the sources that
// their spans point into.
#pragma once

#include <string>

#include "base/diagnostic.h"

namespace roux {

std::string to_json(const Diagnostics& diagnostics, const SourceMap& sources);

}  // namespace roux
