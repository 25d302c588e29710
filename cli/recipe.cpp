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
  document["inputs"] = Json::array();
  for (const StoredInput& input : stored->inputs)
    document["inputs"].push_back({{"name", input.name}, {"xxh3-128", input.digest}});
  return terminal.finish();
}

}  // namespace

int show_recipe(const Arguments& arguments) {
  Terminal terminal(arguments);
  if (terminal.is_json()) return show_as_json(arguments, terminal);
  const Result<std::string> text = recipe_inside(arguments.subject);
  if (!text) return terminal.fail(text.error());
  terminal.print(*text);
  if (!text->ends_with('\n')) terminal.print("\n");
  return terminal.finish();
}

}  // namespace roux::cli
