#include "runtime/exec/stage.h"

#include <algorithm>
#include <atomic>
#include <memory>

#include "base/text.h"

namespace roux {
namespace {

// A tensor of a flat sweep: made by its first tile, finished by its last.
struct Pending {
  std::atomic<std::uint64_t> tiles_left{0};
  std::unique_ptr<Work> work;

  // Runs `make` once; others that come wait for it. What it throws, its caller gets, and the next one tries again.
  // (std::call_once enters the kernel each time, which counts where there are very many small tensors.)
  template <class Make>
  void begin(const Make& make) {
    for (State seen = state_.load(); seen != State::begun; seen = state_.load()) {
      if (seen == State::begins) {
        state_.wait(seen);
      } else if (state_.compare_exchange_strong(seen, State::begins)) {
        Attempt attempt{state_};
        make();
        attempt.reached = State::begun;
      }
    }
  }

 private:
  enum class State : unsigned char { untouched, begins, begun };
  struct Attempt {
    std::atomic<State>& state;
    State reached = State::untouched;
    ~Attempt() {
      state = reached;
      state.notify_all();
    }
  };
  std::atomic<State> state_{State::untouched};
};

}  // namespace

StageRunner::StageRunner(const RunContext& context, std::uint32_t stage, ThreadPool& pool,
                         std::vector<TileWorker>& workers)
    : context_(context),
      program_(context.program.stages[stage]),
      state_{context, program_, stage, {}, {}, {}, {}, {}},
      pool_(pool),
      workers_(workers) {
  state_.selections.resize(context.plan.selections.size());
  state_.orderings.resize(context.plan.orderings.size());
  std::uint64_t start = 0, start_once = 0;
  for (const PlannedTensor& tensor : context.plan.tensors) {
    state_.starts.push_back(start);
    state_.starts_once.push_back(start_once);
    start += tensor.element_count;
    if (tensor.copy_of == kNone) start_once += tensor.element_count;
  }
  for (std::size_t t = 0; t < state_.starts_once.size(); ++t)
    if (const std::uint32_t original = context.plan.tensors[t].copy_of; original != kNone)
      state_.starts_once[t] = state_.starts_once[original];
}

Status StageRunner::run() {
  context_.slots.evaluate_recipe(state_.stage);
  for (std::uint32_t tensor = 0; tensor < state_.starts.size(); ++tensor)
    context_.slots.evaluate_tensor(tensor, state_.stage, 0);
  ROUX_DO(make_selections());
  make_orderings();
  make_reductions();
  if (program_.is_flat) ROUX_DO(sample_selections());
  ROUX_DO(program_.is_flat ? sweep_flat(Round::first)
                           : sweep_by_tensor(program_.phase_count, Round::first));
  ROUX_DO(repeat_for_selections());
  set_recipe_reductions();
  set_recipe_selections();
  set_recipe_orderings();
  finish_slots();
  return ok();
}

Status StageRunner::make_selections() {
  for (std::uint32_t id = 0; id < state_.selections.size(); ++id) {
    const Selection& selection = context_.plan.selections[id];
    if (selection.scope != Level::recipe || selection.stage != state_.stage) continue;
    std::uint64_t total = 0;
    for (std::uint32_t t = 0; t < state_.starts.size(); ++t) {
      const PlannedTensor& tensor = context_.plan.tensors[t];
      const PhaseProgram* phase = program_.phase_of(tensor, selection.phase);
      const auto feeds = [&](const PassProgram& pass) {
        return std::binary_search(pass.selections.begin(), pass.selections.end(), id);
      };
      if (phase && state_.counts(selection, t) && std::any_of(phase->passes.begin(), phase->passes.end(), feeds))
        total += tensor.element_count;
    }
    ROUX_TRY(const std::uint64_t rank, checked_rank(context_.slots.get(selection.rank), total, "the model"));
    state_.selections[id].emplace(selection.lane, rank, total, pool_.size(), context_.plan.collect_limit);
  }
  return ok();
}

void StageRunner::make_orderings() {
  std::uint64_t total = 0;
  for (const PlannedTensor& tensor : context_.plan.tensors) total += tensor.element_count;
  for (std::uint32_t id = 0; id < state_.orderings.size(); ++id) {
    const Ordering& ordering = context_.plan.orderings[id];
    if (ordering.scope == Level::recipe && ordering.stage == state_.stage)
      state_.orderings[id].emplace(ordering.lane, total);
  }
}

void StageRunner::make_reductions() {
  for (const auto& phases : program_.classes)
    for (const PhaseProgram& phase : phases)
      for (const PassProgram& pass : phase.passes)
        for (SlotId slot : pass.reductions)
          if (context_.plan.slots[slot].level == Level::recipe)
            state_.contributions[slot].resize(context_.plan.tensors.size());
}

// A few values of each tile, so that selections over the model know where to look in the sweep that follows.
Status StageRunner::sample_selections() {
  std::vector<SelectionRun*> sampled;
  std::uint64_t least = ~std::uint64_t{0};
  for (std::optional<SelectionRun>& run : state_.selections) {
    if (!run || run->sample_size() == 0) continue;
    least = std::min(least, run->sample_size());
    sampled.push_back(&*run);
  }
  if (sampled.empty()) return ok();
  for (SelectionRun* run : sampled) run->begin_sample();
  std::uint64_t tiles = 0;
  for (const PlannedTensor& tensor : context_.plan.tensors) tiles += tile_count(context_.plan, tensor);
  ROUX_DO(sweep_flat(Round::sample, (tiles * kSampledInARow + least - 1) / least));
  for (SelectionRun* run : sampled) run->advance();
  return ok();
}

// All tiles of all tensors, or one of every few, in one loop, tensors in the files' order. A flat stage has one
// phase, of one pass.
Status StageRunner::sweep_flat(Round round, std::uint64_t every) {
  std::vector<std::uint32_t> tensors;
  std::vector<std::uint64_t> first_tiles;
  std::uint64_t tiles = 0;
  const auto pass_of = [&](std::uint32_t tensor) -> const PassProgram* {
    const PhaseProgram* phase = program_.phase_of(state_.tensor(tensor), 0);
    return phase && !phase->passes.empty() ? &phase->passes[0] : nullptr;
  };
  for (std::uint32_t tensor : context_.plan.order) {
    const PassProgram* pass = pass_of(tensor);
    if (!pass || state_.tensor(tensor).element_count == 0) continue;
    if (!state_.make_work(tensor, *pass, round).needs_any()) continue;
    tensors.push_back(tensor);
    first_tiles.push_back(tiles);
    tiles += tile_count(context_.plan, state_.tensor(tensor));
  }
  const auto pending = std::make_unique<Pending[]>(tensors.size());
  for (std::size_t i = 0; i < tensors.size(); ++i)
    pending[i].tiles_left = tile_count(context_.plan, state_.tensor(tensors[i]));
  return pool_.parallel_for(tiles, [&](int thread, std::uint64_t index) -> Status {
    const auto after = std::upper_bound(first_tiles.begin(), first_tiles.end(), index);
    const std::size_t i = after - first_tiles.begin() - 1;
    Pending& tensor = pending[i];
    tensor.begin([&] {
      auto work = std::make_unique<Work>(state_.make_work(tensors[i], *pass_of(tensors[i]), round));
      work->make_partials();
      tensor.work = std::move(work);
    });
    if (index % every == 0) ROUX_DO(workers_[thread].run(*tensor.work, index - first_tiles[i]));
    if (--tensor.tiles_left > 0) return ok();
    state_.finish(*tensor.work);
    tensor.work.reset();
    return ok();
  }, kTilesInARow);
}

Status StageRunner::sweep_by_tensor(std::uint32_t phase_end, Round round) {
  std::vector<std::uint32_t> small, large;
  for (std::uint32_t tensor : context_.plan.order)
    (state_.tensor(tensor).element_count < kSmallElements ? small : large).push_back(tensor);
  const auto run_small = [&](int thread, std::uint64_t index) {
    const TileLoop alone = [&](std::uint64_t count, const TileTask& task) -> Status {
      for (std::uint64_t i = 0; i < count; ++i) ROUX_DO(task(workers_[thread], i));
      return ok();
    };
    return TensorRun(state_, small[index], 1, alone).run(phase_end, round);
  };
  ROUX_DO(pool_.parallel_for(small.size(), run_small));
  const TileLoop together = [&](std::uint64_t count, const TileTask& task) {
    return pool_.parallel_for(
        count, [&](int thread, std::uint64_t i) { return task(workers_[thread], i); }, kTilesInARow);
  };
  for (std::uint32_t tensor : large)
    ROUX_DO(TensorRun(state_, tensor, pool_.size(), together).run(phase_end, round));
  return ok();
}

// Round after round over the values of selections of the whole recipe, until they are known. Values computed
// from fine numbers take their tensor up again, so that these are made anew.
Status StageRunner::repeat_for_selections() {
  while (true) {
    std::uint32_t phase_end = 0;
    for (std::uint32_t id = 0; id < state_.selections.size(); ++id) {
      if (!state_.selections[id]) continue;
      state_.selections[id]->advance();
      if (!state_.selections[id]->done()) phase_end = std::max(phase_end, context_.plan.selections[id].phase + 1);
    }
    if (phase_end == 0) return ok();
    ROUX_DO(program_.is_flat ? sweep_flat(Round::further) : sweep_by_tensor(phase_end, Round::again));
  }
}

// Combines the tensors, in canonical order.
void StageRunner::set_recipe_reductions() {
  for (const auto& [id, values] : state_.contributions) {
    const ReduceOp op = context_.plan.slots[id].reduce;
    std::optional<double> total;
    for (const std::optional<double>& value : values)
      if (value) total = total ? reduce_combine(op, *total, *value) : *value;
    context_.slots.set(id, total.value_or(reduce_identity(op)));
  }
}

void StageRunner::set_recipe_selections() {
  for (std::uint32_t id = 0; id < state_.selections.size(); ++id)
    if (state_.selections[id])
      for (std::uint32_t tensor = 0; tensor < state_.starts.size(); ++tensor)
        state_.set_selection(id, tensor, *state_.selections[id]);
}

void StageRunner::set_recipe_orderings() {
  std::uint64_t total = 0;
  for (const PlannedTensor& tensor : context_.plan.tensors) total += tensor.element_count;
  for (std::uint32_t id = 0; id < state_.orderings.size(); ++id) {
    if (!state_.orderings[id]) continue;
    std::vector<double> positions(total);
    state_.orderings[id]->finish(Level::recipe, {1, total}, positions);
    context_.slots.keep(context_.program.ordinal_slots[id], std::move(positions));
  }
}

// Numbers of tensors that follow from the stage's last phase.
void StageRunner::finish_slots() {
  for (std::uint32_t phase = std::max(program_.phase_count, 1u);
       phase < context_.slots.phase_end(state_.stage); ++phase)
    for (std::uint32_t tensor = 0; tensor < state_.starts.size(); ++tensor)
      context_.slots.evaluate_tensor(tensor, state_.stage, phase);
}

}  // namespace roux
