#include "cli/arguments.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <optional>
#include <utility>

#include "base/limits.h"
#include "base/text.h"
#include "cli/terminal.h"

namespace roux::cli {
namespace {

constexpr char kExamples[] =
    "Examples:\n"
    "  roux                                   enter statements one by one\n"
    "  roux run soup.merge                    carry out a recipe\n"
    "  roux run soup.merge --set k=0.3        with another value for its `param k`\n"
    "  roux plan soup.merge                   what it would read, write and need\n"
    "  roux inspect checkpoints/base          the tensors of a checkpoint\n"
    "  roux recipe out/soup                   the recipe that made a checkpoint\n"
    "\n"
    "`roux COMMAND --help` tells more of each. Exit codes: 0 done, 1 recipe or inputs are wrong,\n"
    "2 a file, the disk or a scorer failed, 70 a bug in Roux.";

constexpr char kHidden[] = "";  // CLI11: options of the group "" are not shown

Diagnostic bad_option(std::string message) {
  return error(DiagnosticKind::bad_option, Span{}, std::move(message));
}

// Options as typed, before those that are text are understood.
struct Raw {
  Arguments arguments;
  std::vector<std::string> settings;
  std::string memory;
  bool no_fsync = false;
  bool no_optimize = false;
};

void add_testing_options(CLI::App& app, Raw& raw) {
  Options& options = raw.arguments.options;
  app.add_option("--vector-width", options.vector_width, "Lanes per vector")->group(kHidden);
  app.add_option("--tile", options.tile_elements, "Elements per tile")->group(kHidden);
  app.add_flag("--no-optimize", raw.no_optimize, "Compile as written")->group(kHidden);
}

void add_options(CLI::App& app, const Command& command, Raw& raw) {
  Options& options = raw.arguments.options;
  if (command.subject != nullptr) {
    CLI::Option* subject =
        command.takes & kSeveral
            ? app.add_option(command.subject, raw.arguments.subjects, command.subject_help)
            : app.add_option(command.subject, raw.arguments.subject, command.subject_help);
    subject->required(!(command.takes & kMaybeSubject))->type_name("");
  }
  app.add_flag("--json", raw.arguments.json, "Results and diagnostics as one JSON document");
  if (command.takes & kSettings) {
    app.add_option("--set", raw.settings,
                   "Give the recipe's `param NAME` this value; may be repeated")
        ->type_name("NAME=VALUE")
        ->allow_extra_args(false);
  }
  if (command.takes & kKernels) {
    app.add_flag("--kernels", raw.arguments.kernels, "Show the text of every kernel, too");
  }
  if (command.takes & kInto) {
    app.add_option("--into", raw.arguments.into,
                   "Write it into this folder, with the files that it imports")
        ->type_name("FOLDER");
  }
  if (command.takes & kFormatting) {
    app.add_flag("--check", raw.arguments.only_check,
                 "Write nothing; list what would change, and exit with 1 if anything would");
    app.add_flag("--diff", raw.arguments.diff, "As --check, and show the changes");
  }
  if (command.takes & kReading) {
    app.add_flag("--markdown", raw.arguments.markdown, "As one page in Markdown");
  }
  if (command.takes & kWatching) {
    app.add_flag("--watch", raw.arguments.watch,
                 "Check again whenever the recipe or one of its inputs changes, until Ctrl-C");
  }
  if (command.takes & kEngine) {
    app.add_option("--threads", options.threads, "Threads to use (default: one per core)")
        ->type_name("N")
        ->check(CLI::Range(0, limits::kThreads).description(""));
    app.add_option("--memory", raw.memory, "Memory beyond the page cache (default: 1G)")
        ->type_name("SIZE");
    app.add_option("--backend", options.backend, "`llvm`, or `reference` (slow: the definition)")
        ->type_name("NAME");
    app.add_option("--max-depth", options.max_depth, "Calls inside each other (default: 256)")
        ->type_name("N");
    app.add_option("--max-steps", options.max_steps, "Steps of control (default: 10000000)")
        ->type_name("N");
    add_testing_options(app, raw);
  }
  if (command.takes & kResuming) {
    app.add_flag("--resume", options.resume,
                 "Keep the tensors that an interrupted run has completed, and, if interrupted, leave them to the next");
  }
  if (command.takes & kRunning) {
    app.add_flag("--no-fsync", raw.no_fsync, "Do not wait until the outputs are on the disk");
    app.add_flag("--quiet,-q", raw.arguments.quiet, "No progress bar, no summary");
    app.add_flag("--verbose,-v", raw.arguments.verbose, "Say of each step what is done");
  }
}

Status read_settings(const std::vector<std::string>& texts, Settings& settings) {
  for (const std::string& text : texts) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      return bad_option("`--set` takes NAME=VALUE, not " + roux::quoted(text))
          .hint("for example `--set k=0.3`");
    }
    settings[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return ok();
}

Status read_memory(const std::string& text, Options& options) {
  if (text.empty()) return ok();
  const std::optional<std::uint64_t> bytes = size_from_text(text);
  if (!bytes || *bytes == 0) {
    return bad_option("`--memory` takes a size, not " + roux::quoted(text))
        .hint("for example `512MiB` or `4G`");
  }
  options.memory_bytes = *bytes;
  return ok();
}

Result<Arguments> understand(Raw raw) {
  Arguments arguments = std::move(raw.arguments);
  ROUX_DO(read_settings(raw.settings, arguments.settings));
  ROUX_DO(read_memory(raw.memory, arguments.options));
  arguments.options.sync = !raw.no_fsync;
  arguments.options.optimize = !raw.no_optimize;
  arguments.options.save_to_memory = false;  // nobody would take it
  return arguments;
}

// --- complaints
// ---------------------------------------------------------------------------------------

// What is wrong with the words, told in the form that they ask for.
ExitCode complain(const std::vector<std::string>& words, const Diagnostics& diagnostics) {
  Arguments arguments{.command = words.empty() ? "" : words[0]};
  arguments.json = std::find(words.begin(), words.end(), "--json") != words.end();
  return Terminal(arguments).fail(diagnostics);
}

std::string help_hint(const Command* command) {
  return command == nullptr ? "`roux --help` lists the commands"
                            : "`roux " + std::string(command->name) + " --help` lists the options";
}

// (Qualified below: the standard library has a `quoted` of its own, and CLI11 lets it in.)
std::string unknown(const char* what, const std::string& word,
                    const std::vector<std::string>& known) {
  std::string message = std::string("unknown ") + what + " " + roux::quoted(word);
  if (const auto name = nearest(word, known)) message += "; nearest is " + roux::quoted(*name);
  return message;
}

Diagnostic complaint_of_command(std::span<const Command> commands, const std::string& word) {
  std::vector<std::string> names;
  for (const Command& command : commands) names.push_back(command.name);
  std::string message = unknown("command", word, names);
  const bool is_recipe = word.ends_with(".merge");
  const std::string hint =
      is_recipe ? "to carry out a recipe: `roux run " + word + "`" : help_hint(nullptr);
  return bad_option(std::move(message)).hint(hint);
}

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group() == kHidden) continue;
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

Diagnostic complaint_of_extra(const CLI::App& app, const Command* command) {
  const std::vector<std::string> extras = app.remaining(true);
  const std::string word = extras.empty() ? "" : extras.front().substr(0, extras.front().find('='));
  std::string message = "unexpected argument " + roux::quoted(word);
  if (word.starts_with('-')) message = unknown("option", word, option_names(app));
  return bad_option(std::move(message)).hint(help_hint(command));
}

// CLI11's own words, in the form of our messages.
Diagnostic complaint_of_use(const CLI::ParseError& problem, const Command* command) {
  std::string message = problem.what();
  message = message.substr(0, message.find('\n'));
  return bad_option(std::move(message)).hint(help_hint(command));
}

// --- parsing
// ------------------------------------------------------------------------------------------

// An expression may begin with a minus: `-1` is no option, and moves behind a `--`.
void protect_expression(std::vector<std::string>& words) {
  const auto at = std::find_if(words.begin(), words.end(), [](const std::string& word) {
    return word == "--" || (word.size() > 1 && word[0] == '-' && word[1] != '-' && word != "-h");
  });
  if (at == words.end() || *at == "--") return;
  std::rotate(at, at + 1, words.end());
  words.insert(words.end() - 1, "--");
}

void declare(CLI::App& app, std::span<const Command> commands, Raw& raw) {
  app.name("roux");
  app.set_version_flag("--version,-V", "roux " + std::string(version()), "Print the version");
  app.set_help_flag("--help,-h", "Print this help");
  app.require_subcommand(0, 1);
  app.footer(kExamples);
  app.get_formatter()->label("SUBCOMMAND", "COMMAND");
  app.get_formatter()->label("Subcommands", "Commands");
  app.get_formatter()->label("Positionals", "Arguments");
  app.get_formatter()->label("REQUIRED", "");
  for (const Command& command : commands) {
    CLI::App* sub = app.add_subcommand(command.name, command.summary);
    sub->footer(std::string("Examples:\n") + command.examples);
    add_options(*sub, command, raw);
  }
}

const Command* find_command(std::span<const Command> commands, const std::string& name) {
  const auto at = std::find_if(commands.begin(), commands.end(),
                               [&](const Command& command) { return name == command.name; });
  return at == commands.end() ? nullptr : &*at;
}

// `roux` alone, and `roux -`, is `roux repl`; `roux help run` is `roux run --help`.
void rewrite_short_forms(std::vector<std::string>& words) {
  if (words.empty()) words.push_back("repl");
  if (words[0] == "-") words[0] = "repl";
  if (words[0] != "help") return;
  words.erase(words.begin());
  words.push_back("--help");
}

}  // namespace

std::vector<OptionWords> options_of(const Command& command) {
  CLI::App app;
  Raw raw;
  app.set_help_flag("--help,-h", "Print this help");
  add_options(app, command, raw);
  std::vector<OptionWords> all;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group() == kHidden || !option->nonpositional()) continue;
    OptionWords& words = all.emplace_back();
    for (const std::string& name : option->get_lnames()) words.names.push_back("--" + name);
    for (const std::string& name : option->get_snames()) words.names.push_back("-" + name);
    words.help = option->get_description();
    words.takes_value = option->get_items_expected_max() > 0;
  }
  return all;
}

std::variant<Invocation, ExitCode> parse_arguments(std::span<const Command> commands,
                                                   std::vector<std::string> words) {
  rewrite_short_forms(words);
  const Command* command = find_command(commands, words[0]);
  if (command == nullptr && !(words[0].starts_with('-') && words[0].size() > 1)) {
    return complain(words, {complaint_of_command(commands, words[0])});
  }
  if (command != nullptr && command->action == evaluate_expression) protect_expression(words);

  CLI::App app("Merges neural-network checkpoints by recipes in the Roux language.");
  Raw raw;
  declare(app, commands, raw);
  const CLI::App& level = command == nullptr ? app : *app.get_subcommand(command->name);
  try {
    app.parse(std::vector<std::string>(words.rbegin(), words.rend()));  // CLI11 takes them last first
  } catch (const CLI::ExtrasError&) {
    return complain(words, {complaint_of_extra(level, command)});
  } catch (const CLI::ParseError& problem) {
    if (problem.get_exit_code() != 0) return complain(words, {complaint_of_use(problem, command)});
    app.exit(problem);  // prints the help or the version
    return kDone;
  }
  Result<Arguments> arguments = understand(std::move(raw));
  if (!arguments) return complain(words, arguments.error());
  if (command != nullptr) arguments->command = command->name;
  return Invocation{command, *std::move(arguments)};
}

}  // namespace roux::cli
