// The command line's syntax: from argv and the table of commands to one command and its arguments.
// Help, the version and complaints about the command line are printed here; then the result is the
// exit code and nothing is left to do. The only user of CLI11.
#pragma once

#include <span>
#include <string>
#include <variant>
#include <vector>

#include "cli/command.h"
#include "cli/completions.h"

namespace roux::cli {

// What may follow the command, beside its subject.
std::vector<OptionWords> options_of(const Command& command);

struct Invocation {
  const Command* command;
  Arguments arguments;
};

// `words`: argv without the program's name.
std::variant<Invocation, ExitCode> parse_arguments(std::span<const Command> commands,
                                                   std::vector<std::string> words);

}  // namespace roux::cli
