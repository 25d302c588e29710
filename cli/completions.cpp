#include "cli/completions.h"

#include <string_view>

#include "base/text.h"

namespace roux::cli {
namespace {

// In single quotes, as every shell of the three reads them.
std::string in_quotes(std::string_view text, std::string_view quote) {
  std::string out = "'";
  for (const char c : text) c == '\'' ? out += quote : out += c;
  return out + "'";
}

std::string with_backslashes(std::string_view text, std::string_view special) {
  std::string out;
  for (const char c : text) {
    if (special.find(c) != special.npos) out += '\\';
    out += c;
  }
  return out;
}

std::vector<std::string> option_names(const CommandWords& command, bool that_take_values) {
  std::vector<std::string> names;
  for (const OptionWords& option : command.options)
    if (!that_take_values || option.takes_value) names.insert(names.end(), option.names.begin(), option.names.end());
  return names;
}

std::vector<std::string> command_names(const std::vector<CommandWords>& commands) {
  std::vector<std::string> names;
  for (const CommandWords& command : commands) names.push_back(command.name);
  return names;
}

}  // namespace

std::string bash_completions(const std::vector<CommandWords>& commands) {
  std::string cases;
  for (const CommandWords& command : commands) {
    cases += "    " + command.name + ")\n      options='" + join(option_names(command, false), " ") + "'\n";
    const std::vector<std::string> valued = option_names(command, true);
    if (!valued.empty()) cases += "      valued='" + join(valued, " ") + "'\n";
    if (!command.subjects.empty()) cases += "      words='" + join(command.subjects, " ") + "'\n";
    if (!command.suffix.empty()) cases += "      files='!*" + command.suffix + "'\n";
    if (command.any_path) cases += "      files='!*'\n";
    cases += "      ;;\n";
  }
  return R"(# Completion for bash:  source <(roux completions bash)
_roux() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
  local command= options='--help --version' valued= words= files= i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    if [[ ${COMP_WORDS[i]} != -* ]]; then
      command=${COMP_WORDS[i]}
      break
    fi
  done
  case $command in
    '')
      words=')" + join(command_names(commands), " ") + R"( help'
      ;;
)" + cases + R"(  esac
  if [[ " $valued " == *" $prev "* ]]; then
    return
  fi
  if [[ $cur == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
    return
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
  if [[ -n $files ]]; then
    compopt -o filenames 2>/dev/null
    if [[ $files == '!*' ]]; then
      mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- "$cur")
    else
      mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -X "$files" -- "$cur"; compgen -d -- "$cur")
    fi
  fi
}
complete -F _roux roux
)";
}

std::string zsh_completions(const std::vector<CommandWords>& commands) {
  const auto quoted_word = [](std::string_view text) { return in_quotes(text, "'\\''"); };
  std::string names, cases;
  for (const CommandWords& command : commands) {
    names += "    " + quoted_word(command.name + ":" + with_backslashes(command.help, ":")) + "\n";
    cases += "    " + command.name + ")\n      _arguments \\\n";
    for (const OptionWords& option : command.options)
      for (const std::string& name : option.names)
        cases += "        " +
                 quoted_word(name + "[" + with_backslashes(option.help, "[]:\\") + "]" +
                             (option.takes_value ? ":value: " : "")) +
                 " \\\n";
    std::vector<std::string> actions;
    if (!command.subjects.empty())
      actions.push_back("'words:word:(" + join(command.subjects, " ") + ")'");
    if (!command.suffix.empty()) actions.push_back("'files:file:_files -g \"*" + command.suffix + "\"'");
    if (command.any_path) actions.push_back("'files:file:_files'");
    if (!actions.empty())
      cases += "        " + quoted_word("*:subject:_alternative " + join(actions, " ")) + "\n";
    else
      cases += "        '*:subject: '\n";
    cases += "      ;;\n";
  }
  return "#compdef roux\n# Completion for zsh:  source <(roux completions zsh)\n"
         "_roux() {\n  local -a commands\n  commands=(\n" +
         names +
         "  )\n  if ((CURRENT == 2)); then\n    _describe 'command' commands\n    return\n  fi\n"
         "  local command=$words[2]\n  shift words\n  ((CURRENT--))\n  case $command in\n" +
         cases + "  esac\n}\ncompdef _roux roux\n";
}

std::string fish_completions(const std::vector<CommandWords>& commands) {
  const auto quoted_word = [](std::string_view text) { return in_quotes(with_backslashes(text, "\\"), "\\'"); };
  std::string out = "# Completion for fish:  roux completions fish | source\ncomplete -c roux -f\n";
  for (const CommandWords& command : commands) {
    out += "complete -c roux -n __fish_use_subcommand -a " + command.name + " -d " + quoted_word(command.help) + "\n";
    const std::string begin = "complete -c roux -n '__fish_seen_subcommand_from " + command.name + "'";
    for (const OptionWords& option : command.options) {
      out += begin;
      for (const std::string& name : option.names)
        out += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      out += std::string(option.takes_value ? " -x" : "") + " -d " + quoted_word(option.help) + "\n";
    }
    if (!command.subjects.empty()) out += begin + " -a " + quoted_word(join(command.subjects, " ")) + "\n";
    if (!command.suffix.empty()) out += begin + " -a '(__fish_complete_suffix " + command.suffix + ")'\n";
    if (command.any_path) out += begin + " -F\n";
  }
  return out;
}

}  // namespace roux::cli
