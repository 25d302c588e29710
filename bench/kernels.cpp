// What kernels move: bytes in and out of one core's cache, no files.
#include <benchmark/benchmark.h>

#include <cstring>
#include <vector>

#include "runtime/backend/backend.h"
#include "runtime/exec/nonfinite.h"
#include "runtime/kernel/text.h"

namespace roux {
namespace {

constexpr std::uint64_t kTile = 1u << 16;

constexpr const char* kMean = R"(kernel f32
tables bf16
scalars 1
%0 = linear [table 0] * $0
store bf16 %0
)";

constexpr const char* kMagnitudes = R"(kernel f32
inputs bf16 bf16 bf16 bf16
scalars 2
%0 = input 0
%1 = input 1
%2 = linear [%0 * $0, %1 * $1]
%3 = abs %2
%4 = input 2
%5 = linear [%4 * $0, %1 * $1]
%6 = abs %5
%7 = input 3
%8 = linear [%7 * $0, %1 * $1]
%9 = abs %8
store f32 %3
store f32 %6
store f32 %9
)";

// The same as `ties` makes of three models and a base.
constexpr const char* kTies = R"(kernel f32
inputs bf16 bf16 bf16 bf16
scalars 9
%0 = input 0
%1 = input 1
%2 = linear [%1 * $0, %0 * $1]
%3 = abs %2
%4 = top %3, $2, $3
%5 = scalar 4
%6 = where %4, %2, %5
%7 = input 2
%8 = linear [%7 * $0, %0 * $1]
%9 = abs %8
%10 = top %9, $5, $6
%11 = where %10, %8, %5
%12 = input 3
%13 = linear [%12 * $0, %0 * $1]
%14 = abs %13
%15 = top %14, $7, $8
%16 = where %15, %13, %5
%17 = linear [%6 * $0, %11 * $0, %16 * $0] * $0
%18 = sign %17
%19 = sign %6
%20 = eq %18, %19
%21 = ne %5, %6
%22 = logical_and %20, %21
%23 = where %22, %6, %5
%24 = sign %11
%25 = eq %18, %24
%26 = ne %5, %11
%27 = logical_and %25, %26
%28 = where %27, %11, %5
%29 = sign %16
%30 = eq %18, %29
%31 = ne %5, %16
%32 = logical_and %30, %31
%33 = where %32, %16, %5
%34 = linear [%23 * $0, %28 * $0, %33 * $0] * $0
%35 = scalar 0
%36 = to_number %22
%37 = to_number %27
%38 = to_number %32
%39 = linear [%36 * $0, %37 * $0, %38 * $0] * $0
%40 = max %35, %39
%41 = div %34, %40
%42 = linear [%0 * $0, %41 * $0] * $0
store bf16 %42
)";

std::vector<std::uint16_t> small_numbers(std::uint64_t seed) {
  std::vector<std::uint16_t> values(kTile);
  for (std::uint64_t i = 0; i < kTile; ++i) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    const float value = (static_cast<float>(seed >> 40) / 8388608.0f - 1.0f) * 0.02f;
    std::uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    values[i] = static_cast<std::uint16_t>(bits >> 16);
  }
  return values;
}

void run_kernel(benchmark::State& state, const char* text) {
  const Kernel kernel = *parse_kernel(text);
  const auto backend = *make_backend("llvm", {});
  const auto code = *backend->compile(kernel);
  std::vector<std::vector<std::uint16_t>> data;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) data.push_back(small_numbers(seed));
  std::vector<const void*> inputs;
  std::vector<TableEntry> entries;
  for (std::size_t i = 0; i < kernel.inputs.size(); ++i) inputs.push_back(data[i].data());
  for (std::size_t i = 0; i < 3; ++i) entries.push_back({data[i].data(), 1});
  const Table table{entries.data(), entries.size()};
  std::vector<double> scalars(kernel.scalar_count, 1);
  if (scalars.size() == 1) scalars[0] = 1.0 / 3;
  if (scalars.size() > 1) scalars[1] = -1;
  for (std::size_t i = 2; i < scalars.size(); ++i) scalars[i] = i % 2 == 0 ? 0.01 : 1e9;
  if (scalars.size() > 4) scalars[4] = 0;
  std::vector<std::vector<float>> results(kernel.stores.size(), std::vector<float>(kTile));
  std::vector<void*> stores;
  for (auto& result : results) stores.push_back(result.data());
  KernelCall call;
  call.count = kTile;
  call.inputs = inputs.data();
  call.tables = &table;
  call.scalars = scalars.data();
  call.stores = stores.data();
  for (auto _ : state) code->run(call);
  std::uint64_t bytes = 0;
  for (DType dtype : kernel.inputs) bytes += kTile * static_cast<std::uint64_t>(bytes_of(dtype));
  if (!kernel.tables.empty()) bytes += kTile * 6;
  for (const Store& store : kernel.stores) bytes += kTile * static_cast<std::uint64_t>(bytes_of(store.dtype));
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes) * state.iterations());
}
BENCHMARK_CAPTURE(run_kernel, mean, kMean);
BENCHMARK_CAPTURE(run_kernel, magnitudes, kMagnitudes);
BENCHMARK_CAPTURE(run_kernel, ties, kTies);

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
