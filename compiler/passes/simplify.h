// Rewrites a graph to a smaller one that computes the same bits: double negations, choices between equals,
// idempotent operations, masks that became numbers and masks again. Rules hold for every IEEE value, NaN
// and both zeros included. Sums need no rules: they are normalised when the graph is built.
#pragma once

#include <map>
#include <vector>

#include "compiler/graph/graph.h"

namespace roux {

// The same roots, simplified, in the same graph.
std::vector<NodeId> simplify(Graph& graph, const std::vector<NodeId>& roots);
// The same roots with numbers put in for nodes whose values are known; nothing else is changed.
std::vector<NodeId> substitute(Graph& graph, const std::vector<NodeId>& roots,
                               const std::map<NodeId, double>& known);

}  // namespace roux
