// `roux repl`, and `roux` alone: statements entered one by one. On a terminal with prompts, editing and history; from
// anything else line by line, up to the first error.
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <optional>
#include <string_view>

#include "base/limits.h"
#include "cli/history.h"
#include "cli/line_editor.h"
#include "cli/repl_commands.h"
#include "cli/signals.h"

namespace roux::cli {
namespace {

constexpr char kPrompt[] = "roux>";
constexpr char kContinued[] = "  ...";

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n") == text.npos; }

// Whether the reader of lines should ask for one more.
bool wants_more(const std::string& text) {
  return !is_command(text) && text.size() < limits::kRecipeBytes && is_incomplete(text);
}

void carry_out(Repl& repl, const std::string& text) {
  repl.last = kDone;
  if (is_blank(text)) return;
  if (is_command(text))
    run_command(repl, text);
  else
    enter(repl, "", text);
}

bool shows_colour() {
  const char* without = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  return (!without || !*without) && terminal && std::string_view(terminal) != "dumb";
}

// One entry; an empty one where Ctrl-C cleared it, nothing at the end.
std::optional<std::string> read_entry(LineEditor& editor, std::string& before, bool coloured) {
  std::string text, line;
  for (const char* prompt = kPrompt;; prompt = kContinued) {
    before = text;
    const LineEditor::Event event = editor.read(prompt, coloured, line);
    if (event == LineEditor::Event::interrupted) return "";
    if (event == LineEditor::Event::closed && text.empty()) return std::nullopt;
    if (event == LineEditor::Event::closed) return text;
    text += line;
    if (!wants_more(text)) return text;
    text += '\n';
  }
}

int converse(Repl& repl) {
  survive_interrupts();
  History history(History::default_path());
  std::string before;  // the lines of the entry above the cursor
  LineEditor editor([&](const std::string& line) {
    const std::string text = before + line;
    Completion completion = is_command(text) ? complete_command(repl.session, text)
                                             : repl.session.complete(text, text.size());
    if (completion.begin < before.size()) return Completion{line.size(), {}};
    completion.begin -= before.size();
    return completion;
  });
  editor.set_history(history.entries());
  if (!repl.quiet)
    repl.terminal.print_line("Roux " + std::string(version()) + ". `:help` tells the commands, TAB completes, Ctrl-D leaves.");
  const bool coloured = shows_colour();
  while (!repl.leaves) {
    const std::optional<std::string> text = read_entry(editor, before, coloured);
    if (!text) {
      repl.terminal.print("\n");
      break;
    }
    if (is_blank(*text)) continue;
    history.add(*text);
    editor.set_history(history.entries());
    carry_out(repl, *text);
  }
  return repl.terminal.finish();
}

int read_through(Repl& repl) {
  std::string text;
  for (std::string line; !repl.leaves && repl.last == kDone && std::getline(std::cin, line);) {
    text += line;
    if (wants_more(text)) {
      text += '\n';
      continue;
    }
    carry_out(repl, text);
    text.clear();
  }
  if (!is_blank(text) && !repl.leaves && repl.last == kDone) carry_out(repl, text);
  const ExitCode finished = repl.terminal.finish();
  return repl.last != kDone ? repl.last : finished;
}

}  // namespace

int start_repl(const Arguments& arguments) {
  Terminal terminal(arguments, !arguments.quiet);
  Result<Engine> engine = Engine::create(arguments.options);
  if (!engine) return terminal.fail(engine.error());
  Session session = engine->interact({.settings = arguments.settings});
  Repl repl{*engine, session, terminal, arguments.quiet, arguments.verbose};
  const bool on_terminal = isatty(STDIN_FILENO) != 0 && isatty(STDOUT_FILENO) != 0;
  return on_terminal ? converse(repl) : read_through(repl);
}

}  // namespace roux::cli
