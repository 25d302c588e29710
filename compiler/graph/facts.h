// What the name and shape of a tensor tell as numbers: which block it belongs to, of how many, how deep.
#pragma once

#include "compiler/graph/domain.h"

namespace roux {

// Sets the facts of every tensor. The block's index in its stack is -1 outside of blocks; depth is
// layer / (layer_count - 1) inside, 0 for a single block, 0 before the blocks and 1 after them.
void tell_facts(Domain& domain);

}  // namespace roux
