#include "runtime/kernel/plan.h"

#include <algorithm>
#include <map>
#include <string>

#include "base/text.h"
#include "runtime/kernel/text.h"

namespace roux {
namespace {

bool has_launches(const Stage& stage) {
  for (const std::vector<Phase>& phases : stage.classes)
    for (const Phase& phase : phases)
      if (!phase.launches.empty()) return true;
  return false;
}

bool selects(const Plan& plan, std::uint32_t stage, Level scope) {
  return std::any_of(plan.selections.begin(), plan.selections.end(),
                     [&](const Selection& selection) {
                       return selection.stage == stage && selection.scope == scope;
                     });
}

int sweeps_of_stage(const Plan& plan, std::uint32_t stage) {
  if (!has_launches(plan.stages[stage])) return 0;
  return selects(plan, stage, Level::recipe) && !is_flat(plan, stage) ? 2 : 1;
}

std::string describe_stages(const Plan& plan) {
  std::string out = format_count(sweep_count(plan), "sweep") + '\n';
  for (std::uint32_t stage = 0; stage < plan.stages.size(); ++stage) {
    if (sweeps_of_stage(plan, stage) == 0) continue;
    out += "  " + plan.stages[stage].reason;
    if (selects(plan, stage, Level::recipe))
      out += is_flat(plan, stage) ? ": 1 sweep (sample, then collect)" : ": 2 sweeps (histogram, collect)";
    if (selects(plan, stage, Level::tensor)) out += ", each tensor twice while it is warm";
    if (selects(plan, stage, Level::column)) out += ", columns digit by digit while they are warm";
    out += '\n';
  }
  return out;
}

// "3 bf16, 1 f32": how many of each dtype, the commonest first.
std::string describe_dtypes(const std::map<std::uint32_t, DType>& dtypes) {
  std::map<DType, int> counts;
  for (const auto& [index, dtype] : dtypes) ++counts[dtype];
  std::vector<std::pair<DType, int>> sorted(counts.begin(), counts.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](auto& a, auto& b) { return a.second > b.second; });
  std::vector<std::string> parts;
  for (const auto& [dtype, count] : sorted)
    parts.push_back(std::to_string(count) + " " + std::string(name_of(dtype)));
  return parts.empty() ? "nothing" : join(parts, ", ");
}

std::string describe_class(const Plan& plan, std::uint32_t tensor_class) {
  std::uint64_t tensors = 0, elements = 0;
  for (const PlannedTensor& tensor : plan.tensors)
    if (tensor.tensor_class == tensor_class) ++tensors, elements += tensor.element_count;
  if (tensors == 0) return "";
  std::map<std::uint32_t, DType> read, written;
  for (const Stage& stage : plan.stages)
    for (const Phase& phase : stage.classes[tensor_class])
      for (const Launch& launch : phase.launches) {
        const Kernel& kernel = plan.kernels[launch.kernel];
        for (std::size_t i = 0; i < launch.inputs.size(); ++i)
          read[launch.inputs[i]] = kernel.inputs[i];
        for (std::size_t t = 0; t < launch.tables.size(); ++t)
          for (const TableSource& entry : launch.tables[t]) read[entry.source] = kernel.tables[t];
        for (std::size_t s = 0; s < launch.stores.size(); ++s)
          if (launch.stores[s].kind == StoreTarget::Kind::output)
            written[launch.stores[s].index] = kernel.stores[s].dtype;
      }
  return "  " + format_count(tensors, "tensor") + ", " + format_count(elements, "element") +
         ": reads " + describe_dtypes(read) + "; writes " + describe_dtypes(written) + '\n';
}

std::string describe_carried(const Plan& plan) {
  if (plan.carried.empty()) return "";
  std::uint64_t bytes = 0;
  for (const CarriedTensor& tensor : plan.carried) bytes += tensor.byte_count;
  return "  " + format_count(plan.carried.size(), "tensor") + " of whole numbers, " +
         format_bytes(bytes) + ": compared, then copied\n";
}

std::string describe_kernels(const Plan& plan) {
  std::string out;
  for (std::size_t i = 0; i < plan.kernels.size(); ++i)
    out += "\n# kernel " + std::to_string(i) + '\n' + to_text(plan.kernels[i]);
  return out;
}

}  // namespace

int sweep_count(const Plan& plan) {
  int sweeps = 0;
  for (std::uint32_t stage = 0; stage < plan.stages.size(); ++stage) sweeps += sweeps_of_stage(plan, stage);
  return sweeps;
}

bool makes_fine(const Plan& plan, const StoreTarget& store) {
  switch (store.kind) {
    case StoreTarget::Kind::output: return false;
    case StoreTarget::Kind::selection: return is_fine(plan.selections[store.index].scope);
    case StoreTarget::Kind::ordering: return plan.orderings[store.index].scope != Level::recipe;
    case StoreTarget::Kind::operand: return true;
  }
  return false;
}

bool is_flat(const Plan& plan, std::uint32_t stage) {
  for (const std::vector<Phase>& phases : plan.stages[stage].classes) {
    if (phases.size() > 1) return false;
    for (const Phase& phase : phases)
      for (const Launch& launch : phase.launches) {
        if (launch.shape != LaunchShape::flat || !launch.spreads.empty()) return false;
        for (const StoreTarget& store : launch.stores) {
          const bool is_selection = store.kind == StoreTarget::Kind::selection;
          if (makes_fine(plan, store) || (is_selection && plan.selections[store.index].scope == Level::tensor))
            return false;
        }
      }
  }
  return true;
}

std::string_view scope_name(Level scope) {
  switch (scope) {
    case Level::recipe: return "model";
    case Level::tensor: return "tensor";
    case Level::row: return "row";
    case Level::column: return "column";
    case Level::element: break;
  }
  return "element";
}

MatrixView matrix_view(std::span<const std::int64_t> shape) {
  MatrixView view;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    const bool is_row_axis = axis == 0 && shape.size() > 1;
    (is_row_axis ? view.rows : view.columns) *= static_cast<std::uint64_t>(shape[axis]);
  }
  return view;
}

std::uint64_t extent(Level level, const MatrixView& view) {
  switch (level) {
    case Level::recipe:
    case Level::tensor: return 1;
    case Level::row: return view.rows;
    case Level::column: return view.columns;
    case Level::element: break;
  }
  return view.rows * view.columns;
}

std::string describe(const Plan& plan, bool with_kernels) {
  std::string out = describe_stages(plan);
  const std::size_t class_count = plan.stages.empty() ? 0 : plan.stages.front().classes.size();
  for (std::uint32_t c = 0; c < class_count; ++c) out += describe_class(plan, c);
  out += describe_carried(plan);
  out += "reads " + format_bytes(plan.bytes_read) + ", writes " + format_bytes(plan.bytes_written) +
         '\n';
  out += "memory " + format_bytes(plan.peak_bytes) +
         " at most: " + format_count(plan.threads, "thread") + ", tiles of " +
         format_count(plan.tile_elements, "element") + '\n';
  if (with_kernels) out += describe_kernels(plan);
  return out;
}

}  // namespace roux
