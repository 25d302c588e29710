// The LLVM backend: kernels become vector machine code in this process. No LLVM type shows here.
#pragma once

#include <memory>
#include <string>

#include "runtime/backend/backend.h"

namespace roux {

Result<std::unique_ptr<Backend>> make_llvm_backend(const BackendOptions& options);

// What the backend makes of a kernel, as LLVM's text, for people and for tests: after the optimiser
// if the options ask for it, before instruction selection.
Result<std::string> llvm_ir_of(const Kernel& kernel, const BackendOptions& options);

}  // namespace roux
