// A plan joined with its compiled kernels, and what the executor asks of each launch, worked out
// once: which launches run only in the first round, which feed selections, what the reductions of a
// phase are. Holds pointers into the plan and the kernel cache; both outlive it.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "runtime/backend/backend.h"
#include "runtime/exec/executor.h"
#include "runtime/kernel/plan.h"

namespace roux {

struct LaunchProgram {
  const Launch* launch;
  const Kernel* kernel;
  const CompiledKernel* code;
  bool keeps_results;             // stores to an output or reduces: has to run in the first round
  std::uint32_t first_reduction;  // its place among the reductions of the phase

  // Thresholds that may have to be brought into f32 lanes (see Note [Mixed lanes] in tiles.cpp).
  struct Top {
    ScalarId threshold, cut;
  };
  std::vector<Top> tops;
};

struct PhaseProgram {
  std::vector<LaunchProgram> launches;
  std::vector<SlotId> reductions;         // of all launches
  std::vector<std::uint32_t> selections;  // that it feeds, each once
};

struct StageProgram {
  std::vector<std::vector<PhaseProgram>> classes;  // [class][phase]
  std::uint32_t phase_count = 0;
  bool is_flat = true;  // one phase and no selections within tensors: tiles need no order at all

  const PhaseProgram* phase_of(const PlannedTensor& tensor, std::uint32_t phase) const {
    const auto& phases = classes[tensor.tensor_class];
    return phase < phases.size() ? &phases[phase] : nullptr;
  }
};

struct Program {
  std::vector<StageProgram> stages;
};

// Compiles what is not in the cache yet.
Result<Program> make_program(const Plan& plan, KernelCache& kernels);

}  // namespace roux
