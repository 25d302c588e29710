#include "api/output.h"

#include <unordered_map>

#include "base/text.h"
#include "compiler/interpret/domains.h"
#include "compiler/interpret/spaces.h"
#include "compiler/lower/operands.h"
#include "compiler/lower/output.h"
#include "runtime/checkpoint/tied.h"
#include "runtime/exec/executor.h"

namespace roux {
namespace {

constexpr std::uint64_t kSmallestTile = kBlock;
constexpr std::uint64_t kFewestCollected = 1u << 12;

Diagnostic does_not_fit(const Plan& plan, const MemoryNeed& need, std::uint64_t budget, Span span) {
  std::string message = "this needs " + format_bytes(need.bytes) + " of memory";
  if (need.tensor_bytes > need.bytes / 2) {
    const PlannedTensor& tensor = plan.tensors[need.tensor];
    message += ", of it " + format_bytes(need.tensor_bytes) + " while tensor " + quoted(tensor.name) + " " +
               format_shape(tensor.shape) + " is at hand";
  }
  return error(DiagnosticKind::memory_budget, span, message + ", more than the budget of " + format_bytes(budget))
      .hint("give it more (`--memory`), or fewer threads (`--threads`)");
}

std::string space_of_output(const Graph& graph, const Data& value) {
  return is_model(graph, Value(value)) ? "model" : is_delta(graph, Value(value)) ? "delta" : "tensors";
}

// The checkpoint that a base is, if it is one.
Checkpoint::Ptr base_checkpoint(const Graph& graph, const Inputs& inputs, const Data& value) {
  if (!value.base || graph[value.base->node].kind != NodeKind::source) return nullptr;
  return inputs.all()[graph[value.base->node].attribute];
}

// Whose config, tokenizer and so on travel along: the base's, else those of the first model that has any.
Checkpoint::Ptr companions_of(const Checkpoint::Ptr& base, std::span<const Checkpoint::Ptr> operands) {
  if (base && base->is_folder()) return base;
  for (const Checkpoint::Ptr& operand : operands)
    if (operand->is_folder()) return operand;
  return nullptr;
}

// Of what is merged, and the config that it gets.
std::optional<Diagnostic> tie_conflict_of(std::vector<Checkpoint::Ptr> models, const Checkpoint::Ptr& base, Span span) {
  if (base && !models.empty()) models.push_back(base);
  return tie_conflict(models, span);
}

}  // namespace

Result<PreparedOutput> prepare_output(Graph& graph, const Inputs& inputs, const OutputWish& wish,
                                      const Options& options, const ForeignNumber& foreign_number) {
  const DomainId domain_id = graph[wish.value->node].domain;
  const Domain& domain = graph.domain(domain_id);
  const std::string space = space_of_output(graph, *wish.value);

  std::map<NodeId, double> known;
  for (NodeId number : foreign_numbers_of(graph, {wish.value->node}, domain_id)) {
    ROUX_TRY(known[number], foreign_number(number));
  }

  std::vector<Checkpoint::Ptr> operands, models;
  std::vector<std::uint32_t> model_ids;
  for (std::uint32_t source : operand_sources_of(graph, wish.value->node)) {
    operands.push_back(inputs.all()[source]);
    if (space != "model" || !inputs.is_model(source)) continue;
    models.push_back(inputs.all()[source]);
    model_ids.push_back(source);
  }
  const Checkpoint::Ptr base = base_checkpoint(graph, inputs, *wish.value);
  if (auto conflict = tie_conflict_of(models, base, wish.span)) return *std::move(conflict);
  TensorOperands tensor_operands(graph, wish.value->node);
  const auto operands_of = [&](const std::string& tensor) {
    std::vector<Checkpoint::Ptr> found;
    for (std::uint32_t source : tensor_operands.of(tensor))
      if (models.empty() || inputs.is_model(source)) found.push_back(inputs.all()[source]);
    return found;
  };
  ROUX_TRY(std::vector<DType> dtypes, output_dtypes(domain, operands_of, base.get(), wish.dtype, wish.span));
  if (domain.is_part) models.clear();  // a part holds the floating tensors that were asked for, nothing else
  ROUX_TRY(std::vector<CarriedTensor> carried, carried_tensors(models, model_ids, wish.span));

  PreparedOutput prepared;
  OutputLayout& layout = prepared.layout;
  layout = {.path = wish.path, .metadata = wish.metadata, .companions = companions_of(base, operands),
            .shard_bytes = wish.shard_bytes, .overwrite = wish.overwrite, .span = wish.span};
  layout.metadata["roux.space"] = space;
  OutputRoot root{.node = wish.value->node, .name = wish.path, .dtypes = dtypes};
  for (std::size_t t = 0; t < domain.tensors.size(); ++t) {
    root.positions.push_back(static_cast<std::uint32_t>(layout.tensors.size()));
    layout.tensors.push_back({domain.tensors[t].name, dtypes[t], domain.tensors[t].shape});
  }
  for (CarriedTensor& tensor : carried) {
    tensor.in_output = {static_cast<std::uint32_t>(layout.tensors.size())};
    const TensorInfo& info = models[0]->tensors()[tensor.places[0].tensor];
    layout.tensors.push_back({tensor.name, tensor.dtype, info.shape});
  }

  prepared.bytes = output_bytes(layout);
  ROUX_TRY(prepared.plan, lower(graph, inputs.all(), {.outputs = {std::move(root)},
                                                      .numbers = {},
                                                      .domain = domain_id,
                                                      .known = std::move(known),
                                                      .carried = std::move(carried),
                                                      .threads = options.threads,
                                                      .optimize = options.optimize,
                                                      .in_f64 = wish.in_f64,
                                                      .span = wish.span}));
  ROUX_DO(fit_memory(prepared.plan, options, wish.span));
  return prepared;
}

Status fit_memory(Plan& plan, const Options& options, Span span) {
  if (options.tile_elements) plan.tile_elements = options.tile_elements;
  MemoryNeed need = memory_need(plan);
  // Order statistics give way first (at worst they sweep once more), then tiles.
  const auto shrink = [&](std::uint64_t& size, std::uint64_t least) {
    while (need.bytes > options.memory_bytes && size > least) {
      size /= 2;
      need = memory_need(plan);
    }
  };
  shrink(plan.collect_limit, kFewestCollected);
  if (!options.tile_elements) shrink(plan.tile_elements, kSmallestTile);
  plan.peak_bytes = need.bytes;
  return need.bytes <= options.memory_bytes ? ok() : does_not_fit(plan, need, options.memory_bytes, span);
}

std::vector<Checkpoint::Ptr> sources_of_plan(const Plan& plan, const Inputs& inputs) {
  std::vector<Checkpoint::Ptr> sources;
  for (const PlannedSource& source : plan.sources) sources.push_back(inputs.all()[source.id]);
  return sources;
}

}  // namespace roux
