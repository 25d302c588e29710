// From text to machine code, and what there is to do before that.
#include <benchmark/benchmark.h>

#include "api/roux.h"

namespace roux {
namespace {

void make_engine(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(*Engine::create({.threads = 1}));
}
BENCHMARK(make_engine)->Unit(benchmark::kMillisecond);

void evaluate_a_number(benchmark::State& state) {
  for (auto _ : state) {
    Engine engine = *Engine::create({.threads = 1});
    benchmark::DoNotOptimize(*engine.evaluate("1 + 1", {}));
  }
}
BENCHMARK(evaluate_a_number)->Unit(benchmark::kMillisecond);

// Three tiny models and a base, in the files of examples/: what is left is compiling. Run in the root of the tree.
void text_to_machine_code(benchmark::State& state) {
  constexpr const char* kRecipe =
      "base = load(\"examples/checkpoints/base\")\n"
      "models = [load(\"examples/checkpoints/ft-${i}\", base = base) for i in 0..3]\n"
      "print(norm(ties(models, base = base, k = 0.2), over = model))\n";
  for (auto _ : state) {
    Engine engine = *Engine::create({.threads = 1});
    const auto recipe = engine.compile("ties.merge", kRecipe);
    const auto report = recipe ? engine.run(*recipe, Arguments{}, Events{}) : Result<Report>(recipe.error());
    if (!report) return state.SkipWithError(engine.render(report.error()).c_str());
    state.counters["kernels"] = static_cast<double>(report->kernels_compiled);
  }
}
BENCHMARK(text_to_machine_code)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace roux
