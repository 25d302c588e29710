// Each target of fuzzing with a fixed number of damaged copies of its valid inputs: the same ones in every run.
// ROUX_FUZZ_ROUNDS=N runs N of them, ROUX_FUZZ_SEED=S others. The input of what goes wrong, crashes included, is kept as
// a file that libFuzzer's program takes, too.
#include <gtest/gtest.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

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

// What is being tried, for whoever ends the process.
std::string tried, kept_at;

// Calls only what a signal handler may.
void keep() {
  const int file = open(kept_at.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  [[maybe_unused]] const ssize_t written = write(file, tried.data(), tried.size());
  close(file);
}

void keep_and_end(int signal) {
  keep();
  constexpr std::string_view kTold = "fuzz: crashed; the input is kept in roux-fuzz.TARGET in the temporary folder\n";
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, kTold.data(), kTold.size());
  ::signal(signal, SIG_DFL);
  raise(signal);
}

class Fuzz : public ::testing::TestWithParam<Target> {
 protected:
  Fuzz() {
    kept_at = (std::filesystem::temp_directory_path() / ("roux-fuzz." + std::string(GetParam().name))).string();
    for (const int signal : kSignals) ::signal(signal, keep_and_end);
  }
  ~Fuzz() override {
    for (const int signal : kSignals) ::signal(signal, SIG_DFL);
  }

  static void expect_sound(std::string bytes) {
    tried = std::move(bytes);
    try {
      GetParam().run(tried);
    } catch (const std::exception& broken) {
      keep();
      FAIL() << broken.what() << "\nThe input is in " << kept_at;
    }
  }

 private:
  static constexpr int kSignals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
};

TEST_P(Fuzz, ValidInputs) {
  for (const std::string& seed : GetParam().seeds()) ASSERT_NO_FATAL_FAILURE(expect_sound(seed));
}

TEST_P(Fuzz, DamagedInputs) {
  Mutator mutator(GetParam().seeds(), GetParam().words, from_environment("ROUX_FUZZ_SEED", 1));
  const std::uint64_t rounds = from_environment("ROUX_FUZZ_ROUNDS", static_cast<std::uint64_t>(GetParam().rounds));
  for (std::uint64_t round = 0; round < rounds && !HasFailure(); ++round)
    ASSERT_NO_FATAL_FAILURE(expect_sound(mutator.next()));
}

INSTANTIATE_TEST_SUITE_P(Targets, Fuzz, ::testing::ValuesIn(targets().begin(), targets().end()),
                         [](const auto& target) { return std::string(target.param.name); });

}  // namespace
}  // namespace roux::testing::fuzz
