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
    help)
      words=')" + join(command_names(commands), " ") + R"('
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
      cases += "        " + quoted_word("*:subject:{_alternative " + join(actions, " ") + "}") + "\n";
    else
      cases += "        '*:subject: '\n";
    cases += "      ;;\n";
  }
  return R"(#compdef roux
# Completion for zsh:  source <(roux completions zsh)
_roux() {
  local -a commands
  commands=(
)" + names +
         R"(  )
  if ((CURRENT == 2)); then
    if [[ $PREFIX == -* ]]; then
      compadd -- --help --version
    else
      _describe 'command' commands -- '(help)'
    fi
    return
  fi
  local command=$words[2]
  shift words
  ((CURRENT--))
  case $command in
    help)
      ((CURRENT == 2)) && _describe 'command' commands
      ;;
)" + cases + R"(  esac
}
compdef _roux roux
)";
}

std::string fish_completions(const std::vector<CommandWords>& commands) {
  const auto quoted_word = [](std::string_view text) { return in_quotes(with_backslashes(text, "\\"), "\\'"); };
  std::string out = R"(# Completion for fish:  roux completions fish | source
# The command that is being completed: the first word that is no option.
function __roux_command
  for word in (commandline -opc)[2..-1]
    if not string match -q -- '-*' $word
      echo $word
      return
    end
  end
end
function __roux_has_no_command
  not count (__roux_command) >/dev/null
end
function __roux_is
  contains -- $argv[1] (__roux_command)
end
# Folders, and files that end in the suffix.
function __roux_files
  complete -C "'' "(commandline -ct) | string match -r "^(?:[^\t]*/|[^\t]*\\$argv[1])(?:\t.*)?\$"
end
complete -c roux -f
complete -c roux -n __roux_has_no_command -l help -d 'Print this help'
complete -c roux -n __roux_has_no_command -l version -d 'Print the version'
complete -c roux -n __roux_has_no_command -a help -d 'Tell about a command'
)";
  out += "complete -c roux -n '__roux_is help' -a '" + join(command_names(commands), " ") + "'\n";
  for (const CommandWords& command : commands) {
    out += "complete -c roux -n __roux_has_no_command -a " + command.name + " -d " + quoted_word(command.help) + "\n";
    const std::string begin = "complete -c roux -n '__roux_is " + command.name + "'";
    for (const OptionWords& option : command.options) {
      out += begin;
      for (const std::string& name : option.names)
        out += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      out += std::string(option.takes_value ? " -x" : "") + " -d " + quoted_word(option.help) + "\n";
    }
    if (!command.subjects.empty()) out += begin + " -a " + quoted_word(join(command.subjects, " ")) + "\n";
    if (!command.suffix.empty()) out += begin + " -a '(__roux_files " + command.suffix + ")'\n";
    if (command.any_path) out += begin + " -F\n";
  }
  return out;
}

}  // namespace roux::cli
