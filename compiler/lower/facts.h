// What the name and shape of a tensor tell as numbers: which block it belongs to, of how many, how deep.
#pragma once

#include <array>
#include <vector>

#include "compiler/graph/graph.h"

namespace roux {

// Per tensor, indexed by TensorFact. The block's index in its stack is -1 outside of blocks; depth is
// layer / (layer_count - 1) inside, 0 for a single block, 0 before the blocks and 1 after them.
std::vector<std::array<double, kTensorFacts>> tensor_facts(const Domain& domain);

}  // namespace roux
