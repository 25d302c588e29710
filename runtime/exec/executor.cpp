#include "runtime/exec/executor.h"

#include <chrono>
#include <new>
#include <utility>

#include "base/float_environment.h"
#include "runtime/exec/carried.h"
#include "runtime/exec/nonfinite.h"
#include "runtime/exec/program.h"
#include "runtime/exec/slots.h"
#include "runtime/exec/stage.h"
#include "runtime/exec/thread_pool.h"
#include "runtime/exec/tiles.h"
#include "runtime/kernel/text.h"

namespace roux {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kProgressSeconds = 0.1;

// Tells the host how far the run is, at most ten times a second.
class ProgressMeter {
 public:
  ProgressMeter(const Plan& plan, const Counters& counters, const ExecuteOptions& options)
      : bytes_total_(plan.bytes_read + plan.bytes_written),
        counters_(counters),
        options_(options) {}

  double seconds() const { return std::chrono::duration<double>(Clock::now() - begin_).count(); }

  void tick() {
    if (!options_.on_progress || seconds() - told_ < kProgressSeconds) return;
    told_ = seconds();
    tell();
  }
  void tell() const {
    if (!options_.on_progress) return;
    const std::uint64_t done = counters_.bytes_read + counters_.bytes_written;
    options_.on_progress({done, bytes_total_, seconds()});
  }

 private:
  std::uint64_t bytes_total_;
  const Counters& counters_;
  const ExecuteOptions& options_;
  Clock::time_point begin_ = Clock::now();
  double told_ = 0;
};

Result<ExecuteResult> run_plan(const Plan& plan, std::span<const Checkpoint::Ptr> sources,
                               std::span<CheckpointWriter* const> outputs, KernelCache& kernels,
                               const ExecuteOptions& options) {
  ROUX_CHECK(sources.size() == plan.sources.size() && outputs.size() == plan.outputs.size());
  ROUX_CHECK(plan.tile_elements > 0 && plan.tile_elements % kBlock == 0);
  const DefaultFloatEnvironment floats;
  Counters counters;
  ProgressMeter meter(plan, counters, options);
  ROUX_TRY(const Program program, make_program(plan, kernels));
  SlotTable slots(plan);
  NonfiniteTable nonfinite;
  const RunContext context{plan, program, sources, outputs, slots, kernels, counters, nonfinite};
  ThreadPool pool(
      plan.threads, [&meter] { meter.tick(); }, options.cancel);
  std::vector<TileWorker> workers;
  for (int thread = 0; thread < pool.size(); ++thread) workers.emplace_back(context, thread);

  ExecuteResult result;
  ROUX_TRY(result.largest_taken, compare_carried(context, pool));
  const auto stage_count = static_cast<std::uint32_t>(plan.stages.size());
  for (std::uint32_t stage = 0; stage < stage_count; ++stage)
    ROUX_DO(StageRunner(context, stage, pool, workers).run());
  for (std::uint32_t stage = stage_count; stage < slots.stage_end(); ++stage)
    slots.evaluate_recipe(stage);
  ROUX_DO(copy_carried(context, pool));
  count_kept_as_read(context);

  for (const NonfiniteCount& found : nonfinite.counts())
    result.nonfinite.push_back({found.output, plan.tensors[found.tensor].name,
                                plan.outputs[found.output].dtypes[found.tensor], found.values, found.overflows});
  for (SlotId number : plan.numbers) result.numbers.push_back(slots.get(number));
  result.bytes_read = counters.bytes_read;
  result.bytes_written = counters.bytes_written;
  result.launches = counters.launches;
  result.seconds = meter.seconds();
  meter.tell();
  return result;
}

}  // namespace

Result<const CompiledKernel*> KernelCache::get(const Kernel& kernel) {
  const std::lock_guard lock(mutex_);
  std::string text = to_text(kernel);
  if (const auto found = kernels_.find(text); found != kernels_.end()) return found->second.get();
  ROUX_TRY(std::unique_ptr<CompiledKernel> compiled, backend_->compile(kernel));
  return kernels_.emplace(std::move(text), std::move(compiled)).first->second.get();
}

std::uint64_t KernelCache::compiled_count() const {
  const std::lock_guard lock(mutex_);
  return kernels_.size();
}

Result<ExecuteResult> execute(const Plan& plan, std::span<const Checkpoint::Ptr> sources,
                              std::span<CheckpointWriter* const> outputs, KernelCache& kernels,
                              const ExecuteOptions& options) {
  try {
    return run_plan(plan, sources, outputs, kernels, options);
  } catch (const std::bad_alloc&) {
    return out_of_memory();
  }
}

}  // namespace roux
