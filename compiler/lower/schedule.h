// When each node of a graph can be known: the stage (barriers over the whole model) and the phase in it
// (barriers within one tensor). Reductions and selections take part in the sweep in which their operands
// become known; what they make is known in the next phase or stage.
#pragma once

#include <compare>
#include <unordered_map>
#include <vector>

#include "compiler/graph/graph.h"

namespace roux {

struct Moment {
  std::uint32_t stage = 0, phase = 0;
  auto operator<=>(const Moment&) const = default;
};

struct Schedule {
  std::vector<NodeId> nodes;                      // all that the roots need, operands first
  std::unordered_map<NodeId, Moment> known;       // from when on the node's value can be used
  std::unordered_map<NodeId, Moment> made;        // reductions, largest, top: the sweep that makes it
  std::uint32_t stage_count = 1;
  std::vector<std::uint32_t> phase_counts;        // per stage
};

Schedule schedule(const Graph& graph, const std::vector<NodeId>& roots);

}  // namespace roux
