// Fuses everything that is made in one phase, and can go through a tensor together, into one kernel, for one
// class of tensors (equal dtypes of every source and output, the same choices by name), and says how the kernel
// is launched. Numbers become arguments: scalars, or spreads where they vary within a call.
#pragma once

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "compiler/graph/graph.h"
#include "compiler/lower/slots.h"

namespace roux {

struct TensorClass {
  std::vector<DType> sources;  // per source of the plan; meaningless where the graph does not use it
  std::vector<DType> outputs;  // per output of the plan
  LaneType lane = LaneType::f32;
  std::vector<DomainId> domains;  // those of the graph that hold these tensors, ascending
  bool operator==(const TensorClass&) const = default;

  // A value of no domain is at home everywhere.
  bool is_in(DomainId domain) const {
    return domain == kNone || std::binary_search(domains.begin(), domains.end(), domain);
  }
  // Where the graph chooses by name, what it chooses here.
  NodeId at_hand(const Graph& graph, NodeId id) const;
};

// What one launch makes, and how it goes through the tensor.
struct LaunchRoots {
  LaunchShape shape = LaunchShape::flat;
  std::uint32_t stage = 0;
  std::vector<std::pair<NodeId, std::uint32_t>> outputs;     // node, output
  std::vector<NodeId> reductions;
  std::vector<std::pair<NodeId, std::uint32_t>> selections;  // node whose values are offered, selection
  std::vector<std::pair<NodeId, std::uint32_t>> orderings;   // the same
  bool empty() const {
    return outputs.empty() && reductions.empty() && selections.empty() && orderings.empty();
  }
};

struct Fused {
  Kernel kernel;
  Launch launch;  // its `kernel` index is left to the caller
};

// `source_index` maps the graph's sources to those of the plan.
Fused fuse(const Graph& graph, const LaunchRoots& roots, const TensorClass& tensor_class,
           std::span<const std::uint32_t> source_index, LaneType selection_lane, SlotBuilder& slots);

}  // namespace roux
