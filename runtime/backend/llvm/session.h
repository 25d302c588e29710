// The corner with LLVM's ORC: modules in, callable functions out. One session serves all kernels of
// a backend; each kernel owns its code (`Code`) and frees it. Thread-safe. No error of LLVM ends
// the process or is printed: all come back as diagnostics.
#pragma once

#include <memory>
#include <string>

#include <llvm/Target/TargetMachine.h>

#include "base/result.h"
#include "runtime/backend/backend.h"
#include "runtime/backend/llvm/emit.h"

namespace roux::llvm_backend {

// Machine code of one module, freed with this object.
class Code {
 public:
  virtual ~Code() = default;
  virtual void* entry() const = 0;
};

class Session {
 public:
  virtual ~Session() = default;

  // For the CPU that was asked for, or for this one: by its name, and with the features that it really has (a
  // virtual machine may hide some).
  virtual Result<std::unique_ptr<llvm::TargetMachine>> target_machine() = 0;
  // Generates machine code; `name` is the module's one function, unique in the session.
  virtual Result<std::unique_ptr<Code>> add(OwnedModule module, const std::string& name) = 0;
};

Result<std::unique_ptr<Session>> make_session(const BackendOptions& options);

}  // namespace roux::llvm_backend
