// A short pipeline of LLVM's function passes. Kernels are vector code as emitted, so nothing here
// looks for parallelism: repeated subexpressions go, what does not change leaves the loops,
// patterns are simplified. No pass may change a result: instructions carry no fast-math flags.
#pragma once

#include <llvm/IR/Module.h>
#include <llvm/Target/TargetMachine.h>

namespace roux::llvm_backend {

void optimize(llvm::Module& module, llvm::TargetMachine& target);

}  // namespace roux::llvm_backend
