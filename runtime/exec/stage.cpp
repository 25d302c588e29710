#include "runtime/exec/stage.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <memory>
#include <mutex>
#include <set>

#include "base/text.h"

namespace roux {
namespace {

// An amount that the recipe computes from tensors is known only now. More than there are is all of them.
Result<std::uint64_t> checked_rank(double rank, std::uint64_t total, const std::string& over) {
  if (rank >= 0 && rank == std::floor(rank))
    return rank >= static_cast<double>(total) ? total : static_cast<std::uint64_t>(rank);
  return error(DiagnosticKind::out_of_range, {},
               "the amount of an order statistic over " + over + " is " + format_number(rank) +
                   "; expected a whole number, 0 or more")
      .hint("round it and keep it in range: `max(floor(...), 0)`");
}

// A tensor of a flat sweep: made by its first tile, finished by its last.
struct Pending {
  std::once_flag begun;
  std::atomic<std::uint64_t> tiles_left{0};
  std::unique_ptr<Work> work;
};

}  // namespace

StageRunner::StageRunner(const RunContext& context, const StageProgram& program,
                         std::uint32_t stage, ThreadPool& pool, std::vector<TileWorker>& workers)
    : context_(context),
      program_(program),
      stage_(stage),
      pool_(pool),
      workers_(workers),
      selections_(context.plan.selections.size()) {
  std::uint64_t start = 0;
  for (const PlannedTensor& tensor : context.plan.tensors) {
    starts_.push_back(start);
    start += tensor.element_count;
  }
}

Status StageRunner::run() {
  context_.slots.evaluate_recipe(stage_);
  for (std::uint32_t tensor = 0; tensor < starts_.size(); ++tensor)
    context_.slots.evaluate_tensor(tensor, stage_, 0);
  ROUX_DO(make_selections());
  make_reductions();
  ROUX_DO(program_.is_flat ? sweep_flat(0, true) : sweep_by_tensor());
  ROUX_DO(repeat_for_selections());
  set_recipe_reductions();
  set_recipe_selections();
  finish_slots();
  return ok();
}

Status StageRunner::make_selections() {
  for (std::uint32_t id = 0; id < selections_.size(); ++id) {
    const Selection& selection = context_.plan.selections[id];
    if (selection.scope != Level::recipe || selection.stage != stage_) continue;
    std::uint64_t total = 0;
    for (const PlannedTensor& tensor : context_.plan.tensors) {
      const PhaseProgram* phase = program_.phase_of(tensor, selection.phase);
      if (phase && std::binary_search(phase->selections.begin(), phase->selections.end(), id))
        total += tensor.element_count;
    }
    ROUX_TRY(const std::uint64_t rank, checked_rank(context_.slots.get(selection.rank), total, "the model"));
    selections_[id].emplace(selection.lane, rank, total, pool_.size(), context_.plan.collect_limit);
  }
  return ok();
}

void StageRunner::make_reductions() {
  for (const auto& phases : program_.classes)
    for (const PhaseProgram& phase : phases)
      for (SlotId slot : phase.reductions)
        if (context_.plan.slots[slot].level == Level::recipe)
          contributions_[slot].resize(context_.plan.tensors.size());
}

Work StageRunner::make_work(std::uint32_t tensor, std::uint32_t phase, bool first_round) {
  Work work;
  work.id = ++context_.counters.works;
  work.tensor = tensor;
  work.program = program_.phase_of(tensor_at(tensor), phase);
  work.first_round = first_round;
  work.block_count = (tensor_at(tensor).element_count + kBlock - 1) / kBlock;
  for (std::uint32_t id : work.program->selections)
    if (selections_[id]) work.feeds.push_back({id, &*selections_[id], starts_[tensor], false});
  return work;
}

// All tiles of all tensors in one loop, tensors in the files' order.
Status StageRunner::sweep_flat(std::uint32_t phase, bool first_round) {
  std::vector<std::uint32_t> tensors;
  std::vector<std::uint64_t> first_tiles;
  std::uint64_t tiles = 0;
  for (std::uint32_t tensor : context_.plan.order) {
    const PhaseProgram* program = program_.phase_of(tensor_at(tensor), phase);
    if (!program || tensor_at(tensor).element_count == 0) continue;
    if (!make_work(tensor, phase, first_round).needs_any()) continue;
    tensors.push_back(tensor);
    first_tiles.push_back(tiles);
    tiles += tile_count(context_.plan, tensor_at(tensor));
  }
  const auto pending = std::make_unique<Pending[]>(tensors.size());
  for (std::size_t i = 0; i < tensors.size(); ++i)
    pending[i].tiles_left = tile_count(context_.plan, tensor_at(tensors[i]));
  return pool_.parallel_for(tiles, [&](int thread, std::uint64_t index) -> Status {
    const auto after = std::upper_bound(first_tiles.begin(), first_tiles.end(), index);
    const std::size_t i = after - first_tiles.begin() - 1;
    Pending& tensor = pending[i];
    std::call_once(tensor.begun, [&] {
      auto work = std::make_unique<Work>(make_work(tensors[i], phase, first_round));
      work->make_partials();
      tensor.work = std::move(work);
    });
    ROUX_DO(workers_[thread].run(*tensor.work, index - first_tiles[i]));
    if (--tensor.tiles_left > 0) return ok();
    finish(*tensor.work);
    tensor.work.reset();
    return ok();
  });
}

Status StageRunner::sweep_by_tensor() {
  std::vector<std::uint32_t> small, large;
  for (std::uint32_t tensor : context_.plan.order)
    (tensor_at(tensor).element_count < kSmallElements ? small : large).push_back(tensor);
  const auto run_small = [&](int thread, std::uint64_t index) {
    const std::uint64_t tiles = tile_count(context_.plan, tensor_at(small[index]));
    return run_tensor(small[index], 1, [&, tiles](Work& work) -> Status {
      for (std::uint64_t tile = 0; tile < tiles; ++tile) ROUX_DO(workers_[thread].run(work, tile));
      return ok();
    });
  };
  ROUX_DO(pool_.parallel_for(small.size(), run_small));
  for (std::uint32_t tensor : large) {
    const std::uint64_t tiles = tile_count(context_.plan, tensor_at(tensor));
    ROUX_DO(run_tensor(tensor, pool_.size(), [&](Work& work) {
      return pool_.parallel_for(
          tiles, [&](int thread, std::uint64_t tile) { return workers_[thread].run(work, tile); });
    }));
  }
  return ok();
}

// All phases of one tensor. `threads`: how many at a time `sweep` runs its tiles on.
Status StageRunner::run_tensor(std::uint32_t tensor, int threads, const SweepTiles& sweep) {
  for (std::uint32_t phase = 0; phase < program_.phase_count; ++phase) {
    if (phase > 0) context_.slots.evaluate_tensor(tensor, stage_, phase);
    if (!program_.phase_of(tensor_at(tensor), phase)) continue;
    Work work = make_work(tensor, phase, true);
    work.make_partials();
    ROUX_TRY(std::vector<SelectionRun> own, add_own_selections(work, phase, threads));
    const auto is_open = [](const SelectionRun& run) { return !run.done(); };
    if (work.needs_any()) ROUX_DO(sweep(work));
    finish(work);
    for (SelectionRun& run : own) run.advance();
    // Selections of the whole recipe have had this tensor's values; they are not repeated here.
    std::erase_if(work.feeds,
                  [this](const Feed& feed) { return selections_[feed.selection].has_value(); });
    work.first_round = false;
    while (std::any_of(own.begin(), own.end(), is_open)) {
      work.id = ++context_.counters.works;
      ROUX_DO(sweep(work));
      for (SelectionRun& run : own) run.advance();
    }
    for (const Feed& feed : work.feeds) set_selection(feed.selection, tensor, *feed.run);
  }
  return ok();
}

Result<std::vector<SelectionRun>> StageRunner::add_own_selections(Work& work, std::uint32_t phase,
                                                                  int threads) {
  std::vector<SelectionRun> own;
  own.reserve(work.program->selections.size());  // feeds point into it
  const std::uint64_t total = tensor_at(work.tensor).element_count;
  for (std::uint32_t id : work.program->selections) {
    const Selection& selection = context_.plan.selections[id];
    if (selection.scope != Level::tensor) continue;
    ROUX_CHECK(selection.stage == stage_ && selection.phase == phase);
    ROUX_TRY(const std::uint64_t rank, checked_rank(context_.slots.get(selection.rank, work.tensor), total,
                                                    "tensor " + quoted(tensor_at(work.tensor).name)));
    own.emplace_back(selection.lane, rank, total, threads, kTensorCollect);
    work.feeds.push_back({id, &own.back(), 0, threads == 1});
  }
  return own;
}

// Round after round over the values of selections of the whole recipe, until they are known.
Status StageRunner::repeat_for_selections() {
  while (true) {
    std::set<std::uint32_t> phases;
    for (std::uint32_t id = 0; id < selections_.size(); ++id) {
      if (!selections_[id]) continue;
      selections_[id]->advance();
      if (!selections_[id]->done()) phases.insert(context_.plan.selections[id].phase);
    }
    if (phases.empty()) return ok();
    for (std::uint32_t phase : phases) ROUX_DO(sweep_flat(phase, false));
  }
}

// Combines the blocks of one tensor.
void StageRunner::finish(const Work& work) {
  if (work.block_count == 0) return;
  for (std::size_t i = 0; i < work.program->reductions.size(); ++i) {
    const SlotId id = work.program->reductions[i];
    const Slot& slot = context_.plan.slots[id];
    const double value =
        reduce_tree(slot.reduce, work.partials.data() + i * work.block_count, work.block_count);
    if (slot.level == Level::tensor) {
      context_.slots.set(id, work.tensor, value);
    } else {
      contributions_.at(id)[work.tensor] = value;
    }
  }
}

// Combines the tensors, in canonical order.
void StageRunner::set_recipe_reductions() {
  for (const auto& [id, values] : contributions_) {
    const ReduceOp op = context_.plan.slots[id].reduce;
    std::optional<double> total;
    for (const std::optional<double>& value : values)
      if (value) total = total ? reduce_combine(op, *total, *value) : *value;
    context_.slots.set(id, total.value_or(reduce_identity(op)));
  }
}

void StageRunner::set_recipe_selections() {
  for (std::uint32_t id = 0; id < selections_.size(); ++id)
    if (selections_[id])
      for (std::uint32_t tensor = 0; tensor < starts_.size(); ++tensor)
        set_selection(id, tensor, *selections_[id]);
}

// Sets the slots that ask for this selection's results. Positions of the whole recipe become
// indices.
void StageRunner::set_selection(std::uint32_t id, std::uint32_t tensor, const SelectionRun& run) {
  const bool is_within = context_.plan.selections[id].scope == Level::tensor;
  const auto start = static_cast<std::int64_t>(is_within ? 0 : starts_[tensor]);
  const auto last = static_cast<std::int64_t>(tensor_at(tensor).element_count) - 1;
  for (SlotId slot = 0; slot < context_.plan.slots.size(); ++slot) {
    const Slot& wanted = context_.plan.slots[slot];
    if (wanted.selection != id) continue;
    if (wanted.kind == Slot::Kind::cut) {
      const std::int64_t cut = std::clamp<std::int64_t>(run.cut() - start, -1, last);
      context_.slots.set(slot, tensor, static_cast<double>(cut));
    } else if (wanted.kind == Slot::Kind::threshold && wanted.level == Level::tensor) {
      context_.slots.set(slot, tensor, run.threshold());
    } else if (wanted.kind == Slot::Kind::threshold) {
      context_.slots.set(slot, run.threshold());
    }
  }
}

// Numbers of tensors that follow from the stage's last phase.
void StageRunner::finish_slots() {
  for (std::uint32_t phase = std::max(program_.phase_count, 1u);
       phase < context_.slots.phase_end(stage_); ++phase)
    for (std::uint32_t tensor = 0; tensor < starts_.size(); ++tensor)
      context_.slots.evaluate_tensor(tensor, stage_, phase);
}

}  // namespace roux
