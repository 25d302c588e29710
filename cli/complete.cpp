// `roux completions`: which words may follow which, told to a shell.
#include <algorithm>

#include "base/text.h"
#include "cli/arguments.h"
#include "cli/completions.h"
#include "cli/terminal.h"

namespace roux::cli {
namespace {

struct Shell {
  const char* name;
  std::string (*script)(const std::vector<CommandWords>&);
};

constexpr Shell kShells[] = {{"bash", bash_completions}, {"fish", fish_completions}, {"zsh", zsh_completions}};

std::vector<std::string> shell_names() {
  std::vector<std::string> names;
  for (const Shell& shell : kShells) names.emplace_back(shell.name);
  return names;
}

Result<std::vector<std::string>> method_names(const Options& options) {
  ROUX_TRY(Engine engine, Engine::create(options));
  ROUX_TRY(const std::vector<MethodDocument> documents, engine.methods());
  std::vector<std::string> names;
  for (const MethodDocument& document : documents) names.push_back(document.name);
  std::sort(names.begin(), names.end());
  return names;
}

// What a command's subject is follows from the word that its help has for it.
Status add_subjects(const Command& command, const Options& options, CommandWords& words) {
  const std::string_view subject = command.subject ? command.subject : "";
  if (subject == "FILE" || subject == "FILES" || subject == "METHOD") words.suffix = ".merge";
  if (subject == "CHECKPOINT") words.any_path = true;
  if (subject == "SHELL") words.subjects = shell_names();
  if (subject == "CODE")
    for (const Explanation& page : explanations()) words.subjects.push_back(page.code);
  if (subject == "METHOD") {
    ROUX_TRY(words.subjects, method_names(options));
  }
  return ok();
}

}  // namespace

int print_completions(const Arguments& arguments) {
  Terminal terminal(arguments);
  const auto shell = std::find_if(std::begin(kShells), std::end(kShells),
                                  [&](const Shell& each) { return arguments.subject == each.name; });
  if (shell == std::end(kShells))
    return terminal.fail({error(DiagnosticKind::bad_option, Span{},
                                "no completions for the shell " + quoted(arguments.subject))
                              .hint("there are some for " + join(shell_names(), ", "))});
  std::vector<CommandWords> words;
  for (const Command& command : commands()) {
    words.push_back({command.name, command.summary, options_of(command), {}, {}, false});
    const Status added = add_subjects(command, arguments.options, words.back());
    if (!added) return terminal.fail(added.error());
  }
  if (terminal.is_json())
    terminal.document()["script"] = shell->script(words);
  else
    terminal.print(shell->script(words));
  return terminal.finish();
}

}  // namespace roux::cli
