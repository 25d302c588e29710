// A plan joined with its compiled kernels, and what the executor asks of each launch, worked out
// once: which launches go together in a pass over a tensor, which run only in the first round, which
// feed selections, what the reductions of a pass are. Holds pointers into the plan and the kernel cache; both outlive it.
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
  bool keeps_results = false;     // stores to an output or reduces: has to run in the first round
  bool only_writes = false;       // stores to outputs and does nothing else
  bool makes_fine = false;        // has to run whenever the tensor is taken up again
  bool by_row = false;            // has arguments or reductions that differ from row to row
  std::uint32_t first_reduction = 0;  // its place among the reductions of the pass

  // Thresholds that may have to be brought into f32 lanes (see Note [Mixed lanes] in tiles.cpp).
  struct Top {
    ScalarId threshold, cut;
  };
  std::vector<Top> tops;
};

// The launches of a phase that go through a tensor together.
struct PassProgram {
  enum class Kind { flat, rows, row_orders, column_sums, column_orders };
  Kind kind = Kind::flat;
  std::vector<LaunchProgram> launches;
  std::vector<SlotId> reductions;         // of all launches
  std::vector<std::uint32_t> selections;  // that it feeds, each once
  std::vector<std::uint32_t> orderings;
};

struct PhaseProgram {
  std::vector<PassProgram> passes;
};

// The slots that ask for the results of a selection.
struct SelectionSlots {
  std::vector<SlotId> thresholds, cuts;
};

struct StageProgram {
  std::vector<std::vector<PhaseProgram>> classes;  // [class][phase]
  std::uint32_t phase_count = 0;
  bool is_flat = true;  // one phase, and nothing within tensors waits: tiles need no order at all
  bool has_fine = false;

  const PhaseProgram* phase_of(const PlannedTensor& tensor, std::uint32_t phase) const {
    const auto& phases = classes[tensor.tensor_class];
    return phase < phases.size() ? &phases[phase] : nullptr;
  }
};

struct Program {
  std::vector<StageProgram> stages;
  std::vector<SelectionSlots> selection_slots;  // by selection
  std::vector<SlotId> ordinal_slots;            // by ordering; kNone: nobody asks
};

// Compiles what is not in the cache yet.
Result<Program> make_program(const Plan& plan, KernelCache& kernels);

}  // namespace roux
