// `roux plan`: what a run would do: sweeps, bytes, memory, and the kernels on request.
#include "cli/opened_recipe.h"

namespace roux::cli {
namespace {

Json json_of(const PlannedSave& save, bool with_kernels) {
  Json object = {{"path", save.path},
                 {"tensors", save.tensors},
                 {"bytes", save.bytes},
                 {"sweeps", save.sweeps},
                 {"bytes_read", save.bytes_read},
                 {"bytes_written", save.bytes_written},
                 {"memory_bytes", save.memory_bytes},
                 {"threads", save.threads},
                 {"tile_elements", save.tile_elements},
                 {"kernel_count", save.kernels.size()}};
  if (with_kernels) object["kernels"] = save.kernels;
  return object;
}

void tell(const PlanSummary& plan, bool with_kernels, Json& document) {
  document["checkpoints_scored"] = plan.checkpoints_scored;
  document["candidates_scored"] = plan.candidates_scored;
  document["saves"] = Json::array();
  for (const PlannedSave& save : plan.saves) document["saves"].push_back(json_of(save, with_kernels));
}

}  // namespace

int plan_recipe(const Arguments& arguments) {
  Terminal terminal(arguments);
  auto opened = open_recipe(arguments, terminal);
  if (const ExitCode* code = std::get_if<ExitCode>(&opened)) return *code;
  auto& [engine, recipe] = std::get<OpenedRecipe>(opened);

  const Result<BoundRecipe> bound = engine.bind(recipe, {.settings = arguments.settings});
  if (!bound) return terminal.fail(engine, bound.error());
  const PlanSummary& plan = bound->plan();
  if (terminal.is_json())
    tell(plan, arguments.kernels, terminal.document());
  else
    terminal.print(arguments.kernels ? plan.text_with_kernels : plan.text);
  return terminal.finish();
}

}  // namespace roux::cli
