#include "runtime/exec/fine.h"

namespace roux {

bool is_fine_in(const Plan& plan, const Slot& slot, std::uint32_t stage) {
  return is_fine(slot.level) && slot.stage == stage && !is_kept(plan, slot);
}

FineNumbers::FineNumbers(const Plan& plan, const SlotTable& slots, std::uint32_t stage,
                         std::uint32_t tensor, std::uint64_t start)
    : plan_(plan),
      slots_(slots),
      stage_(stage),
      tensor_(tensor),
      start_(start),
      view_(matrix_view(plan.tensors[tensor].shape)),
      values_(plan.slots.size()) {
  for (SlotId id = 0; id < plan.slots.size(); ++id) {
    const Slot& slot = plan.slots[id];
    if (is_fine_in(plan, slot, stage))
      values_[id].assign(extent(slot.level, view_), value_over_nothing(slot));
  }
}

const double* FineNumbers::data(SlotId slot) const {
  return is_kept(plan_, plan_.slots[slot]) ? slots_.kept(slot).data() + start_ : values_[slot].data();
}

double FineNumbers::get(SlotId slot, std::uint64_t index) const {
  return is_fine(plan_.slots[slot].level) ? values_[slot][index] : slots_.get(slot, tensor_);
}

void FineNumbers::evaluate(std::uint32_t phase) {
  for (SlotId id = 0; id < values_.size(); ++id) {
    const Slot& slot = plan_.slots[id];
    if (!is_fine_in(plan_, slot, stage_) || slot.phase != phase || !follows_from_others(slot)) continue;
    for (std::uint64_t index = 0; index < values_[id].size(); ++index)
      values_[id][index] = evaluate_arithmetic(slot, [&](SlotId operand) { return get(operand, index); });
  }
}

std::uint64_t FineNumbers::bytes(const Plan& plan, std::uint32_t stage, const MatrixView& view) {
  std::uint64_t count = 0;
  for (const Slot& slot : plan.slots)
    if (is_fine_in(plan, slot, stage)) count += extent(slot.level, view);
  return count * sizeof(double);
}

}  // namespace roux
