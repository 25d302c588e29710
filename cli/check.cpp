// `roux check`: everything that the recipe and the headers of its inputs can tell, before a tensor
// is read; once, or whenever a file that it looked at changes.
#include <filesystem>

#include "cli/opened_recipe.h"
#include "cli/watch.h"

namespace roux::cli {
namespace {

namespace fs = std::filesystem;

std::string shown_name(const Arguments& arguments) { return arguments.subject == "-" ? "<stdin>" : arguments.subject; }

// The files that imports mean, noted in `seen`: one that is not there yet may come.
ReadImport noted(std::vector<std::string>& seen) {
  return [&seen](const std::string& path, const std::string& importer) {
    Result<ImportedText> read = import_from_files(path, importer);
    seen.push_back(read ? read->name : (fs::path(importer).parent_path() / path).lexically_normal().string());
    return read;
  };
}

ExitCode check_once(Arguments arguments, Terminal& terminal, std::vector<std::string>& seen) {
  arguments.options.read_import = noted(seen);
  auto opened = open_recipe(arguments, terminal);
  if (const ExitCode* code = std::get_if<ExitCode>(&opened)) return *code;
  auto& [engine, recipe] = std::get<OpenedRecipe>(opened);

  const Result<BoundRecipe> bound = engine.bind(recipe, {.settings = arguments.settings});
  for (const std::string& path : engine.paths_seen()) seen.push_back(path);
  if (!bound) return terminal.fail(engine, bound.error());
  terminal.say(engine, bound->notes());
  if (!terminal.is_json()) terminal.print_line(shown_name(arguments) + ": no errors");
  return kDone;
}

Diagnostic not_watchable(const std::string& what, const std::string& hint) {
  return error(DiagnosticKind::bad_option, Span{}, what + " cannot be watched").hint(hint);
}

}  // namespace

int check_recipe(const Arguments& arguments) {
  Terminal terminal(arguments);
  if (!arguments.watch) {
    std::vector<std::string> ignored;
    const ExitCode code = check_once(arguments, terminal, ignored);
    return code == kDone ? terminal.finish() : code;
  }
  if (arguments.subject == "-") return terminal.fail({not_watchable("standard input", "give the recipe as a file")});
  if (arguments.json) return terminal.fail({not_watchable("a JSON document", "leave out `--json` or `--watch`")});
  return watch(terminal, arguments.subject, [&] {
    std::vector<std::string> seen = {arguments.subject};
    check_once(arguments, terminal, seen);
    return seen;
  });
}

}  // namespace roux::cli
