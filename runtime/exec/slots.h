// The numbers of a running plan that outlive their tensor: one f64 per slot of level `recipe`, one per
// tensor and slot of level `tensor`, and the positions of elements in the whole model. Computes those that follow from others when their stage or phase begins;
// reductions, thresholds and cuts are set by whoever finds them, and until then are what they are
// over nothing. Different tensors' numbers may be set from different threads at once.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "runtime/kernel/plan.h"
#include "runtime/kernel/semantics.h"

namespace roux {

// Arithmetic on other slots and facts, not something that a sweep finds.
bool follows_from_others(const Slot& slot);
double value_over_nothing(const Slot& slot);
// Positions over the whole model: kept until the run ends.
bool is_kept(const Plan& plan, const Slot& slot);

// An `operation` or `linear` slot; `get` gives the value of a slot.
template <class Get>
double evaluate_arithmetic(const Slot& slot, Get get) {
  if (slot.kind == Slot::Kind::constant) return slot.constant;
  if (slot.kind == Slot::Kind::operation) {
    const auto operand = [&](SlotId id) { return id == kNone ? 0.0 : get(id); };
    return apply_scalar(slot.op, operand(slot.a), operand(slot.b), operand(slot.c));
  }
  ROUX_CHECK(slot.kind == Slot::Kind::linear);
  double sum = slot.a == kNone ? semantics::kLinearStart : get(slot.a);
  for (const LinearScalar& term : slot.terms)
    if (const double coefficient = get(term.coefficient); coefficient != 0) sum += coefficient * get(term.value);
  return sum == sum ? sum : elementary::kNaN;
}

class SlotTable {
 public:
  explicit SlotTable(const Plan& plan);

  // A slot of level `recipe` is the same for all tensors.
  double get(SlotId slot, std::uint32_t tensor) const;
  double get(SlotId slot) const { return recipe_[slot]; }
  void set(SlotId slot, std::uint32_t tensor, double value);
  void set(SlotId slot, double value) { recipe_[slot] = value; }

  void keep(SlotId slot, std::vector<double> positions) { kept_[slot] = std::move(positions); }
  const std::vector<double>& kept(SlotId slot) const { return kept_.at(slot); }

  // All slots of level `recipe` known from this stage on that follow from others.
  void evaluate_recipe(std::uint32_t stage);
  void evaluate_tensor(std::uint32_t tensor, std::uint32_t stage, std::uint32_t phase);

  std::uint32_t stage_end() const {
    return stage_end_;
  }  // one more than the last stage of any slot
  std::uint32_t phase_end(
      std::uint32_t stage) const;  // one more than the last phase of a tensor's slot

  static std::uint64_t bytes(const Plan& plan);

 private:
  double evaluate(const Slot& slot, std::uint32_t tensor) const;
  std::uint64_t key_of(const Slot& slot, std::uint32_t tensor) const;

  const Plan& plan_;
  std::uint32_t stage_end_ = 0;
  std::vector<double> recipe_;         // by slot; those of level `tensor` stay unused
  std::vector<std::uint32_t> column_;  // by slot: its column in `tensor_`
  std::size_t columns_ = 0;
  std::vector<double> tensor_;                                 // [tensor][column]
  std::map<SlotId, std::vector<double>> kept_;                 // in canonical order
  std::map<std::uint32_t, std::vector<SlotId>> recipe_order_;  // by stage
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::vector<SlotId>>
      tensor_order_;  // by stage, phase
};

}  // namespace roux
