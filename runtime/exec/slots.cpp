#include "runtime/exec/slots.h"

#include <xxhash.h>

#include <algorithm>
#include <limits>

namespace roux {
namespace {

constexpr std::uint32_t kNoTensor = kNone;

}  // namespace

bool follows_from_others(const Slot& slot) {
  switch (slot.kind) {
    case Slot::Kind::constant:
    case Slot::Kind::fact:
    case Slot::Kind::given:
    case Slot::Kind::key_low:
    case Slot::Kind::key_high:
    case Slot::Kind::operation:
    case Slot::Kind::linear: return true;
    case Slot::Kind::reduction:
    case Slot::Kind::threshold:
    case Slot::Kind::cut:
    case Slot::Kind::ordinal: return false;
  }
  return false;
}

double value_over_nothing(const Slot& slot) {
  switch (slot.kind) {
    case Slot::Kind::reduction: return reduce_identity(slot.reduce);
    case Slot::Kind::cut: return -1;
    default: return std::numeric_limits<double>::quiet_NaN();
  }
}

bool is_kept(const Plan& plan, const Slot& slot) {
  return slot.kind == Slot::Kind::ordinal && plan.orderings[slot.selection].scope == Level::recipe;
}

SlotTable::SlotTable(const Plan& plan)
    : plan_(plan), recipe_(plan.slots.size()), column_(plan.slots.size()) {
  for (SlotId id = 0; id < plan.slots.size(); ++id) {
    const Slot& slot = plan.slots[id];
    recipe_[id] = value_over_nothing(slot);
    stage_end_ = std::max(stage_end_, slot.stage + 1);
    if (slot.level == Level::tensor) column_[id] = static_cast<std::uint32_t>(columns_++);
    if (!follows_from_others(slot) || is_fine(slot.level)) continue;
    if (slot.level == Level::recipe) {
      recipe_order_[slot.stage].push_back(id);
    } else {
      tensor_order_[{slot.stage, slot.phase}].push_back(id);
    }
  }
  tensor_.resize(columns_ * plan.tensors.size());
  for (SlotId id = 0; id < plan.slots.size(); ++id)
    if (plan.slots[id].level == Level::tensor)
      for (std::size_t tensor = 0; tensor < plan.tensors.size(); ++tensor)
        tensor_[tensor * columns_ + column_[id]] = recipe_[id];
}

double SlotTable::get(SlotId slot, std::uint32_t tensor) const {
  if (plan_.slots[slot].level == Level::recipe) return recipe_[slot];
  return tensor_[tensor * columns_ + column_[slot]];
}

void SlotTable::set(SlotId slot, std::uint32_t tensor, double value) {
  tensor_[tensor * columns_ + column_[slot]] = value;
}

void SlotTable::evaluate_recipe(std::uint32_t stage) {
  const auto order = recipe_order_.find(stage);
  if (order == recipe_order_.end()) return;
  for (SlotId id : order->second) recipe_[id] = evaluate(plan_.slots[id], kNoTensor);
}

void SlotTable::evaluate_tensor(std::uint32_t tensor, std::uint32_t stage, std::uint32_t phase) {
  const auto order = tensor_order_.find({stage, phase});
  if (order == tensor_order_.end()) return;
  for (SlotId id : order->second) set(id, tensor, evaluate(plan_.slots[id], tensor));
}

std::uint32_t SlotTable::phase_end(std::uint32_t stage) const {
  const auto after = tensor_order_.lower_bound({stage + 1, 0});
  if (after == tensor_order_.begin()) return 0;
  const auto [last_stage, last_phase] = std::prev(after)->first;
  return last_stage == stage ? last_phase + 1 : 0;
}

std::uint64_t SlotTable::bytes(const Plan& plan) {
  const auto columns = std::count_if(plan.slots.begin(), plan.slots.end(),
                                     [](const Slot& slot) { return slot.level == Level::tensor; });
  return sizeof(double) *
         (plan.slots.size() + static_cast<std::uint64_t>(columns) * plan.tensors.size());
}

double SlotTable::evaluate(const Slot& slot, std::uint32_t tensor) const {
  switch (slot.kind) {
    case Slot::Kind::constant:
    case Slot::Kind::operation:
    case Slot::Kind::linear:
      return evaluate_arithmetic(slot, [&](SlotId id) { return get(id, tensor); });
    case Slot::Kind::fact: return plan_.tensors[tensor].facts[static_cast<std::size_t>(slot.fact)];
    case Slot::Kind::given: return slot.given[tensor];
    case Slot::Kind::key_low: return static_cast<double>(key_of(slot, tensor) & 0xFFFFFFFFu);
    case Slot::Kind::key_high: return static_cast<double>(key_of(slot, tensor) >> 32);
    case Slot::Kind::reduction:
    case Slot::Kind::threshold:
    case Slot::Kind::cut:
    case Slot::Kind::ordinal: break;
  }
  ROUX_CHECK(!"a slot that is set, not computed");
  return 0;
}

std::uint64_t SlotTable::key_of(const Slot& slot, std::uint32_t tensor) const {
  constexpr double kWhole = 9007199254740992.0;  // 2^53: whole numbers up to here are exact
  const double seed = get(slot.a, tensor);
  ROUX_CHECK(seed >= -kWhole && seed <= kWhole);
  const std::string& name = plan_.tensors[tensor].name;
  return XXH3_64bits_withSeed(name.data(), name.size(),
                              static_cast<std::uint64_t>(static_cast<std::int64_t>(seed)));
}

}  // namespace roux
