// What an output is computed from, as a text: equal texts over equal inputs give equal tensors. It names no number of
// this run, so that another run of the recipe makes the same one. Nobody reads it; it is the key of interrupted work.
#pragma once

#include <string>

#include "api/inputs.h"
#include "compiler/graph/graph.h"

namespace roux {

std::string work_of(const Graph& graph, const Inputs& inputs, NodeId value, bool in_f64);

}  // namespace roux
