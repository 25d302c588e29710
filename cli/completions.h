// Scripts that teach a shell the words of `roux`: commands, their options, files, and names of methods and codes.
// Made of the table of commands, so that a new command or option needs nothing more.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace roux::cli {

struct OptionWords {
  std::vector<std::string> names;  // "--quiet", "-q"
  std::string help;
  bool takes_value = false;
};

// What stands where a command's subject does.
struct CommandWords {
  std::string name;
  std::string help;
  std::vector<OptionWords> options;
  std::vector<std::string> subjects;  // words that may stand there
  std::string suffix;                 // of files that may; empty: none
  bool any_path = false;              // every file and folder may
};

std::string bash_completions(const std::vector<CommandWords>& commands);
std::string zsh_completions(const std::vector<CommandWords>& commands);
std::string fish_completions(const std::vector<CommandWords>& commands);

}  // namespace roux::cli
