#include "runtime/exec/program.h"

#include <algorithm>

#include "runtime/exec/fine.h"

namespace roux {
namespace {

using PassKind = PassProgram::Kind;

LaunchProgram make_launch(const Plan& plan, const Launch& launch, const CompiledKernel* code) {
  const Kernel& kernel = plan.kernels[launch.kernel];
  LaunchProgram program{.launch = &launch, .kernel = &kernel, .code = code, .tops = {}};
  program.keeps_results = !launch.reductions.empty() || !launch.column_reductions.empty();
  program.makes_fine = program.keeps_results && launch.shape != LaunchShape::flat;
  for (const StoreTarget& store : launch.stores) {
    if (store.kind != StoreTarget::Kind::selection) program.keeps_results = true;
    if (makes_fine(plan, store)) program.makes_fine = true;
  }
  program.only_writes = launch.reductions.empty() && launch.column_reductions.empty() &&
                        std::all_of(launch.stores.begin(), launch.stores.end(), [](const StoreTarget& store) {
                          return store.kind == StoreTarget::Kind::output;
                        });
  if (program.makes_fine) program.keeps_results = true;
  if (launch.shape != LaunchShape::flat) {
    program.by_row = !launch.reductions.empty() || !launch.spreads.empty();
    for (SlotId slot : launch.scalars)
      if (is_fine(plan.slots[slot].level)) program.by_row = true;
  }
  if (kernel.lane == LaneType::f32)
    for (const Instruction& instruction : kernel.body)
      if (instruction.kind == Instruction::Kind::top && !is_spread(instruction.b))
        program.tops.push_back({instruction.b, instruction.c});
  return program;
}

PassKind kind_of(const Plan& plan, const Launch& launch) {
  if (launch.shape == LaunchShape::flat) return PassKind::flat;
  if (launch.shape == LaunchShape::rows) {
    const bool orders = std::any_of(launch.stores.begin(), launch.stores.end(), [&](const StoreTarget& store) {
      return store.kind == StoreTarget::Kind::selection && plan.selections[store.index].scope == Level::row;
    });
    return orders ? PassKind::row_orders : PassKind::rows;
  }
  return launch.column_reductions.empty() ? PassKind::column_orders : PassKind::column_sums;
}

void make_unique(std::vector<std::uint32_t>& ids) {
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
}

void add_launch(const Plan& plan, PassProgram& pass, const Launch& launch, const CompiledKernel* code) {
  pass.launches.push_back(make_launch(plan, launch, code));
  pass.launches.back().first_reduction = static_cast<std::uint32_t>(pass.reductions.size());
  pass.reductions.insert(pass.reductions.end(), launch.reductions.begin(), launch.reductions.end());
  for (const ColumnReduction& reduction : launch.column_reductions)
    pass.reductions.push_back(reduction.slot);
  for (const StoreTarget& store : launch.stores) {
    if (store.kind == StoreTarget::Kind::selection) pass.selections.push_back(store.index);
    if (store.kind == StoreTarget::Kind::ordering) pass.orderings.push_back(store.index);
  }
}

PhaseProgram make_phase(const Plan& plan, const Phase& phase,
                        const std::vector<const CompiledKernel*>& code) {
  PhaseProgram program;
  for (const Launch& launch : phase.launches) {
    const PassKind kind = kind_of(plan, launch);
    auto pass = std::find_if(program.passes.begin(), program.passes.end(),
                             [&](const PassProgram& made) { return made.kind == kind; });
    if (pass == program.passes.end()) {
      pass = program.passes.insert(pass, PassProgram{});
      pass->kind = kind;
    }
    add_launch(plan, *pass, launch, code[launch.kernel]);
  }
  for (PassProgram& pass : program.passes) {
    make_unique(pass.selections);
    make_unique(pass.orderings);
  }
  return program;
}

bool has_fine(const Plan& plan, const Phase& phase) {
  return std::any_of(phase.launches.begin(), phase.launches.end(), [&](const Launch& launch) {
    return launch.shape != LaunchShape::flat || !launch.spreads.empty() ||
           std::any_of(launch.stores.begin(), launch.stores.end(),
                       [&](const StoreTarget& store) { return makes_fine(plan, store); });
  });
}

}  // namespace

Result<Program> make_program(const Plan& plan, KernelCache& kernels) {
  std::vector<const CompiledKernel*> code;
  for (const Kernel& kernel : plan.kernels) {
    ROUX_TRY(const CompiledKernel* compiled, kernels.get(kernel));
    code.push_back(compiled);
  }
  Program program;
  for (std::uint32_t s = 0; s < plan.stages.size(); ++s) {
    StageProgram& made = program.stages.emplace_back();
    for (const std::vector<Phase>& phases : plan.stages[s].classes) {
      std::vector<PhaseProgram>& made_phases = made.classes.emplace_back();
      for (const Phase& phase : phases) {
        made_phases.push_back(make_phase(plan, phase, code));
        if (has_fine(plan, phase)) made.has_fine = true;
      }
      made.phase_count = std::max(made.phase_count, static_cast<std::uint32_t>(phases.size()));
    }
    made.is_flat = is_flat(plan, s);
  }
  program.selection_slots.resize(plan.selections.size());
  program.ordinal_slots.assign(plan.orderings.size(), kNone);
  for (SlotId id = 0; id < plan.slots.size(); ++id) {
    const Slot& slot = plan.slots[id];
    if (slot.kind == Slot::Kind::threshold) program.selection_slots[slot.selection].thresholds.push_back(id);
    if (slot.kind == Slot::Kind::cut) program.selection_slots[slot.selection].cuts.push_back(id);
    if (slot.kind == Slot::Kind::ordinal) program.ordinal_slots[slot.selection] = id;
  }
  return program;
}

}  // namespace roux
