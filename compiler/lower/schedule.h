// When each node of a graph can be known: the stage (barriers over the whole model) and the phase in it
// (barriers within one tensor). Reductions and order statistics take part in the sweep in which their operands
// become known; what they make is known in the next phase or stage. Numbers of rows, columns and elements do
// not outlive their tensor: every stage that needs them makes them anew, perhaps in another phase.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "compiler/graph/graph.h"

namespace roux {

struct Moment {
  std::uint32_t stage = 0, phase = 0;
  auto operator<=>(const Moment&) const = default;
};

// What a sweep makes: reductions, largest, top, ordinal.
bool is_made(const Node& node);
// And what of it is gone when the sweep is done with the tensor.
bool is_made_fine(const Node& node);

class Schedule {
 public:
  Schedule(const Graph& graph, const std::vector<NodeId>& roots);

  const std::vector<NodeId>& nodes() const { return nodes_; }  // all that the roots need, operands first
  std::uint32_t stage_count() const { return static_cast<std::uint32_t>(phase_counts_.size()); }
  std::uint32_t phase_count(std::uint32_t stage) const { return phase_counts_[stage]; }

  // From when on the node's value can be used.
  Moment known(NodeId node) const;
  // The same within a stage, not before that one.
  std::uint32_t phase_in(std::uint32_t stage, NodeId node) const;

  struct Made {
    NodeId node;
    Moment when;
  };
  // Every reduction, order statistic and ordering with the sweep that makes it, nodes in order; fine ones once
  // for each stage that needs them.
  const std::vector<Made>& made() const { return made_; }
  std::span<const Made> made_of(NodeId node) const;

 private:
  // The phases of nodes in one stage, found in the order of nodes; those of 0 are left out.
  struct Phases {
    std::size_t found = 0;  // nodes
    std::unordered_map<NodeId, std::uint32_t> later{};
    std::uint32_t of(NodeId node) const;
  };

  void find_phases(std::uint32_t stage, NodeId last) const;
  std::uint32_t phase_of_operands(std::uint32_t stage, const Node& node) const;
  void need_fine(std::uint32_t stage, NodeId root);
  void count(Moment moment);

  const Graph& graph_;
  std::vector<NodeId> nodes_;
  std::unordered_map<NodeId, Moment> known_;
  mutable std::map<std::uint32_t, Phases> phases_;         // by stage
  std::set<std::pair<std::uint32_t, NodeId>> needed_;      // fine nodes, by stage
  std::vector<Made> made_;
  std::vector<std::uint32_t> phase_counts_ = {1};
};

}  // namespace roux
