// The numbers of a running plan: one f64 per slot of level `recipe`, one per tensor and slot of
// level `tensor`. Computes those that follow from others when their stage or phase begins;
// reductions, thresholds and cuts are set by whoever finds them, and until then are what they are
// over nothing. Different tensors' numbers may be set from different threads at once.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "runtime/kernel/plan.h"

namespace roux {

class SlotTable {
 public:
  explicit SlotTable(const Plan& plan);

  // A slot of level `recipe` is the same for all tensors.
  double get(SlotId slot, std::uint32_t tensor) const;
  double get(SlotId slot) const { return recipe_[slot]; }
  void set(SlotId slot, std::uint32_t tensor, double value);
  void set(SlotId slot, double value) { recipe_[slot] = value; }

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
  double evaluate_linear(const Slot& slot, std::uint32_t tensor) const;
  std::uint64_t key_of(const Slot& slot, std::uint32_t tensor) const;

  const Plan& plan_;
  std::uint32_t stage_end_ = 0;
  std::vector<double> recipe_;         // by slot; those of level `tensor` stay unused
  std::vector<std::uint32_t> column_;  // by slot: its column in `tensor_`
  std::size_t columns_ = 0;
  std::vector<double> tensor_;                                 // [tensor][column]
  std::map<std::uint32_t, std::vector<SlotId>> recipe_order_;  // by stage
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::vector<SlotId>>
      tensor_order_;  // by stage, phase
};

}  // namespace roux
