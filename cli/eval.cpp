// `roux eval`: the value of one expression, as the REPL would print it.
#include "cli/session.h"

namespace roux::cli {

int evaluate_expression(const Arguments& arguments) {
  Terminal terminal;
  Result<Engine> engine = Engine::create(arguments.options);
  if (!engine) return terminal.fail(engine.error());
  const InterruptScope interrupts;
  const Events events = events_for(terminal, *engine, interrupts);
  const Result<std::string> value = engine->evaluate(arguments.subject, events);
  if (!value) return terminal.fail(*engine, value.error());
  terminal.print_line(*value);
  return terminal.finish();
}

}  // namespace roux::cli
