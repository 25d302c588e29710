// Every hot loop once, on fixed data, for callgrind to count its instructions (tests/perf/measurements_test.cpp). What is
// done only the first time, above all compiling, is not counted. Kernels are compiled for one CPU whatever runs this.
#include <valgrind/callgrind.h>

#include <cstdio>
#include <cstdlib>

#include "bench/hot_kernels.h"
#include "bench/hot_selection.h"
#include "runtime/checkpoint/digest.h"
#include "runtime/exec/nonfinite.h"

namespace roux {
namespace {

template <class Loop>
void count(const char* name, const Loop& loop) {
  loop();
  CALLGRIND_START_INSTRUMENTATION;
  CALLGRIND_ZERO_STATS;
  loop();
  CALLGRIND_STOP_INSTRUMENTATION;
  CALLGRIND_DUMP_STATS_AT(name);
}

void count_all() {
  const auto backend = *make_backend("llvm", {.cpu = "x86-64-v3"});
  const std::pair<const char*, const char*> kernels[] = {
      {"mean", kMean}, {"magnitudes", kMagnitudes}, {"ties", kTies}, {"dots", kDots}, {"rounding", kRounding}};
  for (const auto& [name, text] : kernels) {
    const HotKernel kernel(*backend, text);
    count(name, [&] { kernel.run(); });
  }
  const std::vector<float> values = magnitudes(1u << 22, 0);
  count("selection", [&] { select_a_fifth(values, false); });
  count("selection_sampled", [&] { select_a_fifth(values, true); });
  count("digest", [&] {
    MemoryDigest digest;
    digest.add(values.data(), values.size() * sizeof(float));
    if (digest.hex().empty()) std::abort();  // so that it is made
  });
  const std::vector<std::uint16_t> numbers = small_numbers(1);
  count("nonfinite", [&] {
    if (count_nonfinite(DType::bf16, numbers.data(), numbers.size()) != 0) std::abort();
  });
}

}  // namespace
}  // namespace roux

int main() {
  roux::count_all();
  return 0;
}
