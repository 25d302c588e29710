// Tensors that an interrupted run has completed already.
#include <algorithm>

#include "runtime/exec/tiles.h"

namespace roux {
namespace {

void count_as_read(const RunContext& context, const Launch& launch, std::uint32_t tensor) {
  const auto feed = [&](std::uint32_t source) {
    context.sources[source]->feed_digest(context.plan.tensors[tensor].in_source[source]);
  };
  std::for_each(launch.inputs.begin(), launch.inputs.end(), feed);
  for (const std::vector<TableSource>& table : launch.tables)
    for (const TableSource& entry : table)
      if (context.slots.get(entry.coefficient, tensor) != 0) feed(entry.source);  // as tiles are read
}

}  // namespace

bool is_kept(const RunContext& context, std::uint32_t tensor) {
  const std::vector<std::uint32_t>& places = context.plan.tensors[tensor].in_output;
  for (std::size_t output = 0; output < places.size(); ++output)
    if (places[output] != kNone && !context.outputs[output]->is_kept(places[output])) return false;
  return true;
}

void count_kept_as_read(const RunContext& context) {
  for (std::uint32_t tensor = 0; tensor < context.plan.tensors.size(); ++tensor) {
    if (!is_kept(context, tensor)) continue;
    for (const Stage& stage : context.plan.stages)
      for (const Phase& phase : stage.classes[context.plan.tensors[tensor].tensor_class])
        for (const Launch& launch : phase.launches) count_as_read(context, launch, tensor);
  }
}

}  // namespace roux
