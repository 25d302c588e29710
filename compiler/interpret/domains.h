// Whether operands range over the same tensors: same names, same shapes. If not, which tensors differ and
// in which checkpoints, as a diagnostic.
#pragma once

#include <span>

#include "compiler/interpret/spaces.h"

namespace roux {

// Throws a Failure where two operands disagree, or where one is a quantized checkpoint.
void check_alignment(SpaceContext& context, std::span<const Data> operands);
inline void check_alignment(SpaceContext& context, std::initializer_list<Data> operands) {
  check_alignment(context, std::span<const Data>(operands.begin(), operands.size()));
}

// The same without regard to quantization: for values that are only set beside each other.
void check_domains(SpaceContext& context, std::span<const Data> operands);

// The floating tensors of a checkpoint.
Domain domain_of(const Checkpoint& checkpoint);

// The sources that a node is computed from, in order of first use.
std::vector<std::uint32_t> sources_of(const Graph& graph, std::span<const NodeId> roots);

}  // namespace roux
