// What an output is computed by and from, as texts: equal ones give equal tensors. They name no number and no path of this
// run, so that another run of the recipe makes the same. Nobody reads them; they are the key of interrupted work.
#pragma once

#include <string>

#include "api/inputs.h"
#include "base/result.h"
#include "compiler/graph/graph.h"

namespace roux {

struct OutputWork {
  std::string text;
  std::string inputs;  // what tells their files from others without reading them; of models in memory the digest
};

Result<OutputWork> work_of(const Graph& graph, const Inputs& inputs, NodeId value, bool in_f64, int threads);

}  // namespace roux
