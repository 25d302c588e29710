#include "runtime/exec/tiles.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

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
  if (first_round && launch.keeps_results) return true;
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

std::uint64_t tile_count(const Plan& plan, const PlannedTensor& tensor) {
  return (tensor.element_count + plan.tile_elements - 1) / plan.tile_elements;
}

TileWorker::TileWorker(const RunContext& context, int thread)
    : context_(context), thread_(thread), read_of_source_(context.plan.sources.size(), kNone) {}

Status TileWorker::run(Work& work, std::uint64_t tile) {
  if (bound_work_ != work.id) bind(work);
  const std::uint64_t first = tile * context_.plan.tile_elements;
  const std::uint64_t count = std::min(context_.plan.tile_elements,
                                       context_.plan.tensors[work.tensor].element_count - first);
  ROUX_DO(read(first, count));
  for (std::size_t i = 0; i < bound_count_; ++i) {
    launch(bound_[i], work, first, count);
    ROUX_DO(store(bound_[i], work, first, count));
  }
  return ok();
}

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
    bound.reductions.resize(program.launch->reductions.size());
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
  bound_work_ = work.id;
}

void TileWorker::bind_scalars(Bound& bound, const Work& work) {
  bound.scalars.clear();
  for (SlotId slot : bound.program->launch->scalars)
    bound.scalars.push_back(context_.slots.get(slot, work.tensor));
  for (const LaunchProgram::Top& top : bound.program->tops) {
    const SlotId slot = bound.program->launch->scalars[top.threshold];
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
  std::size_t capacity = 0;
  for (const std::vector<TableSource>& table : launch.tables) capacity += table.size();
  bound.entries.reserve(capacity);  // tables point into it
  for (std::size_t t = 0; t < launch.tables.size(); ++t) {
    const std::size_t begin = bound.entries.size();
    for (const TableSource& entry : launch.tables[t]) {
      const double coefficient = context_.slots.get(entry.coefficient, work.tensor);
      if (coefficient == 0) continue;  // by definition: not read, whatever its values
      bound.entries.push_back(
          {buffer_of(entry.source, bound.program->kernel->tables[t], work.tensor), coefficient});
    }
    bound.tables.push_back({bound.entries.data() + begin, bound.entries.size() - begin});
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
    reads_.push_back({source, stored, static_cast<std::uint64_t>(bytes_of(dtype))});
    if (input_buffers_.size() < reads_.size()) input_buffers_.emplace_back();
  }
  const std::uint64_t elements = std::min(planned.element_count, context_.plan.tile_elements);
  return input_buffers_[index].reserve(elements * reads_[index].element_bytes);
}

Status TileWorker::read(std::uint64_t first, std::uint64_t count) {
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < reads_.size(); ++i) {
    const Read& read = reads_[i];
    const std::uint64_t size = count * read.element_bytes;
    ROUX_DO(context_.sources[read.source]->read(read.tensor, first * read.element_bytes, size,
                                                input_buffers_[i].data()));
    bytes += size;
  }
  context_.counters.bytes_read.fetch_add(bytes, std::memory_order_relaxed);
  return ok();
}

void TileWorker::launch(Bound& bound, Work& work, std::uint64_t first, std::uint64_t count) {
  const std::uint64_t blocks = (count + kBlock - 1) / kBlock;
  if (!work.first_round) unused_partials_.resize(bound.reductions.size() * blocks);
  for (std::size_t r = 0; r < bound.reductions.size(); ++r) {
    const std::uint64_t row = bound.program->first_reduction + r;
    bound.reductions[r] = work.first_round
                              ? work.partials.data() + row * work.block_count + first / kBlock
                              : unused_partials_.data() + r * blocks;
  }
  KernelCall call;
  call.first = first;
  call.count = count;
  call.inputs = bound.inputs.data();
  call.tables = bound.tables.data();
  call.scalars = bound.scalars.data();
  call.stores = bound.stores.data();
  call.reductions = bound.reductions.data();
  bound.program->code->run(call);
  context_.counters.launches.fetch_add(1, std::memory_order_relaxed);
}

Status TileWorker::store(const Bound& bound, const Work& work, std::uint64_t first,
                         std::uint64_t count) {
  const Launch& launch = *bound.program->launch;
  for (std::size_t s = 0; s < launch.stores.size(); ++s) {
    const StoreTarget target = launch.stores[s];
    if (target.kind == StoreTarget::Kind::selection) {
      const Feed* feed = work.feed_for(target.index);
      if (feed && !feed->run->done())
        feed->run->observe(feed->one_thread ? 0 : thread_, feed->position + first, bound.stores[s],
                           count);
    } else if (work.first_round) {
      const std::uint64_t element_bytes = bytes_of(bound.program->kernel->stores[s].dtype);
      const std::uint32_t tensor = context_.plan.tensors[work.tensor].in_output[target.index];
      ROUX_DO(context_.outputs[target.index]->write(tensor, first * element_bytes, bound.stores[s],
                                                    count * element_bytes));
      context_.counters.bytes_written.fetch_add(count * element_bytes, std::memory_order_relaxed);
    }
  }
  return ok();
}

std::uint64_t worker_bytes(const Plan& plan) {
  // A buffer serves one read after the other: count as if each were needed for the widest of them.
  std::uint64_t reads = 0, stores = 0, read_bytes = 0, store_bytes = 0;
  const auto widest = [](std::uint64_t& bytes, DType dtype) {
    bytes = std::max<std::uint64_t>(bytes, bytes_of(dtype));
  };
  for (const Kernel& kernel : plan.kernels) {
    stores = std::max<std::uint64_t>(stores, kernel.stores.size());
    for (const Store& store : kernel.stores) widest(store_bytes, store.dtype);
    for (DType dtype : kernel.inputs) widest(read_bytes, dtype);
    for (DType dtype : kernel.tables) widest(read_bytes, dtype);
  }
  for (const Stage& stage : plan.stages)
    for (const std::vector<Phase>& phases : stage.classes)
      for (const Phase& phase : phases) {
        std::set<std::uint32_t> sources;
        for (const Launch& launch : phase.launches) {
          sources.insert(launch.inputs.begin(), launch.inputs.end());
          for (const std::vector<TableSource>& table : launch.tables)
            for (const TableSource& entry : table) sources.insert(entry.source);
        }
        reads = std::max<std::uint64_t>(reads, sources.size());
      }
  return plan.tile_elements * (reads * read_bytes + stores * store_bytes);
}

}  // namespace roux
