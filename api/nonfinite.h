// What there is to say of values that are saved and are not finite: how many, in which tensors, how many of
// them only because the storage type is too narrow, and what may help.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "base/result.h"
#include "runtime/exec/executor.h"

namespace roux {

// A warning, or an error where it is refused; nothing where all values are finite. `what`: "`out/soup`".
std::optional<Diagnostic> explain_nonfinite(std::span<const Nonfinite> found, const std::string& what,
                                            bool refuse, Span span);

}  // namespace roux
