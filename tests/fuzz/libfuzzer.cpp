// One target as a program of libFuzzer: ROUX_FUZZ_TARGET names it. What is broken is printed, and ends the run.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

#include "tests/fuzz/targets.h"

namespace {

const roux::testing::fuzz::Target& target() {
  for (const auto& row : roux::testing::fuzz::targets())
    if (row.name == ROUX_FUZZ_TARGET) return row;
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  GTEST_FLAG_SET(throw_on_failure, true);  // what helpers of the tests find counts as well
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto& chosen = target();
  try {
    chosen.run({reinterpret_cast<const char*>(data), size});
  } catch (const std::exception& broken) {
    std::fprintf(stderr, "%s\n", broken.what());
    std::abort();
  }
  return 0;
}
