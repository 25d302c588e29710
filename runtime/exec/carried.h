// Integer and boolean tensors that are carried along, not computed: compared at all places before
// anything is written, copied at the end. In: the plan and its files; out: nothing but the first
// difference found.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/exec/thread_pool.h"
#include "runtime/exec/tiles.h"

namespace roux {

// Names the tensors that differed where the rule is to take the largest. A difference where they
// must be equal is an error that names the tensor, both files and the first element that differs.
Result<std::vector<std::string>> compare_carried(const RunContext& context, ThreadPool& pool);

Status copy_carried(const RunContext& context, ThreadPool& pool);

}  // namespace roux
