#include "runtime/exec/program.h"

#include <algorithm>

namespace roux {
namespace {

LaunchProgram make_launch(const Launch& launch, const Kernel& kernel, const CompiledKernel* code) {
  LaunchProgram program{&launch, &kernel, code, !launch.reductions.empty(), 0, {}};
  for (const StoreTarget& store : launch.stores)
    if (store.kind == StoreTarget::Kind::output) program.keeps_results = true;
  if (kernel.lane == LaneType::f32)
    for (const Instruction& instruction : kernel.body)
      if (instruction.kind == Instruction::Kind::top)
        program.tops.push_back({instruction.b, instruction.c});
  return program;
}

PhaseProgram make_phase(const Plan& plan, const Phase& phase,
                        const std::vector<const CompiledKernel*>& code) {
  PhaseProgram program;
  for (const Launch& launch : phase.launches) {
    program.launches.push_back(
        make_launch(launch, plan.kernels[launch.kernel], code[launch.kernel]));
    program.launches.back().first_reduction = static_cast<std::uint32_t>(program.reductions.size());
    program.reductions.insert(program.reductions.end(), launch.reductions.begin(),
                              launch.reductions.end());
    for (const StoreTarget& store : launch.stores)
      if (store.kind == StoreTarget::Kind::selection) program.selections.push_back(store.index);
  }
  std::sort(program.selections.begin(), program.selections.end());
  program.selections.erase(std::unique(program.selections.begin(), program.selections.end()),
                           program.selections.end());
  return program;
}

}  // namespace

Result<Program> make_program(const Plan& plan, KernelCache& kernels) {
  std::vector<const CompiledKernel*> code;
  for (const Kernel& kernel : plan.kernels) {
    ROUX_TRY(const CompiledKernel* compiled, kernels.get(kernel));
    code.push_back(compiled);
  }
  Program program;
  for (const Stage& stage : plan.stages) {
    StageProgram& made = program.stages.emplace_back();
    for (const std::vector<Phase>& phases : stage.classes) {
      std::vector<PhaseProgram>& made_phases = made.classes.emplace_back();
      for (const Phase& phase : phases) {
        made_phases.push_back(make_phase(plan, phase, code));
        for (std::uint32_t selection : made_phases.back().selections)
          if (plan.selections[selection].scope == Level::tensor) made.is_flat = false;
      }
      made.phase_count = std::max(made.phase_count, static_cast<std::uint32_t>(phases.size()));
    }
    if (made.phase_count > 1) made.is_flat = false;
  }
  return program;
}

}  // namespace roux
