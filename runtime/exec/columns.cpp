#include "runtime/exec/columns.h"

#include <algorithm>
#include <map>
#include <vector>

#include "runtime/kernel/semantics.h"
#include "runtime/library/column_selection.h"

namespace roux {
namespace {

// Wide enough to read long pieces of rows, narrow enough for the accumulators to stay in a cache.
constexpr std::uint64_t kSumStrip = 4096;
constexpr std::uint64_t kOrderStrip = 2048;
static_assert(kSumStrip <= kBlock && kOrderStrip <= kBlock, "a tile holds at least one row of a strip");

std::uint64_t strips(const MatrixView& view, std::uint64_t width) {
  return (view.columns + width - 1) / width;
}

// Strip `index`, from row `begin` to `end`, as many rows at a time as a tile holds.
template <class Band>
Status for_each_band(const Plan& plan, const MatrixView& view, std::uint64_t width, std::uint64_t index,
                     std::uint64_t begin, std::uint64_t end, Band band) {
  const std::uint64_t column = index * width, columns = std::min(width, view.columns - column);
  const std::uint64_t rows = std::max<std::uint64_t>(1, plan.tile_elements / columns);
  for (std::uint64_t row = begin; row < end; row += rows)
    ROUX_DO(band(Rect{row, std::min(rows, end - row), column, columns}));
  return ok();
}

// --- sums ----------------------------------------------------------------------------------------

// The accumulators of one block of rows: [reduction][row mod 16][column].
class Accumulators {
 public:
  Accumulators(const Plan& plan, const PassProgram& pass, std::uint64_t columns) : columns_(columns) {
    for (SlotId slot : pass.reductions) {
      ops_.push_back(plan.slots[slot].reduce);
      values_.insert(values_.end(), kAccumulators * columns, reduce_identity(ops_.back()));
    }
  }

  template <class Float>
  void add_row(std::size_t reduction, std::uint64_t row, const Float* a, const Float* b) {
    double* into = at(reduction, row % kAccumulators);
    switch (ops_[reduction]) {
      case ReduceOp::sum:
      case ReduceOp::count:
        for (std::uint64_t c = 0; c < columns_; ++c) into[c] += static_cast<double>(a[c]);
        return;
      case ReduceOp::dot:
        for (std::uint64_t c = 0; c < columns_; ++c)
          into[c] += static_cast<double>(a[c]) * static_cast<double>(b[c]);
        return;
      case ReduceOp::min:
      case ReduceOp::max:
        for (std::uint64_t c = 0; c < columns_; ++c)
          into[c] = semantics::combine(lanes_, ops_[reduction], into[c], static_cast<double>(a[c]));
    }
  }

  // 8+8, 4+4, 2+2, 1+1, each column for itself.
  void fold(std::size_t reduction, double* results) {
    for (std::uint64_t width = kAccumulators / 2; width > 0; width /= 2)
      for (std::uint64_t j = 0; j < width; ++j) {
        double* low = at(reduction, j);
        const double* high = at(reduction, j + width);
        for (std::uint64_t c = 0; c < columns_; ++c)
          low[c] = semantics::combine(lanes_, ops_[reduction], low[c], high[c]);
      }
    for (std::uint64_t c = 0; c < columns_; ++c)
      results[c] = semantics::canonical(lanes_, at(reduction, 0)[c]);
  }

 private:
  double* at(std::size_t reduction, std::uint64_t j) {
    return values_.data() + (reduction * kAccumulators + j) * columns_;
  }

  std::uint64_t columns_;
  std::vector<ReduceOp> ops_;
  std::vector<double> values_;
  ScalarLanes<double> lanes_;
};

template <class Float>
void add_rows(Accumulators& accumulators, const LaunchProgram& program, std::span<void* const> stores,
              const Rect& rect, std::uint64_t block_row) {
  const std::vector<ColumnReduction>& reductions = program.launch->column_reductions;
  for (std::size_t i = 0; i < reductions.size(); ++i)
    for (std::uint64_t r = 0; r < rect.rows; ++r) {
      const auto row_of = [&](std::uint32_t store) {
        return store == kNone ? nullptr : static_cast<const Float*>(stores[store]) + r * rect.columns;
      };
      accumulators.add_row(program.first_reduction + i, rect.row + r - block_row, row_of(reductions[i].a),
                           row_of(reductions[i].b));
    }
}

}  // namespace

std::uint64_t column_sum_count(const MatrixView& view) {
  return strips(view, kSumStrip) * ((view.rows + kBlock - 1) / kBlock);
}

std::uint64_t column_order_count(const MatrixView& view) {
  return view.rows == 0 ? 0 : strips(view, kOrderStrip);
}

Status sum_columns(const RunContext& context, TileWorker& worker, Work& work, std::uint64_t piece) {
  const std::uint64_t strip_count = strips(work.view, kSumStrip);
  const std::uint64_t block = piece / strip_count, strip = piece % strip_count;
  const std::uint64_t begin = block * kBlock, end = std::min(begin + kBlock, work.view.rows);
  const std::uint64_t column = strip * kSumStrip;
  Accumulators accumulators(context.plan, *work.program, std::min(kSumStrip, work.view.columns - column));
  const auto add = [&](const Rect& rect) {
    return worker.compute(work, rect, [&](const LaunchProgram& program, std::span<void* const> stores) {
      if (program.kernel->lane == LaneType::f32) {
        add_rows<float>(accumulators, program, stores, rect, begin);
      } else {
        add_rows<double>(accumulators, program, stores, rect, begin);
      }
      return ok();
    });
  };
  ROUX_DO(for_each_band(context.plan, work.view, kSumStrip, strip, begin, end, add));
  for (std::size_t i = 0; i < work.program->reductions.size(); ++i)
    accumulators.fold(i, work.partials_of(i) + block * work.view.columns + column);
  return ok();
}

// --- order statistics ----------------------------------------------------------------------------

namespace {

Result<std::vector<std::uint64_t>> ranks_of(const RunContext& context, const Work& work, const Selection& selection,
                                            std::uint64_t column, std::uint64_t columns) {
  std::vector<std::uint64_t> ranks;
  for (std::uint64_t c = 0; c < columns; ++c) {
    ROUX_TRY(const std::uint64_t rank,
             checked_rank(work.fine->get(selection.rank, column + c), work.view.rows,
                          over_part_of(context.plan.tensors[work.tensor], Level::column)));
    ranks.push_back(rank);
  }
  return ranks;
}

void set_results(const RunContext& context, const Work& work, std::uint32_t id, std::uint64_t column,
                 std::size_t columns, const ColumnSelection& run) {
  const SelectionSlots& slots = context.program.selection_slots[id];
  for (std::size_t c = 0; c < columns; ++c) {
    for (SlotId slot : slots.thresholds) (*work.fine)[slot][column + c] = run.threshold(c);
    for (SlotId slot : slots.cuts) {
      const std::int64_t last = static_cast<std::int64_t>(work.view.rows) - 1;
      const std::int64_t row = std::min(run.cut(c), last);
      (*work.fine)[slot][column + c] =
          row < 0 ? -1 : static_cast<double>(static_cast<std::uint64_t>(row) * work.view.columns + column + c);
    }
  }
}

}  // namespace

Status order_columns(const RunContext& context, TileWorker& worker, Work& work, std::uint64_t piece) {
  const std::uint64_t column = piece * kOrderStrip;
  const std::uint64_t columns = std::min(kOrderStrip, work.view.columns - column);
  std::map<std::uint32_t, ColumnSelection> runs;
  for (std::uint32_t id : work.program->selections) {
    const Selection& selection = context.plan.selections[id];
    ROUX_TRY(std::vector<std::uint64_t> ranks, ranks_of(context, work, selection, column, columns));
    runs.emplace(id, ColumnSelection(selection.lane, std::move(ranks), work.view.rows));
  }
  const auto offer = [&](const Rect& rect) {
    return worker.compute(work, rect, [&](const LaunchProgram& program, std::span<void* const> stores) {
      for (std::size_t s = 0; s < stores.size(); ++s) {
        const std::uint64_t row_bytes =
            columns * static_cast<std::uint64_t>(bytes_of(program.kernel->stores[s].dtype));
        for (std::uint64_t r = 0; r < rect.rows; ++r)
          runs.at(program.launch->stores[s].index)
              .observe(rect.row + r, static_cast<const unsigned char*>(stores[s]) + r * row_bytes);
      }
      return ok();
    });
  };
  const auto is_open = [](const auto& run) { return !run.second.done(); };
  while (std::any_of(runs.begin(), runs.end(), is_open)) {
    ROUX_DO(for_each_band(context.plan, work.view, kOrderStrip, piece, 0, work.view.rows, offer));
    for (auto& [id, run] : runs) run.advance();
  }
  for (const auto& [id, run] : runs) set_results(context, work, id, column, columns, run);
  return ok();
}

std::uint64_t column_bytes(const MatrixView& view, std::uint64_t sums, std::uint64_t orders) {
  const std::uint64_t accumulators = kAccumulators * std::min(kSumStrip, view.columns) * sizeof(double);
  return std::max(sums * accumulators, orders * ColumnSelection::peak_bytes(std::min(kOrderStrip, view.columns)));
}

}  // namespace roux
