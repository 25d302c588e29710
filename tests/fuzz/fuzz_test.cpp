// Each target of fuzzing with a fixed number of damaged copies of its valid inputs: the same ones in every run.
// ROUX_FUZZ_ROUNDS=N runs N of them, ROUX_FUZZ_SEED=S others. What goes wrong is kept as a file that libFuzzer's
// program takes, too.
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/fuzz/mutate.h"
#include "tests/fuzz/targets.h"
#include "tests/support/files.h"

namespace roux::testing::fuzz {
namespace {

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

class Fuzz : public ::testing::TestWithParam<Target> {
 protected:
  static void expect_kept(const std::string& bytes) {
    try {
      GetParam().run(bytes);
    } catch (const std::exception& broken) {
      const auto path = std::filesystem::temp_directory_path() / ("roux-fuzz." + std::string(GetParam().name));
      write_file(path, bytes);
      FAIL() << broken.what() << "\nThe input is in " << path.string();
    }
  }
};

TEST_P(Fuzz, ValidInputs) {
  for (const std::string& seed : GetParam().seeds()) ASSERT_NO_FATAL_FAILURE(expect_kept(seed));
}

TEST_P(Fuzz, DamagedInputs) {
  Mutator mutator(GetParam().seeds(), GetParam().words, from_environment("ROUX_FUZZ_SEED", 1));
  const std::uint64_t rounds = from_environment("ROUX_FUZZ_ROUNDS", static_cast<std::uint64_t>(GetParam().rounds));
  for (std::uint64_t round = 0; round < rounds && !HasFailure(); ++round)
    ASSERT_NO_FATAL_FAILURE(expect_kept(mutator.next()));
}

INSTANTIATE_TEST_SUITE_P(Targets, Fuzz, ::testing::ValuesIn(targets().begin(), targets().end()),
                         [](const auto& target) { return std::string(target.param.name); });

}  // namespace
}  // namespace roux::testing::fuzz
