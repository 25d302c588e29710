// Rewrites a graph to a smaller one that computes the same bits: double negations, choices between equals,
// idempotent operations, masks that became numbers and masks again. Rules hold for every IEEE value, NaN
// and both zeros included. Sums need no rules: they are normalised when the graph is built.
#pragma once

#include <vector>

#include "compiler/graph/graph.h"

namespace roux {

// The same roots, simplified, in the same graph.
std::vector<NodeId> simplify(Graph& graph, const std::vector<NodeId>& roots);

}  // namespace roux
