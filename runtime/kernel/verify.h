// Checks that a kernel is well formed: operands come before their uses and have the right type, every
// index is in range, inputs and tables are floating. Run on whatever lowering makes (in tests always).
#pragma once

#include "base/result.h"
#include "runtime/kernel/kernel.h"

namespace roux {

Status verify(const Kernel& kernel);

}  // namespace roux
