// Order statistics: one core, the values in memory.
#include <benchmark/benchmark.h>

#include "bench/hot_selection.h"

namespace roux {
namespace {

void select(benchmark::State& state, float step, bool with_sample) {
  const std::vector<float> values = magnitudes(static_cast<std::uint64_t>(state.range(0)), step);
  std::int64_t rounds = 0;
  for (auto _ : state) rounds += select_a_fifth(values, with_sample);
  state.SetItemsProcessed(state.range(0) * state.iterations());
  state.counters["rounds"] = static_cast<double>(rounds) / static_cast<double>(state.iterations());
}
BENCHMARK_CAPTURE(select, all_differ, 0.0f, false)->Arg(1 << 24)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(select, all_differ_sample, 0.0f, true)->Arg(1 << 24)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(select, many_equal, 0.02f, false)->Arg(1 << 24)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(select, many_equal_sample, 0.02f, true)->Arg(1 << 24)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace roux
