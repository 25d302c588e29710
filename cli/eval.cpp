// `roux eval`: the value of one expression, as the REPL would print it.
#include "cli/opened_recipe.h"

namespace roux::cli {

int evaluate_expression(const Arguments& arguments) {
  Terminal terminal(arguments);
  Result<Engine> engine = Engine::create(arguments.options);
  if (!engine) return terminal.fail(engine.error());
  const InterruptScope interrupts;
  const Events events = events_for(terminal, *engine, interrupts);
  const Result<std::string> value = terminal.is_json() ? engine->evaluate_to_json(arguments.subject, events)
                                                       : engine->evaluate(arguments.subject, events);
  if (!value) return terminal.fail(*engine, value.error());
  if (terminal.is_json())
    terminal.document()["value"] = Json::parse(*value);
  else
    terminal.print_line(*value);
  return terminal.finish();
}

}  // namespace roux::cli
