// Order statistics: one core, the values in memory.
#include "runtime/library/selection.h"

#include <benchmark/benchmark.h>

#include <cmath>
#include <vector>

namespace roux {
namespace {

// As differences of bf16 weights are: multiples of a small step, so that many are equal.
std::vector<float> magnitudes(std::uint64_t count, float step) {
  std::vector<float> values(count);
  std::uint64_t seed = 1;
  for (float& value : values) {
    float sum = 0;
    for (int i = 0; i < 4; ++i) {
      seed = seed * 6364136223846793005u + 1442695040888963407u;
      sum += static_cast<float>(seed >> 40) / 8388608.0f - 1.0f;
    }
    value = std::fabs(step > 0 ? std::round(sum / step) * step : sum);
  }
  return values;
}

// What a run may hold of so many values, so that a sample pays.
constexpr std::uint64_t kLimit = 1u << 20;

void sample(SelectionRun& run, const std::vector<float>& values) {
  constexpr std::uint64_t kInARow = 64;
  const std::uint64_t step = values.size() / (run.sample_size() / kInARow);
  run.begin_sample();
  for (std::uint64_t first = 0; first + kInARow <= values.size(); first += step)
    run.observe(0, first, values.data() + first, kInARow);
  run.advance();
}

void select(benchmark::State& state, float step, bool with_sample) {
  constexpr std::uint64_t kTile = 1u << 16;
  const auto count = static_cast<std::uint64_t>(state.range(0));
  const std::vector<float> values = magnitudes(count, step);
  std::int64_t rounds = 0;
  for (auto _ : state) {
    SelectionRun run(LaneType::f32, count / 5, count, 1, kLimit);
    if (with_sample) sample(run, values);
    for (; !run.done(); run.advance(), ++rounds)
      for (std::uint64_t first = 0; first < count; first += kTile)
        if (run.needs(first, kTile)) run.observe(0, first, values.data() + first, std::min(kTile, count - first));
    benchmark::DoNotOptimize(run.threshold());
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(count) * state.iterations());
  state.counters["rounds"] = static_cast<double>(rounds) / static_cast<double>(state.iterations());
}
BENCHMARK_CAPTURE(select, all_differ, 0.0f, false)->Arg(1 << 24)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(select, all_differ_sample, 0.0f, true)->Arg(1 << 24)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(select, many_equal, 0.02f, false)->Arg(1 << 24)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(select, many_equal_sample, 0.02f, true)->Arg(1 << 24)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace roux
