// Numbers of a graph as slots of a plan: one slot per number node, one selection per order statistic, one
// ordering per value whose positions are wanted. Of what is fine there is one for each stage.
#pragma once

#include <map>
#include <tuple>
#include <utility>

#include "compiler/graph/graph.h"
#include "compiler/lower/schedule.h"

namespace roux {

class SlotBuilder {
 public:
  SlotBuilder(const Graph& graph, const Schedule& schedule, Plan& plan, LaneType selection_lane)
      : graph_(graph), schedule_(schedule), plan_(plan), selection_lane_(selection_lane) {}

  // The slot that holds a number coarser than elements; `stage` counts where it is fine.
  SlotId slot(NodeId node, std::uint32_t stage = 0);
  SlotId constant(double value);
  // The two halves of the random key of the tensor at hand.
  std::pair<SlotId, SlotId> key(double seed);

  struct SelectionSlots {
    std::uint32_t selection;
    SlotId threshold, cut;
  };
  // `node`: largest or top; equal operands and scopes share one selection.
  SelectionSlots selection(NodeId node, std::uint32_t stage);
  struct OrderingSlot {
    std::uint32_t ordering;
    SlotId ordinal;
  };
  OrderingSlot ordering(NodeId node, std::uint32_t stage);

  Level level(SlotId slot) const { return plan_.slots[slot].level; }

 private:
  SlotId add(Slot slot);
  SlotId chosen(const Node& by_name, std::uint32_t stage, Moment known);
  // 1 or 0 for each tensor of the plan.
  template <class Test>
  SlotId told_by_name(Test test);
  SlotId make(NodeId node, std::uint32_t stage);
  std::uint32_t stage_of(NodeId node, std::uint32_t stage) const;
  Moment made_at(NodeId node, std::uint32_t stage) const;
  static Moment known_after(const Node& node, Moment made);

  const Graph& graph_;
  const Schedule& schedule_;
  Plan& plan_;
  LaneType selection_lane_;
  std::map<std::pair<NodeId, std::uint32_t>, SlotId> slots_;  // by node and, where it is fine, stage
  std::map<std::uint64_t, SlotId> constants_;
  std::map<double, std::pair<SlotId, SlotId>> keys_;
  std::map<std::tuple<NodeId, NodeId, Level, std::uint32_t>, SelectionSlots> selections_;
  std::map<std::tuple<NodeId, Level, std::uint32_t>, OrderingSlot> orderings_;
};

}  // namespace roux
