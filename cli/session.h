// What the commands that run something share: an engine, the recipe's text read and compiled, and
// events told to the terminal. On failure the diagnostics are printed and the exit code is the
// result.
#pragma once

#include <variant>

#include "cli/signals.h"
#include "cli/terminal.h"

namespace roux::cli {

struct Session {
  Engine engine;
  Recipe recipe;
};

std::variant<Session, ExitCode> open_session(const Arguments& arguments, Terminal& terminal);

// The arguments must outlive the events.
Events events_for(Terminal& terminal, const Engine& engine, const InterruptScope& interrupts);

}  // namespace roux::cli
