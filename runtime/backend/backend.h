// A backend turns kernels into something that runs. All backends give the same bits; which ones there are
// is a table in backends.cpp. Adding one: a folder, a row; it is done when the conformance suite passes.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "runtime/kernel/kernel.h"

namespace roux {

class CompiledKernel {
 public:
  virtual ~CompiledKernel() = default;
  // Thread-safe; allocates nothing; needs the default floating-point environment.
  virtual void run(const KernelCall& call) const = 0;
};

struct BackendOptions {
  int vector_width = 0;     // lanes per vector of f32: 4, 8 or 16; 0: the backend chooses
  bool optimize = true;     // run the optimiser on the generated code
  std::string cpu = {};     // that code is made for, by LLVM's name; empty: this one
};

class Backend {
 public:
  virtual ~Backend() = default;
  virtual std::string_view name() const = 0;
  // Thread-safe. The kernel must verify.
  virtual Result<std::unique_ptr<CompiledKernel>> compile(const Kernel& kernel) = 0;
};

std::vector<std::string> backend_names();  // the first is the default
Result<std::unique_ptr<Backend>> make_backend(std::string_view name, const BackendOptions& options);

}  // namespace roux
