// What a plan holds in memory, told before it runs.
#include <algorithm>

#include "runtime/exec/columns.h"
#include "runtime/exec/executor.h"
#include "runtime/exec/fine.h"
#include "runtime/exec/slots.h"
#include "runtime/exec/stage.h"
#include "runtime/exec/tiles.h"

namespace roux {
namespace {

std::uint64_t element_total(const Plan& plan) {
  std::uint64_t total = 0;
  for (const PlannedTensor& tensor : plan.tensors) total += tensor.element_count;
  return total;
}

std::uint64_t blocks(std::uint64_t count) { return (count + kBlock - 1) / kBlock; }

// How many selections (or orderings) of a scope a stage makes.
template <class Makers>
std::uint64_t made_in(const Makers& makers, std::uint32_t stage, Level scope) {
  return static_cast<std::uint64_t>(std::count_if(makers.begin(), makers.end(), [&](const auto& maker) {
    return maker.stage == stage && maker.scope == scope;
  }));
}

// Fine numbers, and what they are made from, while a tensor is at hand.
std::uint64_t fine_bytes(const Plan& plan, std::uint32_t stage, const MatrixView& view) {
  std::uint64_t partials = 0, ordering = 0;
  for (const Slot& slot : plan.slots) {
    if (slot.kind != Slot::Kind::reduction || slot.stage != stage) continue;
    if (slot.level == Level::row) partials += view.rows * blocks(view.columns);
    if (slot.level == Level::column) partials += blocks(view.rows) * view.columns;
  }
  for (const Level scope : {Level::tensor, Level::row, Level::column})
    ordering += made_in(plan.orderings, stage, scope);
  return FineNumbers::bytes(plan, stage, view) + partials * sizeof(double) +
         ordering * OrdinalRun::peak_bytes(view.rows * view.columns, view);
}

std::uint64_t selection_bytes(const Plan& plan, std::uint32_t stage) {
  const std::uint64_t threads = plan.threads;
  std::uint64_t bytes = 0, widest_row = 0;
  for (const PlannedTensor& tensor : plan.tensors)
    widest_row = std::max(widest_row, std::min(matrix_view(tensor.shape).columns, plan.tile_elements));
  for (const Selection& selection : plan.selections) {
    if (selection.stage != stage || selection.scope == Level::column) continue;
    // Within tensors: one run of all threads for a large tensor, or one per thread for small ones.
    const std::uint64_t held = std::max(kTensorCollect, selection.scope == Level::row ? widest_row : 0);
    bytes += selection.scope == Level::recipe
                 ? SelectionRun::peak_bytes(plan.threads, plan.collect_limit, selection.lane)
                 : threads * SelectionRun::peak_bytes(1, held, selection.lane);
  }
  return bytes;
}

std::uint64_t strip_bytes(const Plan& plan, std::uint32_t stage, const MatrixView& view) {
  const auto sums = static_cast<std::uint64_t>(
      std::count_if(plan.slots.begin(), plan.slots.end(), [&](const Slot& slot) {
        return slot.kind == Slot::Kind::reduction && slot.level == Level::column && slot.stage == stage;
      }));
  return static_cast<std::uint64_t>(plan.threads) * column_bytes(view, sums, made_in(plan.selections, stage, Level::column));
}

std::uint64_t coarse_reductions(const Plan& plan) {
  return static_cast<std::uint64_t>(std::count_if(plan.slots.begin(), plan.slots.end(), [](const Slot& slot) {
    return slot.kind == Slot::Kind::reduction && !is_fine(slot.level);
  }));
}

// What a stage holds while the tensor is at hand. Small tensors lie in memory one for each thread, large ones alone.
std::uint64_t within_tensor(const Plan& plan, std::uint32_t stage, const PlannedTensor& tensor) {
  const MatrixView view = matrix_view(tensor.shape);
  const std::uint64_t at_once = tensor.element_count < kSmallElements ? static_cast<std::uint64_t>(plan.threads) : 1;
  return at_once * fine_bytes(plan, stage, view) + strip_bytes(plan, stage, view) +
         coarse_reductions(plan) * 2 * sizeof(double) * (tensor.element_count / kBlock + 1);
}

// Positions over the model: while they are found, and kept from earlier stages.
std::uint64_t position_bytes(const Plan& plan, std::uint32_t stage) {
  const std::uint64_t total = element_total(plan);
  std::uint64_t bytes = 0;
  for (const Ordering& ordering : plan.orderings) {
    if (ordering.scope != Level::recipe || ordering.stage > stage) continue;
    bytes += total * sizeof(double);
    if (ordering.stage == stage) bytes += OrdinalRun::peak_bytes(total, {1, total});
  }
  return bytes;
}

// Names, shapes, headers and layouts, as measured: they grow with the number of tensors alone.
std::uint64_t table_bytes(const Plan& plan) {
  const std::uint64_t of_each = 600 + 300 * plan.sources.size() + 1000 * plan.outputs.size();
  std::uint64_t bytes = plan.tensors.size() * of_each;
  for (const PlannedTensor& tensor : plan.tensors) bytes += 10 * tensor.name.size();
  return bytes;
}

}  // namespace

MemoryNeed memory_need(const Plan& plan) {
  MemoryNeed need;
  for (std::uint32_t stage = 0; stage < plan.stages.size(); ++stage) {
    const std::uint64_t whole = selection_bytes(plan, stage) + position_bytes(plan, stage);
    need.bytes = std::max(need.bytes, whole);
    for (std::uint32_t tensor = 0; tensor < plan.tensors.size(); ++tensor) {
      const std::uint64_t within = within_tensor(plan, stage, plan.tensors[tensor]);
      need.bytes = std::max(need.bytes, whole + within);
      if (within > need.tensor_bytes) need.tensor = tensor, need.tensor_bytes = within;
    }
  }
  need.bytes += coarse_reductions(plan) * 2 * sizeof(double) * plan.tensors.size() +
                static_cast<std::uint64_t>(plan.threads) * worker_bytes(plan) + SlotTable::bytes(plan);
  const std::uint64_t tables = table_bytes(plan);
  if (tables > kFreeTableBytes) need.bytes += tables - kFreeTableBytes;
  return need;
}

}  // namespace roux
