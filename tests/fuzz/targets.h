// What is fuzzed: functions that take any bytes and throw `Broken` where Roux does not keep what it promises. The tests
// (fuzz_test.cpp) call them with damaged copies of valid inputs, libFuzzer (libfuzzer.cpp) with what it finds.
#pragma once

#include <filesystem>
#include <ostream>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace roux::testing::fuzz {

// What was promised, and what makes it go wrong again.
struct Broken : std::runtime_error {
  using std::runtime_error::runtime_error;
};

inline void promise(bool kept, const std::string& otherwise) {
  if (!kept) throw Broken(otherwise);
}

// Where files cost no disk: one that is written over is flushed, 4 ms each.
inline std::filesystem::path quick_folder() {
  const std::filesystem::path memory = "/dev/shm";
  return std::filesystem::exists(memory) ? memory : std::filesystem::temp_directory_path();
}

struct Target {
  std::string_view name;
  void (*run)(std::string_view bytes);
  std::vector<std::string> (*seeds)();   // valid inputs
  std::vector<std::string_view> words;   // what inputs are made of
  int rounds;                            // in the tests
};

std::span<const Target> targets();
// What the test framework calls one by.
inline void PrintTo(const Target& target, std::ostream* out) { *out << target.name; }

// One each; the form of their bytes stands in their files.
void read_checkpoint_file(std::string_view bytes);
void read_checkpoint_folder(std::string_view bytes);
void read_recipe(std::string_view bytes);
void read_kernel(std::string_view bytes);
void run_graph(std::string_view bytes);

std::vector<std::string> checkpoint_file_seeds();
std::vector<std::string> checkpoint_folder_seeds();
std::vector<std::string> recipe_seeds();
std::vector<std::string> kernel_seeds();
std::vector<std::string> graph_seeds();

}  // namespace roux::testing::fuzz
