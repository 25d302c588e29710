// The text form of kernels: what tests read, what `roux plan` prints, and the key of the kernel cache.
// parse_kernel(to_text(k)) == k for every kernel that verifies.
#pragma once

#include <string>

#include "base/result.h"
#include "runtime/kernel/kernel.h"

namespace roux {

std::string to_text(const Kernel& kernel);
Result<Kernel> parse_kernel(std::string_view text);

}  // namespace roux
