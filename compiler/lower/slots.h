// Numbers of a graph as slots of a plan: one slot per number node, one selection per order statistic.
#pragma once

#include <map>
#include <tuple>
#include <unordered_map>

#include "compiler/graph/graph.h"
#include "compiler/lower/schedule.h"

namespace roux {

class SlotBuilder {
 public:
  SlotBuilder(const Graph& graph, const Schedule& schedule, Plan& plan, LaneType selection_lane)
      : graph_(graph), schedule_(schedule), plan_(plan), selection_lane_(selection_lane) {}

  // The slot that holds a number coarser than elements.
  SlotId slot(NodeId node);
  SlotId constant(double value);
  // The two halves of the random key of the tensor at hand.
  std::pair<SlotId, SlotId> key(double seed);

  struct SelectionSlots {
    std::uint32_t selection;
    SlotId threshold, cut;
  };
  // `node`: largest or top; equal operands and scopes share one selection.
  SelectionSlots selection(NodeId node);

 private:
  SlotId add(Slot slot);
  SlotId make(NodeId node);
  SlotId chosen(const Node& by_name, Moment known);
  // 1 or 0 for each tensor of the plan.
  template <class Test>
  SlotId told_by_name(Test test);

  const Graph& graph_;
  const Schedule& schedule_;
  Plan& plan_;
  LaneType selection_lane_;
  std::unordered_map<NodeId, SlotId> slots_;
  std::map<std::uint64_t, SlotId> constants_;
  std::map<double, std::pair<SlotId, SlotId>> keys_;
  std::map<std::tuple<NodeId, NodeId, Level>, SelectionSlots> selections_;
};

}  // namespace roux
