#include "cli/repl_commands.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "base/table.h"
#include "base/text.h"
#include "cli/opened_recipe.h"
#include "cli/report_lines.h"

namespace roux::cli {
namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kBlank);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

void fail(Repl& repl, const Diagnostics& errors) { repl.last = repl.terminal.fail(repl.engine, errors); }

void fail(Repl& repl, std::string message, std::string hint) {
  fail(repl, {error(DiagnosticKind::bad_option, {}, std::move(message)).hint(std::move(hint))});
}

void print_text(Repl& repl, const std::string& text) {
  if (!text.empty()) repl.terminal.print(text.ends_with('\n') ? text : text + '\n');
}

void print_result(Repl& repl, const Result<std::string>& text) {
  if (!text) return fail(repl, text.error());
  print_text(repl, *text);
}

// --- the commands -----------------------------------------------------------------------------------

void help(Repl& repl, const std::string& topic);

void type_of(Repl& repl, const std::string& text) { print_result(repl, repl.session.type_of(text)); }
void plan_of(Repl& repl, const std::string& text) { print_result(repl, repl.session.plan_of(text)); }
void formula_of(Repl& repl, const std::string& text) { print_result(repl, repl.session.formula_of(text)); }
void time_of(Repl& repl, const std::string& text) { enter(repl, "", text, true); }

void names(Repl& repl, const std::string&) {
  std::vector<std::vector<std::string>> rows;
  for (const NameInScope& name : repl.session.names()) rows.push_back({name.name, name.shown});
  for (const std::string& line : in_columns(rows)) repl.terminal.print_line(line);
}

constexpr const char* kOptions[] = {"memory", "threads"};  // that `:set` changes at once

// A value for a `param` does nothing until the `param` is entered.
std::string what_waits(const Repl& repl, const std::string& name) {
  const std::vector<NameInScope> names = repl.session.names();
  const bool is_bound =
      std::any_of(names.begin(), names.end(), [&](const NameInScope& bound) { return bound.name == name; });
  const std::string param = quoted("param " + name);
  if (is_bound) return quoted(name) + " keeps its value; a later " + param + " takes this one";
  const auto near = nearest(name, {std::begin(kOptions), std::end(kOptions)});
  return "this waits for a later " + param + (near ? "; the option is called " + quoted(*near) : "");
}

void set(Repl& repl, const std::string& text) {
  if (text.empty()) {
    for (const auto& [name, value] : repl.session.settings()) repl.terminal.print_line(name + " = " + value);
    return;
  }
  const std::size_t equals = text.find('=');
  const std::string name(trimmed(std::string_view(text).substr(0, equals)));
  if (equals == text.npos || name.empty())
    return fail(repl, "`:set` takes NAME=VALUE, not " + quoted(text), "for example `:set threads=4`");
  const Status done = repl.session.set(name, std::string(trimmed(std::string_view(text).substr(equals + 1))));
  if (!done) return fail(repl, done.error());
  if (std::find(std::begin(kOptions), std::end(kOptions), name) == std::end(kOptions))
    repl.terminal.note("note: " + what_waits(repl, name) + "\n");
}

void load(Repl& repl, const std::string& path) {
  const Result<std::string> text = read_recipe(path);
  if (!text) return fail(repl, text.error());
  enter(repl, path, *text);
}

void save_session(Repl& repl, const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "wx"), std::fclose);
  const std::string text = repl.session.recipe();
  if (!file || std::fwrite(text.data(), 1, text.size(), file.get()) != text.size() || std::fflush(file.get()) != 0)
    return fail(repl, {error(DiagnosticKind::io, {}, "cannot write " + quoted(path) + ": " + std::strerror(errno))});
  repl.terminal.print_line("wrote " + printable(path));
}

void quit(Repl& repl, const std::string&) { repl.leaves = true; }

// --- table ------------------------------------------------------------------------------------------

enum class Argument : unsigned char { none, maybe, needed };

struct ReplCommand {
  const char* name;
  const char* argument;  // as help calls it
  Argument takes;
  const char* summary;
  void (*action)(Repl&, const std::string&);
};

// In the order of help; of several that an abbreviation fits, the first is meant.
constexpr ReplCommand kCommands[] = {
    {"help", "[NAME]", Argument::maybe, "this list, or what a method or command does", help},
    {"type", "EXPRESSION", Argument::needed, "what kind of value it is; reads no tensor", type_of},
    {"formula", "EXPRESSION", Argument::needed, "what it is computed from, in full", formula_of},
    {"plan", "STATEMENT", Argument::needed, "what it would read, write and need", plan_of},
    {"time", "STATEMENT", Argument::needed, "carry it out and tell what it took", time_of},
    {"names", "", Argument::none, "what is bound", names},
    {"set", "[NAME=VALUE]", Argument::maybe, "`threads`, `memory`, or a value for a later `param NAME`", set},
    {"load", "FILE", Argument::needed, "carry out the statements of a recipe, here", load},
    {"save-session", "FILE", Argument::needed, "write the entries that succeeded as a recipe", save_session},
    {"quit", "", Argument::none, "leave; so does Ctrl-D", quit},
};

const ReplCommand* find_command(std::string_view name) {
  for (const ReplCommand& command : kCommands)
    if (name == command.name) return &command;
  for (const ReplCommand& command : kCommands)
    if (!name.empty() && std::string_view(command.name).starts_with(name)) return &command;
  return nullptr;
}

std::string usage_of(const ReplCommand& command) {
  return ":" + std::string(command.name) + (*command.argument ? " " : "") + command.argument;
}

void print_method(Repl& repl, const MethodDocument& method) {
  repl.terminal.print_line(method.signature);
  if (!method.documentation.empty()) print_text(repl, "\n" + method.documentation);
  std::vector<std::vector<std::string>> rows;
  for (const DocumentedParameter& parameter : method.parameters)
    if (!parameter.documentation.empty()) rows.push_back({"  " + parameter.name, parameter.documentation});
  if (!rows.empty()) repl.terminal.print_line("");
  for (const std::string& line : in_columns(rows)) repl.terminal.print_line(line);
  repl.terminal.print_line("");
  for (const std::string& reference : method.references) repl.terminal.print_line(reference);
  repl.terminal.print_line(method.file);
}

void help(Repl& repl, const std::string& topic) {
  if (topic.empty()) {
    std::vector<std::vector<std::string>> rows;
    for (const ReplCommand& command : kCommands) rows.push_back({usage_of(command), command.summary});
    for (const std::string& line : in_columns(rows)) repl.terminal.print_line(line);
    repl.terminal.print_line("\nEverything else is a statement of the language. Names may be bound again; `_` is the last "
                             "value.\nTAB completes names, parameters, files and tensors.");
    return;
  }
  if (topic.front() == ':') {
    const ReplCommand* command = find_command(std::string_view(topic).substr(1));
    if (command) return repl.terminal.print_line(usage_of(*command) + "\n\n" + command->summary);
  }
  if (const auto method = repl.session.documentation(topic)) return print_method(repl, *method);
  std::vector<std::string> known;
  for (const NameInScope& name : repl.session.names()) {
    if (name.name == topic) return repl.terminal.print_line(name.name + ": " + name.type + "\n\n" + name.shown);
    known.push_back(name.name);
  }
  if (const auto methods = repl.engine.methods())
    for (const MethodDocument& method : *methods) known.push_back(method.name);
  const auto near = nearest(topic, known);
  fail(repl, "there is no method or name " + quoted(topic),
       near ? "nearest is " + quoted(*near) : "`:help` lists the commands, TAB the names");
}

}  // namespace

void enter(Repl& repl, const std::string& name, const std::string& text, bool report) {
  const InterruptScope interrupts(InterruptScope::Second::is_ignored);
  const Events events = events_for(repl.terminal, repl.engine, interrupts, repl.verbose);
  const Result<Outcome> outcome =
      name.empty() ? repl.session.enter(text, events) : repl.session.enter(name, text, events);
  if (interrupts.ends_process()) repl.leaves = true;
  if (!outcome) return fail(repl, outcome.error());
  for (const std::string& line : outcome->shown) repl.terminal.print_line(line);
  for (const SavedOutput& output : outcome->report.outputs) repl.terminal.print_line(output_line(output));
  if (report) repl.terminal.print_line(summary_line(outcome->report));
}

bool is_command(std::string_view line) { return trimmed(line).starts_with(':'); }

void run_command(Repl& repl, std::string_view line) {
  line = trimmed(line).substr(1);
  const std::size_t space = std::min(line.find_first_of(" \t\n"), line.size());
  const std::string name(line.substr(0, space)), argument(trimmed(line.substr(space)));
  const ReplCommand* command = find_command(name);
  if (!command) {
    std::vector<std::string> known;
    for (const ReplCommand& candidate : kCommands) known.emplace_back(candidate.name);
    const auto near = nearest(name, known);
    return fail(repl, "unknown command " + quoted(":" + name),
                near ? "nearest is " + quoted(":" + *near) : "`:help` lists the commands");
  }
  if (command->takes == Argument::needed && argument.empty())
    return fail(repl, quoted(":" + std::string(command->name)) + " needs " + command->argument,
                "write " + quoted(usage_of(*command)));
  if (command->takes == Argument::none && !argument.empty())
    return fail(repl, quoted(":" + std::string(command->name)) + " takes nothing, got " + quoted(argument),
                "write " + quoted(usage_of(*command)));
  command->action(repl, argument);
}

Completion complete_command(const Session& session, const std::string& line) {
  const std::size_t colon = line.find(':') + 1;
  const std::size_t space = line.find(' ', colon);
  if (space == std::string::npos) {
    Completion completion{.begin = colon, .candidates = {}};
    for (const ReplCommand& command : kCommands)
      if (std::string_view(command.name).starts_with(line.substr(colon)))
        completion.candidates.push_back({command.name + std::string(*command.argument ? " " : ""), command.name});
    return completion;
  }
  const ReplCommand* command = find_command(line.substr(colon, space - colon));
  const std::size_t begin = space + 1;
  std::string argument = line.substr(begin);
  if (!command || command->takes == Argument::none) return {line.size(), {}};
  if (command->action == set) {
    Completion completion{.begin = begin, .candidates = {}};
    for (const auto& [name, value] : session.settings())
      if (name.starts_with(argument)) completion.candidates.push_back({name + "=", name});
    return completion;
  }
  if (command->action == load || command->action == save_session)
    return {begin, complete_path(argument, ".merge")};
  Completion completion = session.complete(argument, argument.size());
  completion.begin += begin;
  if (command->action == help)
    for (Candidate& candidate : completion.candidates) candidate.text = candidate.label;
  return completion;
}

}  // namespace roux::cli
