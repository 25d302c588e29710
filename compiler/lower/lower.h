// Graph to plan. Decides when each value can be known (stages and phases), fuses everything that is made in
// one phase into one kernel per class of tensors, and says what it will cost. Reads headers only; runs
// nothing. Numbers become slots, so kernels do not depend on their values. The size of tiles is left to
// whoever runs the plan.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "compiler/graph/graph.h"
#include "runtime/checkpoint/checkpoint.h"
#include "runtime/kernel/plan.h"

namespace roux {

// One value to be written.
struct OutputRoot {
  NodeId node = 0;
  std::string name;
  std::vector<DType> dtypes;             // per tensor of the domain
  std::vector<std::uint32_t> positions;  // per tensor of the domain: its index in the output's layout
};

struct LowerRequest {
  std::vector<OutputRoot> outputs;
  std::vector<NodeId> numbers;           // recipe-level nodes whose values are wanted
  DomainId domain = kNone;
  std::map<NodeId, double> known;        // numbers that are computed already, put in as constants
  std::vector<CarriedTensor> carried;
  int threads = 1;
  bool optimize = true;
  bool in_f64 = false;                   // all lanes; otherwise those of tensors with an input in F64
  Span span;  // of what asked for it
};

// `sources` are indexed by the graph's source nodes, as are the places of carried tensors.
Result<Plan> lower(Graph& graph, std::span<const Checkpoint::Ptr> sources, const LowerRequest& request);

}  // namespace roux
