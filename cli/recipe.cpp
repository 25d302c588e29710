// `roux recipe`: the recipe inside a checkpoint that Roux wrote, ready to be run again.
#include "cli/terminal.h"

namespace roux::cli {

int show_recipe(const Arguments& arguments) {
  Terminal terminal;
  const Result<std::string> text = recipe_inside(arguments.subject);
  if (!text) return terminal.fail(text.error());
  terminal.print(*text);
  if (!text->ends_with('\n')) terminal.print("\n");
  return terminal.finish();
}

}  // namespace roux::cli
