// The commands of the REPL, `:help` and so on: a table of names, what they take, what they do. They act through the
// session and print through the terminal; how lines are read they do not know.
#pragma once

#include <string>
#include <string_view>

#include "api/session.h"
#include "cli/terminal.h"

namespace roux::cli {

struct Repl {
  Engine& engine;
  Session& session;
  Terminal& terminal;
  bool quiet = false;
  bool verbose = false;
  bool leaves = false;        // `:quit` was given
  ExitCode last = kDone;      // how the last entry or command ended
};

// Carries out statements, shows what they give. `report`: tell what it took, too.
void enter(Repl& repl, const std::string& name, const std::string& text, bool report = false);

bool is_command(std::string_view line);
void run_command(Repl& repl, std::string_view line);

// For a line that is a command: names of commands, else what its argument may be.
Completion complete_command(const Session& session, const std::string& line);

}  // namespace roux::cli
