// Kernel -> LLVM module with one function, `void NAME(const KernelCall*)`. Vectors of `width` lanes
// in the main loop, one element at a time at the end of a run. Builds instructions only: what is on
// them is decided in semantics.h, what becomes of them in optimize.h and session.h.
#pragma once

#include <memory>
#include <string>

#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>

#include "runtime/kernel/kernel.h"

namespace roux::llvm_backend {

// Members are destroyed in reverse: the module before its context.
struct OwnedModule {
  std::unique_ptr<llvm::LLVMContext> context;
  std::unique_ptr<llvm::Module> module;
};

OwnedModule emit_kernel(const Kernel& kernel, const std::string& name, unsigned width);

}  // namespace roux::llvm_backend
