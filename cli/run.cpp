// `roux run`: carries out a recipe. Prints what the recipe prints, then one line per output.
#include <cstdio>

#include "base/text.h"
#include "cli/session.h"

namespace roux::cli {
namespace {

std::string output_line(const SavedOutput& output) {
  std::string line = "saved " + printable(output.path) + ": " +
                     format_count(output.tensors, "tensor") + ", " + format_bytes(output.bytes) +
                     ", " + output.dtype;
  if (output.score) line += " (score " + format_number(*output.score) + ")";
  return line;
}

std::string summary_line(const Report& report) {
  std::string line =
      format_bytes(report.bytes_read) + " read, " + format_bytes(report.bytes_written) + " written";
  if (report.models_scored > 0)
    line += ", " + format_count(report.models_scored, "model") + " scored";
  char seconds[32];
  std::snprintf(seconds, sizeof seconds, report.seconds < 0.1 ? " in %.3f s" : " in %.1f s",
                report.seconds);
  line += seconds;
  if (report.seconds <= 0) return line;
  const double rate =
      static_cast<double>(report.bytes_read + report.bytes_written) / report.seconds;
  return line + " (" + format_bytes(static_cast<std::uint64_t>(rate)) + "/s)";
}

void tell(const Report& report, Json& document) {
  document["outputs"] = Json::array();
  for (const SavedOutput& output : report.outputs)
    document["outputs"].push_back({{"path", output.path},
                                   {"tensors", output.tensors},
                                   {"bytes", output.bytes},
                                   {"dtype", output.dtype},
                                   {"score", output.score ? Json(*output.score) : Json()}});
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
  auto opened = open_session(arguments, terminal);
  if (const ExitCode* code = std::get_if<ExitCode>(&opened)) return *code;
  auto& [engine, recipe] = std::get<Session>(opened);

  const InterruptScope interrupts;
  const Events events = events_for(terminal, engine, interrupts);
  const Result<Report> report = engine.run(recipe, arguments.settings, events);
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
