// What the commands that run something share: an engine, the recipe's text read and compiled, and
// events told to the terminal. On failure the diagnostics are printed and the exit code is the
// result.
#pragma once

#include <variant>

#include "cli/signals.h"
#include "cli/terminal.h"

namespace roux::cli {

struct OpenedRecipe {
  Engine engine;
  Recipe recipe;
};

// The text of the file; `-` is standard input.
Result<std::string> read_recipe(const std::string& path);

std::variant<OpenedRecipe, ExitCode> open_recipe(const Arguments& arguments, Terminal& terminal);

// What is given must outlive the events.
Events events_for(Terminal& terminal, const Engine& engine, const InterruptScope& interrupts, bool verbose = false);

}  // namespace roux::cli
