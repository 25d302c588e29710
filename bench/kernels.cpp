// What kernels move: bytes in and out of one core's cache, no files.
#include <benchmark/benchmark.h>

#include "bench/hot_kernels.h"
#include "runtime/exec/nonfinite.h"

namespace roux {
namespace {

void run_kernel(benchmark::State& state, const char* text) {
  const auto backend = *make_backend("llvm", {});
  const HotKernel kernel(*backend, text);
  for (auto _ : state) kernel.run();
  state.SetBytesProcessed(static_cast<std::int64_t>(kernel.bytes_moved()) * state.iterations());
}
BENCHMARK_CAPTURE(run_kernel, mean, kMean);
BENCHMARK_CAPTURE(run_kernel, magnitudes, kMagnitudes);
BENCHMARK_CAPTURE(run_kernel, ties, kTies);
BENCHMARK_CAPTURE(run_kernel, dots, kDots);
BENCHMARK_CAPTURE(run_kernel, rounding, kRounding);

void compile_kernel(benchmark::State& state) {
  const Kernel kernel = *parse_kernel(kTies);
  const auto backend = *make_backend("llvm", {});
  for (auto _ : state) benchmark::DoNotOptimize(*backend->compile(kernel));
}
BENCHMARK(compile_kernel)->Unit(benchmark::kMillisecond);

void look_for_nonfinite(benchmark::State& state) {
  const std::vector<std::uint16_t> values = small_numbers(1);
  for (auto _ : state) benchmark::DoNotOptimize(count_nonfinite(DType::bf16, values.data(), kTile));
  state.SetBytesProcessed(static_cast<std::int64_t>(kTile * 2) * state.iterations());
}
BENCHMARK(look_for_nonfinite);

}  // namespace
}  // namespace roux
