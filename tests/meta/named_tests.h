// The tests of this tree by the names under which documents speak of them: `Suite.Name`, and `folder/name` of a recipe.
#pragma once

#include <filesystem>
#include <regex>
#include <set>
#include <string>

#include "tests/support/files.h"
#include "tests/support/paths.h"

namespace roux::testing {

inline std::set<std::string> existing_tests() {
  std::set<std::string> names;
  const std::regex test(R"(TEST(?:_F|_P)?\((\w+),\s+(\w+)\))");
  for (const auto& entry : std::filesystem::recursive_directory_iterator(source_dir() / "tests")) {
    const std::filesystem::path& path = entry.path();
    const std::string folder = path.parent_path().filename().string();
    if (path.extension() == ".merge") names.insert(folder + "/" + path.stem().string());
    if (path.extension() != ".cpp") continue;
    const std::string text = read_file(path);
    for (std::sregex_iterator at(text.begin(), text.end(), test), end; at != end; ++at)
      names.insert((*at)[1].str() + "." + (*at)[2].str());
  }
  return names;
}

}  // namespace roux::testing
