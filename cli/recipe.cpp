// `roux recipe`: the recipe inside a checkpoint that Roux wrote, ready to be run again.
#include "cli/terminal.h"

namespace roux::cli {
namespace {

int show_as_json(const Arguments& arguments, Terminal& terminal) {
  const Result<StoredRecipe> stored = stored_recipe(arguments.subject);
  if (!stored) return terminal.fail(stored.error());
  Json& document = terminal.document();
  document["path"] = arguments.subject;
  document["version"] = stored->version;
  document["text"] = stored->text;
  document["parameters"] = stored->parameters;
  document["imports"] = stored->imports;
  document["inputs"] = Json::array();
  for (const StoredInput& input : stored->inputs)
    document["inputs"].push_back({{"name", input.name}, {"xxh3-128", input.digest}, {"whole", input.whole}});
  return terminal.finish();
}

}  // namespace

int show_recipe(const Arguments& arguments) {
  Terminal terminal(arguments);
  if (!arguments.into.empty()) {
    const Result<std::vector<std::string>> written = extract_recipe(arguments.subject, arguments.into);
    if (!written) return terminal.fail(written.error());
    if (terminal.is_json()) terminal.document()["written"] = *written;
    for (const std::string& path : *written)
      if (!terminal.is_json()) terminal.print_line("wrote " + printable(path));
    return terminal.finish();
  }
  if (terminal.is_json()) return show_as_json(arguments, terminal);
  const Result<std::string> text = recipe_inside(arguments.subject);
  if (!text) return terminal.fail(text.error());
  terminal.print(*text);
  return terminal.finish();
}

}  // namespace roux::cli
