#include "cli/opened_recipe.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <utility>

#include "base/limits.h"
#include "base/text.h"

namespace roux::cli {
namespace {

Diagnostic unreadable(const std::string& path, int error_number) {
  if (error_number == EISDIR)
    return error(DiagnosticKind::bad_option, Span{}, quoted(path) + " is a folder, and a recipe is a file")
        .hint("`roux inspect " + path + "` tells what a checkpoint holds");
  const bool missing = error_number == ENOENT || error_number == ENOTDIR;
  return error(missing ? DiagnosticKind::no_such_file : DiagnosticKind::io, Span{},
               "cannot read the recipe " + quoted(path) + ": " + std::strerror(error_number));
}

// One byte over the limit is enough for the engine to say that the recipe is too long.
Result<std::string> read_all(std::FILE* file, const std::string& path) {
  std::string text(limits::kRecipeBytes + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file));
  if (std::ferror(file)) return unreadable(path, errno);
  return text;
}

}  // namespace

Result<std::string> read_recipe(const std::string& path) {
  if (path == "-") return read_all(stdin, "<stdin>");
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             std::fclose);
  if (file == nullptr) return unreadable(path, errno);
  return read_all(file.get(), path);
}

std::variant<OpenedRecipe, ExitCode> open_recipe(const Arguments& arguments, Terminal& terminal) {
  Result<std::string> text = read_recipe(arguments.subject);
  if (!text) return terminal.fail(text.error());
  Result<Engine> engine = Engine::create(arguments.options);
  if (!engine) return terminal.fail(engine.error());
  const std::string name = arguments.subject == "-" ? "<stdin>" : arguments.subject;
  terminal.document()["recipe"] = name;
  Result<Recipe> recipe = engine->compile(name, *std::move(text));
  if (!recipe) return terminal.fail(*engine, recipe.error());
  return OpenedRecipe{*std::move(engine), *std::move(recipe)};
}

Events events_for(Terminal& terminal, const Engine& engine, const InterruptScope& interrupts, bool verbose) {
  Events events;
  events.on_print = [&](const std::string& line) { terminal.print_line(line); };
  events.on_note = [&](const Diagnostic& diagnostic) { terminal.say(engine, {diagnostic}); };
  events.on_progress = [&](const RunProgress& progress) { terminal.progress(progress); };
  if (verbose) events.on_log = [&](const std::string& line) { terminal.note(printable(line) + '\n'); };
  events.cancel = &interrupts.cancelled();
  return events;
}

}  // namespace roux::cli
