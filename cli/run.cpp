// `roux run`: carries out a recipe. Prints what the recipe prints, then one line per output.
#include "cli/opened_recipe.h"
#include "cli/report_lines.h"

namespace roux::cli {
namespace {

void tell(const Report& report, Json& document) {
  document["outputs"] = outputs_as_json(report);
  document["bytes_read"] = report.bytes_read;
  document["bytes_written"] = report.bytes_written;
  document["kernels_compiled"] = report.kernels_compiled;
  document["plans_run"] = report.plans_run;
  document["models_scored"] = report.models_scored;
  document["seconds"] = report.seconds;
}

}  // namespace

int run_recipe(const Arguments& arguments) {
  Terminal terminal(arguments, !arguments.quiet);
  auto opened = open_recipe(arguments, terminal);
  if (const ExitCode* code = std::get_if<ExitCode>(&opened)) return *code;
  auto& [engine, recipe] = std::get<OpenedRecipe>(opened);

  const InterruptScope interrupts;
  Events events = events_for(terminal, engine, interrupts, arguments.verbose);
  events.on_resume = [&](const std::string& line) {
    if (terminal.is_json())
      terminal.document()["resumed"].push_back(line);
    else
      terminal.note(printable(line) + '\n');
  };
  const Result<Report> report = engine.run(recipe, {.settings = arguments.settings}, events);
  if (!report) return terminal.fail(engine, report.error());
  if (terminal.is_json()) {
    tell(*report, terminal.document());
    return terminal.finish();
  }
  for (const SavedOutput& output : report->outputs) terminal.print_line(output_line(output));
  if (!arguments.quiet) terminal.note(summary_line(*report) + '\n');
  return terminal.finish();
}

}  // namespace roux::cli
