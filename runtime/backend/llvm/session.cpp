#include "runtime/backend/llvm/session.h"

#include <mutex>

#include <llvm/ExecutionEngine/Orc/CompileUtils.h>
#include <llvm/ExecutionEngine/Orc/JITTargetMachineBuilder.h>
#include <llvm/ExecutionEngine/Orc/LLJIT.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/TargetParser/Host.h>

namespace roux::llvm_backend {
namespace {

Diagnostic to_diagnostic(llvm::Error failure) {
  return error(DiagnosticKind::internal, {}, "LLVM: " + llvm::toString(std::move(failure)));
}

// LLVM's way of returning values, in ours.
template <class T>
Result<T> to_result(llvm::Expected<T> expected) {
  if (!expected) return to_diagnostic(expected.takeError());
  return std::move(*expected);
}

class TrackedCode : public Code {
 public:
  TrackedCode(llvm::orc::ResourceTrackerSP tracker, void* entry)
      : tracker_(std::move(tracker)), entry_(entry) {}
  ~TrackedCode() override { llvm::consumeError(tracker_->remove()); }
  void* entry() const override { return entry_; }

 private:
  llvm::orc::ResourceTrackerSP tracker_;
  void* entry_;
};

class OrcSession : public Session {
 public:
  OrcSession(llvm::orc::JITTargetMachineBuilder target, std::unique_ptr<llvm::orc::LLJIT> jit)
      : target_(std::move(target)), jit_(std::move(jit)) {
    // By default the session prints what goes wrong, besides returning it.
    jit_->getExecutionSession().setErrorReporter(
        [](llvm::Error failure) { llvm::consumeError(std::move(failure)); });
  }

  Result<std::unique_ptr<llvm::TargetMachine>> target_machine() override {
    llvm::orc::JITTargetMachineBuilder copy = target_;
    return to_result(copy.createTargetMachine());
  }

  Result<std::unique_ptr<Code>> add(OwnedModule made, const std::string& name) override {
    auto tracker = jit_->getMainJITDylib().createResourceTracker();
    made.module->setDataLayout(jit_->getDataLayout());
    llvm::orc::ThreadSafeModule module(std::move(made.module), std::move(made.context));
    if (auto failure = jit_->addIRModule(tracker, std::move(module)))
      return to_diagnostic(std::move(failure));
    auto address = jit_->lookup(name);
    if (!address) {
      llvm::consumeError(tracker->remove());
      return to_diagnostic(address.takeError());
    }
    return std::unique_ptr<Code>(
        std::make_unique<TrackedCode>(std::move(tracker), address->toPtr<void*>()));
  }

 private:
  llvm::orc::JITTargetMachineBuilder target_;
  std::unique_ptr<llvm::orc::LLJIT> jit_;
};

void set_host(llvm::orc::JITTargetMachineBuilder& target) {
  target.setCPU(llvm::sys::getHostCPUName().str());
  std::vector<std::string> features;
  for (const auto& feature : llvm::sys::getHostCPUFeatures())
    features.push_back((feature.second ? "+" : "-") + feature.first().str());
  target.addFeatures(features);
}

llvm::orc::JITTargetMachineBuilder target_of(const BackendOptions& options) {
  llvm::orc::JITTargetMachineBuilder target{llvm::Triple(llvm::sys::getProcessTriple())};
  if (options.cpu.empty())
    set_host(target);
  else
    target.setCPU(options.cpu);
  target.setCodeGenOptLevel(options.optimize ? llvm::CodeGenOptLevel::Default
                                     : llvm::CodeGenOptLevel::None);
  target.getOptions().AllowFPOpFusion = llvm::FPOpFusion::Strict;  // a * b + c rounds twice
  return target;
}

}  // namespace

Result<std::unique_ptr<Session>> make_session(const BackendOptions& options) {
  static std::once_flag initialized;
  std::call_once(initialized, [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
  });
  const auto target = target_of(options);
  // A compiler with a target machine for each module: kernels may be compiled on several threads at
  // once.
  auto jit = llvm::orc::LLJITBuilder()
                 .setJITTargetMachineBuilder(target)
                 .setCompileFunctionCreator(
                     [](llvm::orc::JITTargetMachineBuilder builder)
                         -> llvm::Expected<std::unique_ptr<llvm::orc::IRCompileLayer::IRCompiler>> {
                       return std::make_unique<llvm::orc::ConcurrentIRCompiler>(std::move(builder));
                     })
                 .create();
  if (!jit) return to_diagnostic(jit.takeError());
  return std::unique_ptr<Session>(std::make_unique<OrcSession>(target, std::move(*jit)));
}

}  // namespace roux::llvm_backend
