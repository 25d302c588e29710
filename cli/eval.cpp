// `roux eval`: the value of one expression, as the REPL would print it, then one line per output.
#include "api/session.h"
#include "cli/opened_recipe.h"
#include "cli/report_lines.h"

namespace roux::cli {

int evaluate_expression(const Arguments& arguments) {
  Terminal terminal(arguments);
  Result<Engine> engine = Engine::create(arguments.options);
  if (!engine) return terminal.fail(engine.error());
  const InterruptScope interrupts;
  const Events events = events_for(terminal, *engine, interrupts);
  Session session = engine->interact({});
  const Result<Outcome> outcome = session.enter("<eval>", arguments.subject, events);
  if (!outcome) return terminal.fail(*engine, outcome.error());
  if (terminal.is_json()) {
    terminal.document()["value"] = Json::parse(session.last_as_json());
    terminal.document()["outputs"] = outputs_as_json(outcome->report);
    return terminal.finish();
  }
  for (const std::string& line : outcome->shown) terminal.print_line(line);
  for (const SavedOutput& output : outcome->report.outputs) terminal.print_line(output_line(output));
  return terminal.finish();
}

}  // namespace roux::cli
