// `roux plan`: what a run would do: sweeps, bytes, memory, and the kernels on request.
#include "cli/session.h"

namespace roux::cli {

int plan_recipe(const Arguments& arguments) {
  Terminal terminal;
  auto opened = open_session(arguments, terminal);
  if (const ExitCode* code = std::get_if<ExitCode>(&opened)) return *code;
  auto& [engine, recipe] = std::get<Session>(opened);

  const Result<std::string> text = engine.plan(recipe, arguments.settings, arguments.kernels);
  if (!text) return terminal.fail(engine, text.error());
  terminal.print(*text);
  if (!text->ends_with('\n')) terminal.print("\n");
  return terminal.finish();
}

}  // namespace roux::cli
