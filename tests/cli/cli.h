// A folder with two small checkpoints and a recipe, in which the command `roux` is driven as people drive it.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/files.h"
#include "tests/support/paths.h"
#include "tests/support/process.h"

namespace roux::testing {

inline constexpr char kMeanRecipe[] = R"(models = [load("a.safetensors"), load("b.safetensors")]
save(mean(models), "out.safetensors")
)";

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

class Cli : public ::testing::Test {
 protected:
  Cli() {
    write_file(
        folder_ / "a.safetensors",
        f32_safetensors({{"layer.bias", {2}, {1, 2}}, {"layer.weight", {2, 2}, {1, 2, 3, 4}}}));
    write_file(
        folder_ / "b.safetensors",
        f32_safetensors({{"layer.bias", {2}, {3, 6}}, {"layer.weight", {2, 2}, {0, 0, 0, 8}}}));
    write_file(folder_ / "mean.merge", kMeanRecipe);
  }

  ProcessResult roux(std::vector<std::string> arguments, ProcessOptions options = {}) {
    arguments.insert(arguments.begin(), command());
    options.directory = folder_.path();
    return run_process(arguments, options);
  }

  ProcessResult shell(const std::string& text) {
    ProcessOptions options;
    options.directory = folder_.path();
    options.environment = {"ROUX=" + command()};
    return run_process({"/bin/sh", "-c", text}, options);
  }

  // Names that begin with a dot: only temporaries would.
  std::vector<std::string> hidden_files() const {
    std::vector<std::string> names;
    for (const std::filesystem::directory_entry& entry : std::filesystem::directory_iterator(folder_.path())) {
      const std::string name = entry.path().filename().string();
      if (name.starts_with('.')) names.push_back(name);
    }
    return names;
  }

  static std::string command() { return (binary_dir() / "roux").string(); }

  TemporaryFolder folder_;
};

}  // namespace roux::testing
