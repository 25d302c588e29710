// Runs one stage of a plan over all its tensors. In: the numbers known when the stage begins; out:
// outputs written, and the numbers that the stage makes. Chooses the order of work: tiles of all
// tensors at once where nothing within a tensor has to wait; otherwise small tensors whole, one per
// thread, and large ones one after the other with their tiles in parallel. The order changes no
// result.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "runtime/exec/tensor_run.h"
#include "runtime/exec/thread_pool.h"
#include "runtime/exec/tiles.h"

namespace roux {

// Tensors below this are run whole by one thread where they have several phases.
inline constexpr std::uint64_t kSmallElements = 1u << 20;

class StageRunner {
 public:
  StageRunner(const RunContext& context, std::uint32_t stage, ThreadPool& pool,
              std::vector<TileWorker>& workers);

  Status run();

 private:
  Status make_selections();
  void make_orderings();
  void make_reductions();

  Status sample_selections();
  Status sweep_flat(Round round, std::uint64_t every = 1);
  Status sweep_by_tensor(std::uint32_t phase_end, Round round);
  Status repeat_for_selections();

  void set_recipe_reductions();
  void set_recipe_selections();
  void set_recipe_orderings();
  void finish_slots();

  const RunContext& context_;
  const StageProgram& program_;
  StageState state_;
  ThreadPool& pool_;
  std::vector<TileWorker>& workers_;
};

}  // namespace roux
