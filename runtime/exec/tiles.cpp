#include "runtime/exec/tiles.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "base/text.h"

namespace roux {
namespace {

// Note [Mixed lanes]
// A selection over tensors of both lane types is made in f64, so its threshold may be no f32. Then
// no f32 value equals it, and for every f32 x: x > threshold exactly where x > the next f32 below
// the threshold.
float next_float_below(double value) {
  float rounded = static_cast<float>(value);
  if (static_cast<double>(rounded) > value)
    rounded = std::nextafterf(rounded, -std::numeric_limits<float>::infinity());
  return rounded;
}

bool is_float(double value) {
  return std::isnan(value) || static_cast<double>(static_cast<float>(value)) == value;
}

}  // namespace

const Feed* Work::feed_for(std::uint32_t selection) const {
  for (const Feed& feed : feeds)
    if (feed.selection == selection) return &feed;
  return nullptr;
}

bool Work::needs(const LaunchProgram& launch) const {
  if (round == Round::first && launch.keeps_results && !(is_kept && launch.only_writes)) return true;
  if ((round == Round::first || round == Round::again) && launch.makes_fine) return true;
  for (const StoreTarget& store : launch.launch->stores) {
    if (store.kind != StoreTarget::Kind::selection) continue;
    const Feed* feed = feed_for(store.index);
    if (feed && !feed->run->done()) return true;
  }
  return false;
}

bool Work::needs_any() const {
  return std::any_of(program->launches.begin(), program->launches.end(),
                     [this](const LaunchProgram& launch) { return needs(launch); });
}

bool Work::needs_elements(std::uint64_t first, std::uint64_t count) const {
  return std::any_of(feeds.begin(), feeds.end(),
                     [&](const Feed& feed) { return feed.run->needs(feed.position + first, count); });
}

std::uint64_t tile_count(const Plan& plan, const PlannedTensor& tensor) {
  return (tensor.element_count + plan.tile_elements - 1) / plan.tile_elements;
}

std::uint64_t row_tile_count(const Plan& plan, const MatrixView& view) {
  if (view.columns == 0) return 0;
  const std::uint64_t tile = plan.tile_elements;
  if (view.columns > tile) return view.rows * ((view.columns + tile - 1) / tile);
  const std::uint64_t rows = tile / view.columns;
  return (view.rows + rows - 1) / rows;
}

Rect row_tile(const Plan& plan, const MatrixView& view, std::uint64_t index) {
  const std::uint64_t tile = plan.tile_elements;
  if (view.columns > tile) {
    const std::uint64_t parts = (view.columns + tile - 1) / tile;
    const std::uint64_t column = index % parts * tile;
    return {index / parts, 1, column, std::min(tile, view.columns - column)};
  }
  const std::uint64_t rows = tile / view.columns;
  return {index * rows, std::min(rows, view.rows - index * rows), 0, view.columns};
}

Result<std::uint64_t> checked_rank(double rank, std::uint64_t total, const std::string& over) {
  if (rank >= 0 && rank == std::floor(rank))
    return rank >= static_cast<double>(total) ? total : static_cast<std::uint64_t>(rank);
  return error(DiagnosticKind::out_of_range, {},
               "the amount of an order statistic over " + over + " is " + format_number(rank) +
                   "; expected a whole number, 0 or more")
      .hint("round it and keep it in range: `max(floor(...), 0)`");
}

std::string over_part_of(const PlannedTensor& tensor, Level scope) {
  const std::string part = scope == Level::tensor ? "" : "a " + std::string(scope_name(scope)) + " of ";
  return part + "tensor " + quoted(tensor.name);
}

double cut_in_row(const MatrixView& view, std::uint64_t row, std::int64_t cut) {
  if (cut < 0) return -1;
  const std::uint64_t column = std::min(static_cast<std::uint64_t>(cut), view.columns - 1);
  return static_cast<double>(row * view.columns + column);
}

TileWorker::TileWorker(const RunContext& context, int thread)
    : context_(context), thread_(thread), read_of_source_(context.plan.sources.size(), kNone) {}

Status TileWorker::run(Work& work, std::uint64_t tile) {
  std::uint64_t first = tile * context_.plan.tile_elements;
  std::uint64_t count = std::min(context_.plan.tile_elements,
                                 context_.plan.tensors[work.tensor].element_count - first);
  if (work.round == Round::further && !work.needs_elements(first, count)) return ok();
  if (work.round == Round::sample) {
    // In each tile elsewhere, so that all columns of a matrix have their turn.
    const std::uint64_t places = std::max<std::uint64_t>(count / kSampledInARow, 1);
    first += (tile * 0x9E3779B97F4A7C15u >> 32) % places * kSampledInARow;
    count = std::min(count, kSampledInARow);
  }
  if (bound_work_ != work.id) bind(work);
  ROUX_DO(read(first, count, 0));
  for (std::size_t i = 0; i < bound_count_; ++i) {
    Bound& bound = bound_[i];
    spread(bound, work, first, count);
    ROUX_DO(call(bound, work, {first, count, 0, first / kBlock}));
    ROUX_DO(store(*bound.program, bound.stores, work, first, count));
  }
  return ok();
}

Status TileWorker::run_rows(Work& work, const Rect& rect) {
  return compute(work, rect, [&](const LaunchProgram& program, std::span<void* const> stores) {
    return store(program, stores, work, rect.row * work.view.columns + rect.column, rect.rows * rect.columns);
  });
}

Status TileWorker::compute(Work& work, const Rect& rect, const Taker& take) {
  if (bound_work_ != work.id) bind(work);
  ROUX_DO(read(work.view, rect));
  for (std::size_t i = 0; i < bound_count_; ++i) {
    ROUX_DO(call_rows(bound_[i], work, rect));
    ROUX_DO(take(*bound_[i].program, bound_[i].stores));
  }
  return ok();
}

// --- what stays the same for all tiles -----------------------------------------------------------

void TileWorker::bind(const Work& work) {
  for (const Read& read : reads_) read_of_source_[read.source] = kNone;
  reads_.clear();
  bound_count_ = 0;
  bound_work_ = 0;
  for (const LaunchProgram& program : work.program->launches) {
    if (!work.needs(program)) continue;
    if (bound_count_ == bound_.size()) bound_.emplace_back();
    Bound& bound = bound_[bound_count_++];
    bound.program = &program;
    bind_scalars(bound, work);
    bound.inputs.clear();
    for (std::size_t i = 0; i < program.launch->inputs.size(); ++i)
      bound.inputs.push_back(
          buffer_of(program.launch->inputs[i], program.kernel->inputs[i], work.tensor));
    bind_tables(bound, work);
    const std::size_t store_count = program.launch->stores.size();
    if (store_buffers_.size() < store_count) store_buffers_.resize(store_count);
  }
  // Growing a list of buffers moves no buffer's memory, but the stores of launches share theirs.
  for (std::size_t i = 0; i < bound_count_; ++i) {
    const std::vector<Store>& stores = bound_[i].program->kernel->stores;
    for (std::size_t s = 0; s < stores.size(); ++s)
      store_buffers_[s].reserve(context_.plan.tile_elements * bytes_of(stores[s].dtype));
  }
  for (std::size_t i = 0; i < bound_count_; ++i) {
    bound_[i].stores.clear();
    for (std::size_t s = 0; s < bound_[i].program->launch->stores.size(); ++s)
      bound_[i].stores.push_back(store_buffers_[s].data());
  }
  if (work.round == Round::sample)
    for (Read& read : reads_) read.feed.reset();  // what is left out is not read here
  bound_work_ = work.id;
}

void TileWorker::bind_scalars(Bound& bound, const Work& work) {
  bound.scalars.clear();
  bound.row_scalars.clear();
  for (SlotId slot : bound.program->launch->scalars) {
    const bool is_of_row = is_fine(context_.plan.slots[slot].level);
    if (is_of_row) bound.row_scalars.emplace_back(bound.scalars.size(), slot);
    bound.scalars.push_back(is_of_row ? 0 : context_.slots.get(slot, work.tensor));
  }
  for (const LaunchProgram::Top& top : bound.program->tops) {
    // That of a row was found among the lanes of this tensor.
    const SlotId slot = bound.program->launch->scalars[top.threshold];
    if (is_fine(context_.plan.slots[slot].level)) continue;
    const double threshold = context_.slots.get(slot, work.tensor);
    if (is_float(threshold)) continue;
    bound.scalars[top.threshold] = next_float_below(threshold);
    bound.scalars[top.cut] = -1;
  }
}

void TileWorker::bind_tables(Bound& bound, const Work& work) {
  const Launch& launch = *bound.program->launch;
  bound.entries.clear();
  bound.tables.clear();
  for (std::size_t t = 0; t < launch.tables.size(); ++t) {
    const std::size_t begin = bound.entries.size();
    for (const TableSource& entry : launch.tables[t]) {
      const double coefficient = context_.slots.get(entry.coefficient, work.tensor);
      if (coefficient == 0) continue;  // by definition: not read, whatever its values
      bound.entries.push_back(
          {buffer_of(entry.source, bound.program->kernel->tables[t], work.tensor), coefficient});
    }
    bound.tables.emplace_back(begin, bound.entries.size() - begin);
  }
}

const void* TileWorker::buffer_of(std::uint32_t source, DType dtype, std::uint32_t tensor) {
  const PlannedTensor& planned = context_.plan.tensors[tensor];
  std::uint32_t& index = read_of_source_[source];
  if (index == kNone) {
    const std::uint32_t stored = planned.in_source[source];
    ROUX_CHECK(stored != kNone && stored < context_.sources[source]->tensors().size());
    const TensorInfo& info = context_.sources[source]->tensors()[stored];
    ROUX_CHECK(info.dtype == dtype && info.element_count == planned.element_count);
    index = static_cast<std::uint32_t>(reads_.size());
    reads_.push_back({source, stored, static_cast<std::uint64_t>(bytes_of(dtype)),
                      context_.sources[source]->feed_digest(stored)});
    if (input_buffers_.size() < reads_.size()) input_buffers_.emplace_back();
  }
  const std::uint64_t elements = std::min(planned.element_count, context_.plan.tile_elements);
  return input_buffers_[index].reserve(elements * reads_[index].element_bytes);
}

// --- one tile ------------------------------------------------------------------------------------

// Elements [first, first + count), to stand behind `offset` others.
Status TileWorker::read(std::uint64_t first, std::uint64_t count, std::uint64_t offset) {
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < reads_.size(); ++i) {
    const Read& read = reads_[i];
    const std::uint64_t size = count * read.element_bytes;
    auto* const to = static_cast<unsigned char*>(input_buffers_[i].data()) + offset * read.element_bytes;
    ROUX_DO(context_.sources[read.source]->read(read.tensor, first * read.element_bytes, size, to));
    if (read.feed) read.feed->take(first * read.element_bytes, to, size);
    bytes += size;
  }
  context_.counters.bytes_read.fetch_add(bytes, std::memory_order_relaxed);
  return ok();
}

Status TileWorker::read(const MatrixView& view, const Rect& rect) {
  const std::uint64_t first = rect.row * view.columns + rect.column;
  if (rect.columns == view.columns) return read(first, rect.rows * rect.columns, 0);
  for (std::uint64_t r = 0; r < rect.rows; ++r)
    ROUX_DO(read(first + r * view.columns, rect.columns, r * rect.columns));
  return ok();
}

// The fine numbers of a launch, one for each element of a run that may cross rows.
void TileWorker::spread(Bound& bound, const Work& work, std::uint64_t first, std::uint64_t count) {
  const std::vector<SlotId>& slots = bound.program->launch->spreads;
  if (spread_buffers_.size() < slots.size()) spread_buffers_.resize(slots.size());
  bound.spreads.clear();
  for (std::size_t s = 0; s < slots.size(); ++s) {
    const double* numbers = work.fine->data(slots[s]);
    const Level level = context_.plan.slots[slots[s]].level;
    if (level == Level::element) {
      bound.spreads.push_back(numbers + first);
      continue;
    }
    std::vector<double>& values = spread_buffers_[s];
    values.resize(std::max(values.size(), count));
    std::uint64_t row = first / work.view.columns, column = first % work.view.columns;
    for (std::uint64_t at = 0; at < count; ++row, column = 0) {
      const std::uint64_t part = std::min(work.view.columns - column, count - at);
      if (level == Level::row) {
        std::fill_n(values.begin() + at, part, numbers[row]);
      } else {
        std::copy_n(numbers + column, part, values.begin() + at);
      }
      at += part;
    }
    bound.spreads.push_back(values.data());
  }
}

Status TileWorker::call_rows(Bound& bound, Work& work, const Rect& rect) {
  const std::uint64_t first = rect.row * work.view.columns + rect.column;
  if (!bound.program->by_row && rect.columns == work.view.columns)
    return call(bound, work, {first, rect.rows * rect.columns, 0, 0});
  for (std::uint64_t r = 0; r < rect.rows; ++r) {
    const std::uint64_t row = rect.row + r, begin = first + r * work.view.columns;
    for (const auto& [scalar, slot] : bound.row_scalars)
      bound.scalars[scalar] = work.fine->get(slot, row);
    bound.spreads.clear();
    for (SlotId slot : bound.program->launch->spreads) {
      const bool of_column = context_.plan.slots[slot].level == Level::column;
      bound.spreads.push_back(work.fine->data(slot) + (of_column ? rect.column : begin));
    }
    const std::uint64_t block = row * work.blocks_of_row() + rect.column / kBlock;
    ROUX_DO(call(bound, work, {begin, rect.columns, r * rect.columns, block}));
  }
  return ok();
}

Status TileWorker::call(Bound& bound, Work& work, const Run& run) {
  const Kernel& kernel = *bound.program->kernel;
  const auto behind = [&](const void* data, DType dtype) {
    return static_cast<const unsigned char*>(data) + run.offset * static_cast<std::uint64_t>(bytes_of(dtype));
  };
  bound.call_inputs.clear();
  for (std::size_t i = 0; i < bound.inputs.size(); ++i)
    bound.call_inputs.push_back(behind(bound.inputs[i], kernel.inputs[i]));
  bound.call_entries.clear();
  for (std::size_t t = 0; t < bound.tables.size(); ++t)
    for (std::size_t e = 0; e < bound.tables[t].second; ++e) {
      const TableEntry& entry = bound.entries[bound.tables[t].first + e];
      bound.call_entries.push_back({behind(entry.data, kernel.tables[t]), entry.coefficient});
    }
  bound.call_tables.clear();
  for (const auto& [begin, count] : bound.tables)
    bound.call_tables.push_back({bound.call_entries.data() + begin, count});
  bound.call_stores.clear();
  for (std::size_t s = 0; s < bound.stores.size(); ++s)
    bound.call_stores.push_back(const_cast<unsigned char*>(behind(bound.stores[s], kernel.stores[s].dtype)));
  const std::uint64_t blocks = (run.count + kBlock - 1) / kBlock;
  const std::size_t reductions = bound.program->launch->reductions.size();
  const bool is_wanted = work.round == Round::first || bound.program->makes_fine;
  if (!is_wanted) unused_partials_.resize(std::max<std::size_t>(unused_partials_.size(), reductions * blocks));
  bound.reductions.clear();
  for (std::size_t r = 0; r < reductions; ++r)
    bound.reductions.push_back(is_wanted ? work.partials_of(bound.program->first_reduction + r) + run.block
                                         : unused_partials_.data() + r * blocks);
  KernelCall call;
  call.first = run.first;
  call.count = run.count;
  call.inputs = bound.call_inputs.data();
  call.tables = bound.call_tables.data();
  call.scalars = bound.scalars.data();
  call.stores = bound.call_stores.data();
  call.reductions = bound.reductions.data();
  call.spreads = bound.spreads.data();
  bound.program->code->run(call);
  context_.counters.launches.fetch_add(1, std::memory_order_relaxed);
  return work.round == Round::first ? look_for_nonfinite(*bound.program, work, call) : ok();
}

Status TileWorker::store(const LaunchProgram& program, std::span<void* const> stores, const Work& work,
                         std::uint64_t first, std::uint64_t count) {
  for (std::size_t s = 0; s < stores.size(); ++s) {
    const StoreTarget target = program.launch->stores[s];
    switch (target.kind) {
      case StoreTarget::Kind::operand: break;
      case StoreTarget::Kind::selection: {
        const Feed* feed = work.feed_for(target.index);
        if (feed && !feed->run->done())
          feed->run->observe(feed->one_thread ? 0 : thread_, feed->position + first, stores[s], count);
        if (!feed && context_.plan.selections[target.index].scope == Level::row)
          ROUX_DO(select_rows(target.index, stores[s], work, first, count));
        break;
      }
      case StoreTarget::Kind::ordering:
        for (const OrderingFeed& feed : work.orderings)
          if (feed.ordering == target.index) feed.run->observe(feed.position + first, stores[s], count);
        break;
      case StoreTarget::Kind::output: {
        if (work.round != Round::first) break;
        const std::uint64_t element_bytes = bytes_of(program.kernel->stores[s].dtype);
        const std::uint32_t tensor = context_.plan.tensors[work.tensor].in_output[target.index];
        ROUX_DO(context_.outputs[target.index]->write(tensor, first * element_bytes, stores[s],
                                                      count * element_bytes));
        context_.counters.bytes_written.fetch_add(count * element_bytes, std::memory_order_relaxed);
      }
    }
  }
  return ok();
}

// Whole rows, small enough to be picked from at once.
Status TileWorker::select_rows(std::uint32_t id, const void* values, const Work& work, std::uint64_t first,
                               std::uint64_t count) {
  const Selection& selection = context_.plan.selections[id];
  const SelectionSlots& slots = context_.program.selection_slots[id];
  const std::uint64_t columns = work.view.columns;
  const std::uint64_t row_bytes = columns * (selection.lane == LaneType::f32 ? sizeof(float) : sizeof(double));
  ROUX_CHECK(first % columns == 0 && count % columns == 0);
  for (std::uint64_t r = 0; r < count / columns; ++r) {
    const std::uint64_t row = first / columns + r;
    ROUX_TRY(const std::uint64_t rank,
             checked_rank(work.fine->get(selection.rank, row), columns,
                          over_part_of(context_.plan.tensors[work.tensor], Level::row)));
    SelectionRun run(selection.lane, rank, columns, 1, columns);
    run.observe(0, 0, static_cast<const unsigned char*>(values) + r * row_bytes, columns);
    run.advance();
    for (SlotId slot : slots.thresholds) (*work.fine)[slot][row] = run.threshold();
    for (SlotId slot : slots.cuts) (*work.fine)[slot][row] = cut_in_row(work.view, row, run.cut());
  }
  return ok();
}

// The run's inputs are still in their buffers.
Status TileWorker::look_for_nonfinite(const LaunchProgram& program, const Work& work, const KernelCall& call) {
  for (std::size_t s = 0; s < program.launch->stores.size(); ++s) {
    const StoreTarget target = program.launch->stores[s];
    const DType dtype = program.kernel->stores[s].dtype;
    if (target.kind != StoreTarget::Kind::output) continue;
    const std::uint64_t found = count_nonfinite(dtype, call.stores[s], call.count);
    if (found == 0) continue;
    std::uint64_t computed = found;
    if (may_overflow(dtype, program.kernel->lane)) {
      ROUX_TRY(computed, count_nonfinite_lanes(*program.kernel, s, call));
    }
    context_.nonfinite.add({target.index, work.tensor, found, found - computed});
    context_.outputs[target.index]->forget_when_resumed(context_.plan.tensors[work.tensor].in_output[target.index]);
  }
  return ok();
}

Result<std::uint64_t> TileWorker::count_nonfinite_lanes(const Kernel& of, std::size_t store, KernelCall call) {
  const Kernel kernel = lane_kernel(of, store);
  const DType dtype = kernel.stores[0].dtype;
  ROUX_TRY(const CompiledKernel* code, context_.kernels.get(kernel));
  void* const stores[] = {lane_buffer_.reserve(call.count * bytes_of(dtype))};
  call.stores = stores;
  call.reductions = nullptr;
  code->run(call);
  return count_nonfinite(dtype, stores[0], call.count);
}

std::uint64_t worker_bytes(const Plan& plan) {
  // A buffer serves one read after the other: count as if each were needed for the widest of them.
  std::uint64_t reads = 0, stores = 0, spreads = 0, read_bytes = 0, store_bytes = 0, lane_bytes = 0;
  const auto widest = [](std::uint64_t& bytes, DType dtype) {
    bytes = std::max<std::uint64_t>(bytes, bytes_of(dtype));
  };
  for (const Kernel& kernel : plan.kernels) {
    stores = std::max<std::uint64_t>(stores, kernel.stores.size());
    for (const Store& store : kernel.stores) widest(store_bytes, store.dtype);
    for (DType dtype : kernel.inputs) widest(read_bytes, dtype);
    for (DType dtype : kernel.tables) widest(read_bytes, dtype);
    for (const Store& store : kernel.stores)
      if (may_overflow(store.dtype, kernel.lane)) widest(lane_bytes, dtype_of(kernel.lane));
  }
  for (const Stage& stage : plan.stages)
    for (const std::vector<Phase>& phases : stage.classes)
      for (const Phase& phase : phases) {
        std::set<std::uint32_t> sources;
        for (const Launch& launch : phase.launches) {
          spreads = std::max<std::uint64_t>(spreads, launch.spreads.size());
          sources.insert(launch.inputs.begin(), launch.inputs.end());
          for (const std::vector<TableSource>& table : launch.tables)
            for (const TableSource& entry : table) sources.insert(entry.source);
        }
        reads = std::max<std::uint64_t>(reads, sources.size());
      }
  return plan.tile_elements *
         (reads * read_bytes + stores * store_bytes + spreads * sizeof(double) + lane_bytes);
}

}  // namespace roux
