// Repeats a check whenever one of the files it looked at changes: the recipe, what it imports, its inputs.
// Changes are found by looking at times and sizes, several times a second, which works on every file system.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/terminal.h"

namespace roux::cli {

// A check prints what it finds; it gives back what it looked at, files and folders, there or not.
using Check = std::function<std::vector<std::string>()>;

// `first`: the recipe. Until an interrupt; then the exit code.
int watch(Terminal& terminal, const std::string& first, const Check& check);

}  // namespace roux::cli
