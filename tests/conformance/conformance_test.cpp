// A result does not depend on the backend, the vector width, optimisation, tiles, threads or
// memory: every recipe of this folder runs in each configuration, and the files that it makes and
// the lines that it prints are compared byte for byte with those of the reference backend, as are
// the values that it counts as not finite.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "tests/conformance/family.h"
#include "tests/support/recipes.h"

namespace roux::testing {
namespace {

namespace fs = std::filesystem;

struct Configuration {
  const char* name;
  Options options;
};

Options of(const char* backend, int threads, int width = 0, std::uint64_t tile = 0,
           bool optimize = true) {
  return {.threads = threads,
          .backend = backend,
          .sync = false,
          .vector_width = width,
          .optimize = optimize,
          .tile_elements = tile};
}

constexpr std::uint64_t kLittleMemory = 64 << 20;

Options in_little_memory() {
  Options options = of("llvm", 2);
  options.memory_bytes = kLittleMemory;
  return options;
}

// A tile of 131,072 elements holds every tensor whole; one of 4,096 cuts the larger ones.
const Configuration kConfigurations[] = {
    {"reference", of("reference", 2)},
    {"reference, unoptimised, small tiles, 7 threads", of("reference", 7, 0, 4096, false)},
    {"llvm", of("llvm", 2)},
    {"llvm, width 4, 1 thread", of("llvm", 1, 4)},
    {"llvm, width 8, 2 threads", of("llvm", 2, 8)},
    {"llvm, width 16, 7 threads", of("llvm", 7, 16)},
    {"llvm, unoptimised", of("llvm", 2, 8, 0, false)},
    {"llvm, tiles of 4,096, 7 threads", of("llvm", 7, 0, 4096)},
    {"llvm, tiles of 131,072, 1 thread", of("llvm", 1, 0, 131072)},
    {"llvm, as little memory as will do", in_little_memory()},
};

struct Outcome {
  std::map<std::string, std::string> files;  // name to bytes
  std::vector<std::string> printed, notes;
};

std::string where_they_differ(const std::string& expected, const std::string& got) {
  const std::string difference = plain::difference(plain::parse(expected), plain::parse(got));
  if (!difference.empty()) return difference;
  const auto at = std::mismatch(expected.begin(), expected.end(), got.begin(), got.end());
  return "byte " + std::to_string(at.first - expected.begin()) + " of " +
         std::to_string(expected.size());
}

bool wants_memory(const RecipeRun& run) {
  return !run.findings.empty() && run.findings[0].kind == DiagnosticKind::memory_budget;
}

class Conformance : public ::testing::TestWithParam<fs::path> {
 protected:
  Conformance() { write_family(folder_.path()); }

  RecipeRun run_with(const Options& options, const fs::path& out) {
    Result<Engine> engine = Engine::create(options);
    EXPECT_TRUE(engine);
    return run_recipe(*engine, GetParam().filename().string(), read_file(GetParam()),
                      {{"dir", folder_.path().string()}, {"out", out.string()}});
  }

  Outcome run(const Configuration& configuration) {
    const fs::path out = folder_ / "out";  // the same path each time: files record their parameters
    fs::create_directory(out);
    RecipeRun done = run_with(configuration.options, out);
    for (Options more = configuration.options;
         more.memory_bytes < 8 * kLittleMemory && wants_memory(done);) {
      more.memory_bytes *= 2;
      done = run_with(more, out);
    }
    EXPECT_EQ(done.error, "") << configuration.name;
    Outcome outcome{.files = {}, .printed = done.printed, .notes = done.notes};
    for (const fs::directory_entry& entry : fs::directory_iterator(out))
      outcome.files[entry.path().filename().string()] = read_file(entry.path());
    fs::remove_all(out);
    return outcome;
  }

 private:
  TemporaryFolder folder_;
};

TEST_P(Conformance, SameBytesEverywhere) {
  const Outcome expected = run(kConfigurations[0]);
  ASSERT_FALSE(expected.files.empty());
  for (const Configuration& configuration : std::span(kConfigurations).subspan(1)) {
    SCOPED_TRACE(configuration.name);
    const Outcome got = run(configuration);
    EXPECT_EQ(got.printed, expected.printed);
    EXPECT_EQ(got.notes, expected.notes);
    EXPECT_EQ(got.files.size(), expected.files.size());
    for (const auto& [name, bytes] : expected.files) {
      const auto other = got.files.find(name);
      ASSERT_NE(other, got.files.end()) << name;
      EXPECT_TRUE(other->second == bytes)
          << name << ": " << where_they_differ(bytes, other->second);
    }
    if (HasFailure()) break;  // one configuration says enough
  }
}

std::vector<fs::path> recipes() {
  std::vector<fs::path> paths;
  for (const fs::directory_entry& entry :
       fs::directory_iterator(source_dir() / "tests/conformance"))
    if (entry.path().extension() == ".merge") paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  return paths;
}

INSTANTIATE_TEST_SUITE_P(Recipes, Conformance, ::testing::ValuesIn(recipes()),
                         [](const auto& recipe) { return recipe.param.stem().string(); });

}  // namespace
}  // namespace roux::testing
