#include "compiler/lower/slots.h"

#include <algorithm>
#include <bit>

namespace roux {

SlotId SlotBuilder::add(Slot slot) {
  plan_.slots.push_back(std::move(slot));
  return static_cast<SlotId>(plan_.slots.size() - 1);
}

SlotId SlotBuilder::constant(double value) {
  const std::uint64_t bits = std::bit_cast<std::uint64_t>(value);
  if (auto found = constants_.find(bits); found != constants_.end()) return found->second;
  return constants_[bits] = add({.kind = Slot::Kind::constant, .constant = value});
}

std::pair<SlotId, SlotId> SlotBuilder::key(double seed) {
  if (auto found = keys_.find(seed); found != keys_.end()) return found->second;
  const SlotId seed_slot = constant(seed);
  const SlotId low = add({.kind = Slot::Kind::key_low, .level = Level::tensor, .a = seed_slot});
  const SlotId high = add({.kind = Slot::Kind::key_high, .level = Level::tensor, .a = seed_slot});
  return keys_[seed] = {low, high};
}

// What is not fine is made once.
std::uint32_t SlotBuilder::stage_of(NodeId node, std::uint32_t stage) const {
  return is_fine(graph_[node].level) ? stage : 0;
}

SlotId SlotBuilder::slot(NodeId node, std::uint32_t stage) {
  const auto key = std::pair(node, stage_of(node, stage));
  if (auto found = slots_.find(key); found != slots_.end()) return found->second;
  const SlotId made = make(node, stage);
  return slots_[key] = made;
}

SlotId SlotBuilder::make(NodeId id, std::uint32_t stage) {
  const Node& node = graph_[id];
  ROUX_CHECK(node.level != Level::element);
  Slot slot{.level = node.level};
  const Moment known = is_fine(node.level) ? Moment{stage, schedule_.phase_in(stage, id)} : schedule_.known(id);
  slot.stage = known.stage;
  slot.phase = known.phase;
  switch (node.kind) {
    case NodeKind::constant: return constant(node.constant);
    case NodeKind::unknown: return constant(1);  // only plans that are shown, never run, have these
    case NodeKind::fact:
      slot.kind = Slot::Kind::fact;
      slot.fact = static_cast<TensorFact>(node.attribute);
      break;
    case NodeKind::operation: {
      slot.kind = Slot::Kind::operation;
      slot.op = node.op;
      SlotId* operands[] = {&slot.a, &slot.b, &slot.c};
      for (std::size_t i = 0; i < node.operands.size(); ++i) *operands[i] = this->slot(node.operands[i], stage);
      break;
    }
    case NodeKind::linear:
      slot.kind = Slot::Kind::linear;
      if (node.operands[0] != kNone) slot.a = this->slot(node.operands[0], stage);
      for (std::size_t i = 1; i < node.operands.size(); i += 2)
        slot.terms.push_back({this->slot(node.operands[i], stage), this->slot(node.operands[i + 1], stage)});
      break;
    case NodeKind::reduction:
      slot.kind = Slot::Kind::reduction;
      slot.reduce = static_cast<ReduceOp>(node.attribute);
      break;
    case NodeKind::largest: return selection(id, stage).threshold;
    case NodeKind::named: return told_by_name(*test_of(graph_.pattern(node.attribute)));
    case NodeKind::member: {
      const Domain& part = graph_.domain(node.parts[0]);
      return told_by_name([&](const std::string& name) { return find_tensor(part, name) != nullptr; });
    }
    case NodeKind::by_name: return chosen(node, stage, known);
    default: ROUX_CHECK(!"a number that has no slot");
  }
  return add(std::move(slot));
}

template <class Test>
SlotId SlotBuilder::told_by_name(Test test) {
  Slot slot{.kind = Slot::Kind::given, .level = Level::tensor};
  for (const PlannedTensor& tensor : plan_.tensors) slot.given.push_back(test(tensor.name) ? 1 : 0);
  return add(std::move(slot));
}

// A chain of choices: the last value is that of the tensors that are in no other part.
SlotId SlotBuilder::chosen(const Node& by_name, std::uint32_t stage, Moment known) {
  SlotId rest = slot(by_name.operands.back(), stage);
  for (std::size_t i = by_name.operands.size() - 1; i-- > 0;) {
    const Domain& part = graph_.domain(by_name.parts[i]);
    const SlotId here = told_by_name([&](const std::string& name) { return find_tensor(part, name) != nullptr; });
    const SlotId value = slot(by_name.operands[i], stage);
    rest = add({.kind = Slot::Kind::operation, .level = by_name.level, .op = Op::where, .a = here, .b = value,
                .c = rest, .stage = known.stage, .phase = known.phase});
  }
  return rest;
}

SlotBuilder::SelectionSlots SlotBuilder::selection(NodeId id, std::uint32_t stage) {
  const Node& node = graph_[id];
  const bool fine = is_made_fine(node);
  const auto key = std::tuple(node.operands[0], node.operands[1], node.scope, fine ? stage : 0);
  if (auto found = selections_.find(key); found != selections_.end()) return found->second;

  const Moment made = made_at(id, stage), known = known_after(node, made);
  const SlotId rank = slot(node.operands[1], stage);
  const auto index = static_cast<std::uint32_t>(plan_.selections.size());
  plan_.selections.push_back({.scope = node.scope, .lane = selection_lane_, .rank = rank, .stage = made.stage,
                              .phase = made.phase});
  SelectionSlots slots{.selection = index, .threshold = 0, .cut = 0};
  slots.threshold = add({.kind = Slot::Kind::threshold, .level = node.scope, .selection = index,
                         .stage = known.stage, .phase = known.phase});
  slots.cut = add({.kind = Slot::Kind::cut, .level = std::max(node.scope, Level::tensor), .selection = index,
                   .stage = known.stage, .phase = known.phase});
  return selections_[key] = slots;
}

SlotBuilder::OrderingSlot SlotBuilder::ordering(NodeId id, std::uint32_t stage) {
  const Node& node = graph_[id];
  const auto key = std::tuple(node.operands[0], node.scope, is_made_fine(node) ? stage : 0);
  if (auto found = orderings_.find(key); found != orderings_.end()) return found->second;
  const Moment made = made_at(id, stage), known = known_after(node, made);
  const auto index = static_cast<std::uint32_t>(plan_.orderings.size());
  plan_.orderings.push_back({.scope = node.scope, .lane = selection_lane_, .stage = made.stage, .phase = made.phase});
  const SlotId ordinal = add({.kind = Slot::Kind::ordinal, .level = Level::element, .selection = index,
                              .stage = known.stage, .phase = known.phase});
  return orderings_[key] = {index, ordinal};
}

// The sweep that makes an order statistic: the one, or that of this stage.
Moment SlotBuilder::made_at(NodeId id, std::uint32_t stage) const {
  for (const Schedule::Made& made : schedule_.made_of(id))
    if (!is_made_fine(graph_[id]) || made.when.stage == stage) return made.when;
  ROUX_CHECK(!"an order statistic that no sweep makes");
  return {};
}

Moment SlotBuilder::known_after(const Node& node, Moment made) {
  return node.scope == Level::recipe ? Moment{made.stage + 1, 0} : Moment{made.stage, made.phase + 1};
}

}  // namespace roux
