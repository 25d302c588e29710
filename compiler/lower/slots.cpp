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

SlotId SlotBuilder::slot(NodeId node) {
  if (auto found = slots_.find(node); found != slots_.end()) return found->second;
  return slots_[node] = make(node);
}

SlotId SlotBuilder::make(NodeId id) {
  const Node& node = graph_[id];
  ROUX_CHECK(node.level != Level::element);
  Slot slot{.level = node.level};
  const Moment known = schedule_.known.at(id);
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
      for (std::size_t i = 0; i < node.operands.size(); ++i) *operands[i] = this->slot(node.operands[i]);
      break;
    }
    case NodeKind::linear:
      slot.kind = Slot::Kind::linear;
      if (node.operands[0] != kNone) slot.a = this->slot(node.operands[0]);
      for (std::size_t i = 1; i < node.operands.size(); i += 2)
        slot.terms.push_back({this->slot(node.operands[i]), this->slot(node.operands[i + 1])});
      break;
    case NodeKind::reduction:
      slot.kind = Slot::Kind::reduction;
      slot.reduce = static_cast<ReduceOp>(node.attribute);
      break;
    case NodeKind::largest: return selection(id).threshold;
    case NodeKind::named: return told_by_name(*test_of(graph_.pattern(node.attribute)));
    case NodeKind::member: {
      const Domain& part = graph_.domain(node.parts[0]);
      return told_by_name([&](const std::string& name) { return find_tensor(part, name) != nullptr; });
    }
    case NodeKind::by_name: return chosen(node, known);
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
SlotId SlotBuilder::chosen(const Node& by_name, Moment known) {
  SlotId rest = slot(by_name.operands.back());
  for (std::size_t i = by_name.operands.size() - 1; i-- > 0;) {
    const Domain& part = graph_.domain(by_name.parts[i]);
    const SlotId here = told_by_name([&](const std::string& name) { return find_tensor(part, name) != nullptr; });
    const SlotId value = slot(by_name.operands[i]);
    rest = add({.kind = Slot::Kind::operation, .level = by_name.level, .op = Op::where, .a = here, .b = value,
                .c = rest, .stage = known.stage, .phase = known.phase});
  }
  return rest;
}

SlotBuilder::SelectionSlots SlotBuilder::selection(NodeId id) {
  const Node& node = graph_[id];
  const auto key = std::tuple(node.operands[0], node.operands[1], node.scope);
  if (auto found = selections_.find(key); found != selections_.end()) return found->second;

  const Moment made = schedule_.made.at(id), known = schedule_.known.at(id);
  const SlotId rank = slot(node.operands[1]);
  const auto index = static_cast<std::uint32_t>(plan_.selections.size());
  plan_.selections.push_back({.scope = node.scope, .lane = selection_lane_, .rank = rank, .stage = made.stage,
                              .phase = made.phase});
  SelectionSlots slots{.selection = index, .threshold = 0, .cut = 0};
  slots.threshold = add({.kind = Slot::Kind::threshold, .level = node.scope, .selection = index,
                         .stage = known.stage, .phase = known.phase});
  slots.cut = add({.kind = Slot::Kind::cut, .level = Level::tensor, .selection = index,
                   .stage = known.stage, .phase = known.phase});
  return selections_[key] = slots;
}

}  // namespace roux
