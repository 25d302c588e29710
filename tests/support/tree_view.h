// The source tree as recipes and documents see it, without its outputs: a temporary folder of links
// to everything in its root, with `build` the build folder of these tests. What is saved under
// `out/` stays in here.
#pragma once

#include <filesystem>
#include <string>

#include "tests/support/paths.h"

namespace roux::testing {

class TreeView {
 public:
  TreeView() {
    namespace fs = std::filesystem;
    for (const fs::directory_entry& entry : fs::directory_iterator(source_dir())) {
      const std::string name = entry.path().filename().string();
      if (name == "out" || name.starts_with("build") || name.starts_with('.')) continue;
      fs::create_symlink(entry.path(), folder_ / name);
    }
    fs::create_symlink(binary_dir(), folder_ / "build");
  }

  const std::filesystem::path& path() const { return folder_.path(); }
  std::filesystem::path operator/(const std::string& name) const { return folder_ / name; }

 private:
  TemporaryFolder folder_;
};

}  // namespace roux::testing
