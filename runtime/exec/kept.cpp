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

bool is_kept(const RunContext& context, std::span<const std::uint32_t> in_output) {
  for (std::size_t output = 0; output < in_output.size(); ++output)
    if (in_output[output] != kNone && !context.outputs[output]->is_kept(in_output[output])) return false;
  return true;
}

void count_kept_as_read(const RunContext& context) {
  const auto has_kept = [](const CheckpointWriter* output) { return output->kept().tensors > 0; };
  if (std::none_of(context.outputs.begin(), context.outputs.end(), has_kept)) return;
  for (std::uint32_t tensor = 0; tensor < context.plan.tensors.size(); ++tensor) {
    const PlannedTensor& planned = context.plan.tensors[tensor];
    if (!is_kept(context, planned.in_output)) continue;
    for (const Stage& stage : context.plan.stages)
      for (const Phase& phase : stage.classes[planned.tensor_class])
        for (const Launch& launch : phase.launches) count_as_read(context, launch, tensor);
  }
}

}  // namespace roux
