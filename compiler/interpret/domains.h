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

// Throws: the value has not all tensors of these names.
[[noreturn]] void fail_lacking(SpaceContext& context, const Data& data, const std::vector<std::string>& names);
// Throws where the value is a part of a model. `done`: what is not done with parts; `how`: what allows it.
void refuse_part(SpaceContext& context, const Data& data, const std::string& done, const std::string& how);
// What tensors are called here, for someone whose pattern fits none.
std::string tensor_name_hint(const Domain& domain, const std::string& pattern);
// The first few names, and how many more.
std::string list_some(const std::vector<std::string>& names);
// How many elements statistics over the model count: a tensor that an input's config ties to another, which
// the file stores as well, counts once.
std::uint64_t counted_elements(SpaceContext& context, NodeId node);

// The floating tensors of a checkpoint.
Domain domain_of(const Checkpoint& checkpoint);

// The sources that a node is computed from, in order of first use; those too that were only measured.
std::vector<std::uint32_t> sources_of(const Graph& graph, std::span<const NodeId> roots);
// Those whose elements go into it.
std::vector<std::uint32_t> operand_sources_of(const Graph& graph, NodeId root);
// The numbers over a whole model that it is computed from, where the model has tensors that `domain` has not.
std::vector<NodeId> foreign_numbers_of(const Graph& graph, const std::vector<NodeId>& roots, DomainId domain);

}  // namespace roux
