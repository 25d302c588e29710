// What a value looks like as a checkpoint: the dtype of every tensor, and the integer and boolean tensors
// that are carried along. Decided from headers.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "compiler/graph/graph.h"
#include "runtime/checkpoint/checkpoint.h"
#include "runtime/kernel/plan.h"

namespace roux {

// `same`: per tensor the dtype that the operands agree on, else the base's; `widest`: the widest of theirs;
// otherwise the dtype of that name, for all.
// `operands_of`: the checkpoints that a tensor is computed from.
using OperandsOf = std::function<std::vector<Checkpoint::Ptr>(const std::string& tensor)>;
Result<std::vector<DType>> output_dtypes(const Domain& domain, const OperandsOf& operands_of, const Checkpoint* base,
                                         const std::string& dtype, Span span);

// The integer and boolean tensors of the models used: they must agree in names, shapes and dtypes; that
// they agree in their values is checked when they are read. `ids` number the models for the plan.
Result<std::vector<CarriedTensor>> carried_tensors(std::span<const Checkpoint::Ptr> models,
                                                   std::span<const std::uint32_t> ids, Span span);

}  // namespace roux
