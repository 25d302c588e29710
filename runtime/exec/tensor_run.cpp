#include "runtime/exec/tensor_run.h"

#include <algorithm>

#include "runtime/exec/columns.h"

namespace roux {
namespace {

using PassKind = PassProgram::Kind;

std::uint64_t blocks(std::uint64_t count) { return (count + kBlock - 1) / kBlock; }

std::uint64_t partial_count(PassKind kind, const MatrixView& view) {
  switch (kind) {
    case PassKind::flat: return blocks(view.rows * view.columns);
    case PassKind::rows: return view.rows * blocks(view.columns);
    case PassKind::column_sums: return blocks(view.rows) * view.columns;
    case PassKind::row_orders:
    case PassKind::column_orders: break;
  }
  return 0;
}

}  // namespace

Work StageState::make_work(std::uint32_t id, const PassProgram& pass, Round round) {
  Work work;
  work.id = ++context.counters.works;
  work.tensor = id;
  work.program = &pass;
  work.round = round;
  work.is_kept = is_kept(context, tensor(id).in_output);
  work.view = matrix_view(tensor(id).shape);
  work.block_count = partial_count(pass.kind, work.view);
  for (std::uint32_t selection : pass.selections)
    if (const Selection& planned = context.plan.selections[selection];
        selections[selection] && counts(planned, id) &&
        (round != Round::sample || selections[selection]->is_sampling()))
      work.feeds.push_back({selection, &*selections[selection], start_of(planned, id), false});
  if (round == Round::first)
    for (std::uint32_t ordering : pass.orderings)
      if (orderings[ordering]) work.orderings.push_back({ordering, &*orderings[ordering], starts[id]});
  return work;
}

void StageState::finish(Work& work) {
  if (work.block_count == 0) return;
  for (std::size_t i = 0; i < work.program->reductions.size(); ++i) {
    const SlotId id = work.program->reductions[i];
    const Slot& slot = context.plan.slots[id];
    const double* partials = work.partials_of(i);
    if (slot.level == Level::row) {
      const std::uint64_t count = work.blocks_of_row();
      for (std::uint64_t row = 0; row < work.view.rows; ++row)
        (*work.fine)[id][row] = reduce_tree(slot.reduce, partials + row * count, count);
    } else if (slot.level == Level::column) {
      std::vector<double> column(blocks(work.view.rows));
      for (std::uint64_t c = 0; c < work.view.columns; ++c) {
        for (std::uint64_t b = 0; b < column.size(); ++b) column[b] = partials[b * work.view.columns + c];
        (*work.fine)[id][c] = reduce_tree(slot.reduce, column.data(), column.size());
      }
    } else if (work.round == Round::first) {
      const double value = reduce_tree(slot.reduce, partials, work.block_count);
      if (slot.level == Level::tensor) {
        context.slots.set(id, work.tensor, value);
      } else if (!slot.once || tensor(work.tensor).copy_of == kNone) {
        contributions.at(id)[work.tensor] = value;
      }
    }
  }
}

void StageState::set_selection(std::uint32_t id, std::uint32_t at, const SelectionRun& run) {
  const Selection& selection = context.plan.selections[id];
  const bool is_within = selection.scope == Level::tensor;
  const auto start = static_cast<std::int64_t>(is_within ? 0 : start_of(selection, at));
  const auto last = static_cast<std::int64_t>(tensor(at).element_count) - 1;
  const SelectionSlots& slots = context.program.selection_slots[id];
  for (SlotId slot : slots.cuts) {
    const std::int64_t cut = std::clamp<std::int64_t>(run.cut() - start, -1, last);
    context.slots.set(slot, at, static_cast<double>(cut));
  }
  for (SlotId slot : slots.thresholds) {
    if (is_within) {
      context.slots.set(slot, at, run.threshold());
    } else {
      context.slots.set(slot, run.threshold());
    }
  }
}

TensorRun::TensorRun(StageState& stage, std::uint32_t tensor, int threads, const TileLoop& loop)
    : stage_(stage), context_(stage.context), tensor_(tensor), threads_(threads), loop_(loop) {
  if (stage.program.has_fine)
    fine_.emplace(context_.plan, context_.slots, stage.stage, tensor, stage.starts[tensor]);
}

Status TensorRun::run(std::uint32_t phase_end, Round round) {
  for (std::uint32_t phase = 0; phase < phase_end; ++phase) {
    if (phase > 0) context_.slots.evaluate_tensor(tensor_, stage_.stage, phase);
    if (fine_) fine_->evaluate(phase);
    const PhaseProgram* program = stage_.program.phase_of(stage_.tensor(tensor_), phase);
    if (!program) continue;
    for (const PassProgram& pass : program->passes) ROUX_DO(run_pass(pass, round));
  }
  return ok();
}

Status TensorRun::run_pass(const PassProgram& pass, Round round) {
  Work work = stage_.make_work(tensor_, pass, round);
  if (fine_) work.fine = &*fine_;
  const auto of_tensor = [&](std::uint32_t id) { return context_.plan.selections[id].scope == Level::tensor; };
  const bool selects = round == Round::first && std::any_of(pass.selections.begin(), pass.selections.end(), of_tensor);
  if (!work.needs_any() && !selects) return ok();
  work.make_partials();
  const Plan& plan = context_.plan;
  switch (pass.kind) {
    case PassKind::flat:
      return run_rounds(work, [&] {
        return loop_(tile_count(plan, stage_.tensor(tensor_)),
                     [&](TileWorker& worker, std::uint64_t tile) { return worker.run(work, tile); });
      });
    case PassKind::rows:
      return run_rounds(work, [&] {
        return loop_(row_tile_count(plan, work.view), [&](TileWorker& worker, std::uint64_t tile) {
          return worker.run_rows(work, row_tile(plan, work.view, tile));
        });
      });
    case PassKind::row_orders: return order_rows(work);
    case PassKind::column_sums:
      ROUX_DO(loop_(column_sum_count(work.view), [&](TileWorker& worker, std::uint64_t piece) {
        return sum_columns(context_, worker, work, piece);
      }));
      stage_.finish(work);
      return ok();
    case PassKind::column_orders:
      return loop_(column_order_count(work.view), [&](TileWorker& worker, std::uint64_t piece) {
        return order_columns(context_, worker, work, piece);
      });
  }
  return ok();
}

// The first round and, for selections within the tensor, those that follow.
Status TensorRun::run_rounds(Work& work, const std::function<Status()>& sweep) {
  std::vector<SelectionRun> own;
  if (work.round == Round::first) {
    ROUX_TRY(own, add_selections(work));
  }
  std::vector<OrdinalRun> orders;
  add_orderings(work, orders);
  const auto is_open = [](const SelectionRun& run) { return !run.done(); };
  if (work.needs_any()) ROUX_DO(sweep());
  stage_.finish(work);
  finish_orderings(work, orders);
  for (SelectionRun& run : own) run.advance();
  // Selections of the whole recipe have had this tensor's values; they are not repeated here.
  std::erase_if(work.feeds, [this](const Feed& feed) { return stage_.selections[feed.selection].has_value(); });
  work.round = Round::further;
  while (std::any_of(own.begin(), own.end(), is_open)) {
    work.id = ++context_.counters.works;
    ROUX_DO(sweep());
    for (SelectionRun& run : own) run.advance();
  }
  for (const Feed& feed : work.feeds) stage_.set_selection(feed.selection, tensor_, *feed.run);
  return ok();
}

// Order statistics of rows. Whole rows in a tile are picked from at once.
Status TensorRun::order_rows(Work& work) {
  const Plan& plan = context_.plan;
  const std::uint64_t tiles = row_tile_count(plan, work.view);
  if (work.view.columns <= plan.tile_elements)
    return loop_(tiles, [&](TileWorker& worker, std::uint64_t tile) {
      return worker.run_rows(work, row_tile(plan, work.view, tile));
    });
  const std::uint64_t parts = work.view.rows == 0 ? 0 : tiles / work.view.rows;
  for (std::uint64_t row = 0; row < work.view.rows; ++row) ROUX_DO(order_long_row(work, row, parts));
  return ok();
}

// A row that no tile holds whole goes on over several rounds, as a tensor does.
Status TensorRun::order_long_row(Work& work, std::uint64_t row, std::uint64_t parts) {
  std::vector<SelectionRun> runs;
  runs.reserve(work.program->selections.size());  // feeds point into it
  work.feeds.clear();
  for (std::uint32_t id : work.program->selections) {
    const Selection& selection = context_.plan.selections[id];
    ROUX_TRY(const std::uint64_t rank, checked_rank(fine_->get(selection.rank, row), work.view.columns,
                                                    over_part_of(stage_.tensor(tensor_), Level::row)));
    runs.emplace_back(selection.lane, rank, work.view.columns, threads_, kTensorCollect);
    work.feeds.push_back({id, &runs.back(), 0 - row * work.view.columns, threads_ == 1});
  }
  while (std::any_of(runs.begin(), runs.end(), [](const SelectionRun& run) { return !run.done(); })) {
    work.id = ++context_.counters.works;
    ROUX_DO(loop_(parts, [&](TileWorker& worker, std::uint64_t part) {
      return worker.run_rows(work, row_tile(context_.plan, work.view, row * parts + part));
    }));
    for (SelectionRun& run : runs) run.advance();
  }
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const SelectionSlots& slots = context_.program.selection_slots[work.feeds[i].selection];
    for (SlotId slot : slots.thresholds) (*fine_)[slot][row] = runs[i].threshold();
    for (SlotId slot : slots.cuts) (*fine_)[slot][row] = cut_in_row(work.view, row, runs[i].cut());
  }
  return ok();
}

Result<std::vector<SelectionRun>> TensorRun::add_selections(Work& work) {
  std::vector<SelectionRun> own;
  own.reserve(work.program->selections.size());  // feeds point into it
  const std::uint64_t total = stage_.tensor(tensor_).element_count;
  for (std::uint32_t id : work.program->selections) {
    const Selection& selection = context_.plan.selections[id];
    if (selection.scope != Level::tensor) continue;
    ROUX_TRY(const std::uint64_t rank, checked_rank(context_.slots.get(selection.rank, tensor_), total,
                                                    over_part_of(stage_.tensor(tensor_), Level::tensor)));
    own.emplace_back(selection.lane, rank, total, threads_, kTensorCollect);
    work.feeds.push_back({id, &own.back(), 0, threads_ == 1});
  }
  return own;
}

// Within the tensor; those over the model are fed beside them.
void TensorRun::add_orderings(Work& work, std::vector<OrdinalRun>& runs) {
  runs.reserve(work.program->orderings.size());  // feeds point into it
  for (std::uint32_t id : work.program->orderings) {
    const Ordering& ordering = context_.plan.orderings[id];
    if (ordering.scope == Level::recipe) continue;
    runs.emplace_back(ordering.lane, stage_.tensor(tensor_).element_count);
    work.orderings.push_back({id, &runs.back(), 0});
  }
}

void TensorRun::finish_orderings(Work& work, std::vector<OrdinalRun>& runs) {
  std::size_t at = 0;
  for (const OrderingFeed& feed : work.orderings) {
    const Level scope = context_.plan.orderings[feed.ordering].scope;
    if (scope == Level::recipe) continue;
    const SlotId slot = context_.program.ordinal_slots[feed.ordering];
    runs[at++].finish(scope, work.view, (*fine_)[slot]);
  }
  work.orderings.clear();
}

}  // namespace roux
