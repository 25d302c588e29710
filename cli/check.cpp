// `roux check`: everything that the recipe and the headers of its inputs can tell, before a tensor
// is read.
#include "cli/opened_recipe.h"

namespace roux::cli {

int check_recipe(const Arguments& arguments) {
  Terminal terminal(arguments);
  auto opened = open_recipe(arguments, terminal);
  if (const ExitCode* code = std::get_if<ExitCode>(&opened)) return *code;
  auto& [engine, recipe] = std::get<OpenedRecipe>(opened);

  const Result<CheckReport> report = engine.check(recipe, arguments.settings);
  if (!report) return terminal.fail(engine, report.error());
  terminal.say(engine, report->notes);
  if (!terminal.is_json()) terminal.print_line((arguments.subject == "-" ? "<stdin>" : arguments.subject) + ": no errors");
  return terminal.finish();
}

}  // namespace roux::cli
