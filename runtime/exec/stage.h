// Runs one stage of a plan over all its tensors. In: the numbers known when the stage begins; out:
// outputs written, and the numbers that the stage makes. Chooses the order of work: tiles of all
// tensors at once where nothing within a tensor has to wait; otherwise small tensors whole, one per
// thread, and large ones one after the other with their tiles in parallel. The order changes no
// result.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "runtime/exec/thread_pool.h"
#include "runtime/exec/tiles.h"
#include "runtime/library/selection.h"

namespace roux {

// Values that a selection within a tensor may hold in memory; more are counted in a further round.
inline constexpr std::uint64_t kTensorCollect = 1u << 16;
// Tensors below this are run whole by one thread where they have several phases.
inline constexpr std::uint64_t kSmallElements = 1u << 20;

class StageRunner {
 public:
  StageRunner(const RunContext& context, const StageProgram& program, std::uint32_t stage,
              ThreadPool& pool, std::vector<TileWorker>& workers);

  Status run();

 private:
  using SweepTiles = std::function<Status(Work& work)>;  // runs all tiles of a work once

  const PlannedTensor& tensor_at(std::uint32_t tensor) const {
    return context_.plan.tensors[tensor];
  }
  Status make_selections();
  void make_reductions();
  Work make_work(std::uint32_t tensor, std::uint32_t phase, bool first_round);

  Status sweep_flat(std::uint32_t phase, bool first_round);
  Status sweep_by_tensor();
  Status run_tensor(std::uint32_t tensor, int threads, const SweepTiles& sweep);
  Status repeat_for_selections();

  Result<std::vector<SelectionRun>> add_own_selections(Work& work, std::uint32_t phase, int threads);
  void set_selection(std::uint32_t id, std::uint32_t tensor, const SelectionRun& run);
  void finish(const Work& work);
  void set_recipe_reductions();
  void set_recipe_selections();
  void finish_slots();

  const RunContext& context_;
  const StageProgram& program_;
  std::uint32_t stage_;
  ThreadPool& pool_;
  std::vector<TileWorker>& workers_;

  std::vector<std::optional<SelectionRun>>
      selections_;                     // by selection: those of level `recipe` made here
  std::vector<std::uint64_t> starts_;  // by tensor: its first element's canonical position
  // By slot of level `recipe`: what each tensor contributes. Nothing: it has no part in it.
  std::unordered_map<SlotId, std::vector<std::optional<double>>> contributions_;
};

}  // namespace roux
