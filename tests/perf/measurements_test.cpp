// bench/ is in order: its measurements run, and its hot loops take no more instructions than bench/instructions.txt says,
// give or take kTolerance. ROUX_UPDATE_BASELINE=1 writes that file anew.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include "tests/support/files.h"
#include "tests/support/paths.h"
#include "tests/support/process.h"
#include "tests/support/sanitizers.h"

namespace roux::testing {
namespace {

namespace fs = std::filesystem;

using Counts = std::map<std::string, double>;  // instructions by loop

constexpr double kTolerance = 0.03;

// Why instructions cannot be compared here; empty if they can.
std::string obstacle() {
#if !defined(__x86_64__)
  return "the baseline is of x86-64";
#elif defined(__clang__) || __GNUC__ != 12
  return "the baseline is of what GCC 12 makes";
#else
  if (kSanitized) return "the baseline is of code without sanitizers";
  if (std::string(ROUX_BUILD_TYPE) != "Release") return "the baseline is of a Release build";
  if (std::string(HOT_LOOPS).empty() || !is_installed("valgrind")) return "valgrind is not installed: scripts/setup";
  if (!__builtin_cpu_supports("avx2")) return "the baseline is of AVX2, which this CPU lacks";
  return "";
#endif
}

Counts counted(const fs::path& folder) {
  const ProcessResult result = run_process(
      {"valgrind", "--tool=callgrind", "--instr-atstart=no", "--callgrind-out-file=" + (folder / "out").string(), HOT_LOOPS},
      {.timeout = std::chrono::seconds(120)});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  Counts counts;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    std::ifstream file(entry.path());
    const std::string trigger = "desc: Trigger: Client Request: ", totals = "totals: ";
    std::string name;
    for (std::string line; std::getline(file, line);) {
      if (line.starts_with(trigger)) name = line.substr(trigger.size());
      if (line.starts_with(totals) && !name.empty()) counts[name] = std::stod(line.substr(totals.size()));
    }
  }
  return counts;
}

fs::path baseline_path() { return source_dir() / "bench/instructions.txt"; }

// Lines `NAME COUNT`, and comments.
Counts baseline() {
  std::istringstream text(read_file(baseline_path()));
  Counts counts;
  for (std::string line; std::getline(text, line);) {
    if (line.empty() || line.starts_with('#')) continue;
    std::istringstream words(line);
    std::string name;
    words >> name >> counts[name];
  }
  return counts;
}

std::string text_of(const Counts& counts) {
  std::string text =
      "# Instructions of each loop of hot_loops.cpp: GCC 12, a Release build, LLVM 19, AVX2, counted by callgrind.\n"
      "# Written by the tests with ROUX_UPDATE_BASELINE=1, compared by tests/perf.\n";
  for (const auto& [name, count] : counts) text += name + " " + std::to_string(static_cast<long long>(count)) + "\n";
  return text;
}

std::string table_of(const Counts& expected, const Counts& seen) {
  std::string table = "loop                         seen       expected    ratio\n";
  Counts all = expected;
  all.insert(seen.begin(), seen.end());
  for (const auto& [name, unused] : all) {
    const double now = seen.contains(name) ? seen.at(name) : 0, then = expected.contains(name) ? expected.at(name) : 0;
    char line[120];
    std::snprintf(line, sizeof line, "%-20s %12.0f   %12.0f   %6.3f%s\n", name.c_str(), now, then, now / then,
                  std::fabs(now / then - 1) <= kTolerance ? "" : "  <--");
    table += line;
  }
  return table;
}

TEST(Measurements, InstructionsOfHotLoopsAreThoseOfTheBaseline) {
  if (const std::string why = obstacle(); !why.empty()) GTEST_SKIP() << why;
  const TemporaryFolder folder;
  const Counts seen = counted(folder.path());
  ASSERT_FALSE(seen.empty());
  if (std::getenv("ROUX_UPDATE_BASELINE") != nullptr) return write_file(baseline_path(), text_of(seen));
  const Counts expected = baseline();
  const bool same = std::equal(seen.begin(), seen.end(), expected.begin(), expected.end(), [](const auto& a, const auto& b) {
    return a.first == b.first && std::fabs(a.second / b.second - 1) <= kTolerance;
  });
  EXPECT_TRUE(same) << table_of(expected, seen) << "\nIf that is as it should be: ROUX_UPDATE_BASELINE=1 ctest -R Measurements";
}

TEST(Measurements, EveryBenchmarkRuns) {
  const ProcessResult result = run_process({ROUX_BENCH_PROGRAM, "--benchmark_min_time=0.001"}, {.directory = source_dir()});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  for (const char* name : {"run_kernel/mean", "compile_kernel", "select/many_equal_sample", "text_to_machine_code"})
    EXPECT_NE(result.out.find(name), std::string::npos) << name << " in\n" << result.out;
  EXPECT_EQ(result.out.find("ERROR OCCURRED"), std::string::npos) << result.out;
}

}  // namespace
}  // namespace roux::testing
