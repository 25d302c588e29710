// One tensor in one stage: its phases in order, each a few passes, each pass in as many rounds as its
// selections need. In: the numbers known when the stage begins; out: outputs written, numbers of the tensor
// set, and what it brings to numbers of the whole model. Small tensors are run by one thread, tile after tile,
// large ones by all threads; that changes no result.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "runtime/exec/tiles.h"
#include "runtime/library/ordinals.h"
#include "runtime/library/selection.h"

namespace roux {

// Values that a selection within a tensor may hold in memory; more are counted in a further round.
inline constexpr std::uint64_t kTensorCollect = 1u << 16;

// A stage under way: what it makes over the whole model, fed by all its tensors.
struct StageState {
  const RunContext& context;
  const StageProgram& program;
  std::uint32_t stage;
  std::vector<std::optional<SelectionRun>> selections;  // by selection: those of level `recipe` made here
  std::vector<std::optional<OrdinalRun>> orderings;     // by ordering, likewise
  std::vector<std::uint64_t> starts;       // by tensor: its first element's canonical position
  std::vector<std::uint64_t> starts_once;  // the same where copies have the place of their originals
  // By slot of level `recipe`: what each tensor contributes. Nothing: it has no part in it.
  std::unordered_map<SlotId, std::vector<std::optional<double>>> contributions;

  const PlannedTensor& tensor(std::uint32_t tensor) const { return context.plan.tensors[tensor]; }
  // Whether a tensor's values count in a selection over the model, and where its first one stands there.
  bool counts(const Selection& selection, std::uint32_t id) const {
    return !selection.once || tensor(id).copy_of == kNone;
  }
  std::uint64_t start_of(const Selection& selection, std::uint32_t id) const {
    return selection.once ? starts_once[id] : starts[id];
  }
  Work make_work(std::uint32_t tensor, const PassProgram& pass, Round round);
  // Combines the blocks of one tensor.
  void finish(Work& work);
  // Sets the slots that ask for this selection's results. Positions of the whole recipe become indices.
  void set_selection(std::uint32_t id, std::uint32_t tensor, const SelectionRun& run);
};

// Runs `count` tasks, on one thread or on several at once.
using TileTask = std::function<Status(TileWorker&, std::uint64_t)>;
using TileLoop = std::function<Status(std::uint64_t count, const TileTask&)>;

class TensorRun {
 public:
  // `threads`: how many at a time `loop` runs its tasks on.
  TensorRun(StageState& stage, std::uint32_t tensor, int threads, const TileLoop& loop);

  // Phases before `phase_end`. Again: only what selections over the model still need.
  Status run(std::uint32_t phase_end, Round round);

 private:
  Status run_pass(const PassProgram& pass, Round round);
  Status run_rounds(Work& work, const std::function<Status()>& sweep);
  Status order_rows(Work& work);
  Status order_long_row(Work& work, std::uint64_t row, std::uint64_t parts);
  Result<std::vector<SelectionRun>> add_selections(Work& work);
  void add_orderings(Work& work, std::vector<OrdinalRun>& runs);
  void finish_orderings(Work& work, std::vector<OrdinalRun>& runs);

  StageState& stage_;
  const RunContext& context_;
  std::uint32_t tensor_;
  int threads_;
  const TileLoop& loop_;
  std::optional<FineNumbers> fine_;
};

}  // namespace roux
