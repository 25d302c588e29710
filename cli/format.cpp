// `roux fmt`: recipes in the one style they are written in. A file that cannot be read or has syntax errors stays
// as it is, and the others are formatted all the same; the gravest failure decides the exit code.
#include <algorithm>
#include <filesystem>
#include <system_error>

#include "base/text.h"
#include "cli/difference.h"
#include "cli/replace_file.h"
#include "cli/opened_recipe.h"

namespace roux::cli {
namespace {

namespace fs = std::filesystem;

// Folders stand for the recipes in and below them, without hidden ones.
Result<std::vector<std::string>> recipes_below(const std::string& folder) {
  std::vector<std::string> recipes;
  std::error_code failed;
  for (auto at = fs::recursive_directory_iterator(folder, failed); !failed && at != fs::end(at); at.increment(failed)) {
    const bool is_hidden = at->path().filename().string().starts_with('.');
    if (is_hidden && at->is_directory()) at.disable_recursion_pending();
    if (!is_hidden && at->is_regular_file() && at->path().extension() == ".merge")
      recipes.push_back(at->path().string());
  }
  if (failed)
    return error(DiagnosticKind::io, Span{}, "cannot read the folder " + quoted(folder) + ": " + failed.message());
  std::sort(recipes.begin(), recipes.end());
  return recipes;
}

class Formatting {
 public:
  Formatting(const Arguments& arguments, Engine engine)
      : arguments_(arguments), engine_(std::move(engine)), terminal_(arguments) {
    if (terminal_.is_json()) terminal_.document()["files"] = Json::array();
  }

  int run() {
    for (const std::string& subject : arguments_.subjects) {
      std::error_code ignored;  // what cannot be looked at is told when it is read
      if (subject == "-" || !fs::is_directory(subject, ignored)) {
        take(format(subject));
        continue;
      }
      const Result<std::vector<std::string>> recipes = recipes_below(subject);
      if (!recipes) {
        take(terminal_.report(recipes.error()));
        continue;
      }
      for (const std::string& path : *recipes) take(format(path));
    }
    take(terminal_.finish());
    return gravest_;
  }

 private:
  void take(ExitCode code) { gravest_ = std::max(gravest_, code); }

  ExitCode format(const std::string& path) {
    const std::string name = path == "-" ? "<stdin>" : path;
    const Result<std::string> text = read_recipe(path);
    if (!text) return terminal_.report(text.error());
    const Result<std::string> formatted = engine_.format(name, *text);
    if (!formatted) return terminal_.report(engine_, formatted.error());
    if (terminal_.is_json()) tell(name, *text, *formatted);
    if (arguments_.only_check || arguments_.diff) return compare(name, *text, *formatted);
    if (path == "-") {
      if (!terminal_.is_json()) terminal_.print(*formatted);
      return kDone;
    }
    if (*formatted == *text) return kDone;
    const Status replaced = replace_file(path, *formatted);
    if (!replaced) return terminal_.report(replaced.error());
    if (!terminal_.is_json()) terminal_.print_line("formatted " + path);
    return kDone;
  }

  void tell(const std::string& name, const std::string& text, const std::string& formatted) {
    Json file = {{"path", name}, {"changes", formatted != text}};
    if (arguments_.diff) file["diff"] = unified_diff(name, text, formatted);
    if (name == "<stdin>") file["text"] = formatted;
    terminal_.document()["files"].push_back(std::move(file));
  }

  ExitCode compare(const std::string& name, const std::string& text, const std::string& formatted) {
    if (formatted == text) return kDone;
    if (terminal_.is_json()) {
      terminal_.document()["ok"] = false;
      return kUserError;
    }
    if (arguments_.diff)
      terminal_.print(unified_diff(name, text, formatted));
    else
      terminal_.print_line("would change " + name);
    return kUserError;
  }

  const Arguments& arguments_;
  Engine engine_;
  Terminal terminal_;
  ExitCode gravest_ = kDone;
};

}  // namespace

int format_recipes(const Arguments& arguments) {
  Result<Engine> engine = Engine::create(arguments.options);
  if (!engine) return Terminal(arguments).fail(engine.error());
  return Formatting(arguments, *std::move(engine)).run();
}

}  // namespace roux::cli
