// One tile of one tensor in one pass: read each source once, run the launches, write outputs, feed
// selections and orderings, leave partial sums. A tile is a run of elements or a rectangle of the tensor's
// matrix view, which is gone through row by row. A TileWorker belongs to one thread and owns its buffers;
// what does not change between the tiles of a tensor (tables, scalars, pointers into buffers) is bound
// once.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "base/result.h"
#include "runtime/checkpoint/checkpoint.h"
#include "runtime/checkpoint/writer.h"
#include "runtime/exec/buffer.h"
#include "runtime/exec/fine.h"
#include "runtime/exec/nonfinite.h"
#include "runtime/exec/program.h"
#include "runtime/exec/slots.h"
#include "runtime/library/ordinals.h"
#include "runtime/library/selection.h"

namespace roux {

struct Counters {
  std::atomic<std::uint64_t> bytes_read{0}, bytes_written{0}, launches{0};
  std::atomic<std::uint64_t> works{0};  // rounds of works begun: the next one's id
};

// What all threads of a run share.
struct RunContext {
  const Plan& plan;
  const Program& program;
  std::span<const Checkpoint::Ptr> sources;
  std::span<CheckpointWriter* const> outputs;
  SlotTable& slots;
  KernelCache& kernels;
  Counters& counters;
  NonfiniteTable& nonfinite;
};

// Of a run that goes on with what another left behind: whether all outputs that a tensor belongs to have it. `in_output`:
// its place in each, as in PlannedTensor and CarriedTensor.
bool is_kept(const RunContext& context, std::span<const std::uint32_t> in_output);
// Once all numbers are known: what was not read for such tensors counts for the digests of inputs as if it had been.
void count_kept_as_read(const RunContext& context);

// A selection that takes the values of a tensor.
struct Feed {
  std::uint32_t selection;
  SelectionRun* run;
  std::uint64_t position;  // of the tensor's first element; may have wrapped below zero
  bool one_thread;         // the run was made for a single caller, whichever thread that is
};

struct OrderingFeed {
  std::uint32_t ordering;
  OrdinalRun* run;
  std::uint64_t position;
};

// Why a tensor is gone through: for all that it makes; again, because a selection over the model needs its
// values once more and fine numbers are gone; or for selections alone: further, or before all that, for a sample.
enum class Round { first, again, further, sample };

// Neighbouring elements that a sample takes from a tile.
inline constexpr std::uint64_t kSampledInARow = 64;

// One pass over one tensor, perhaps in several rounds.
struct Work {
  std::uint64_t id = 0;  // differs between any two rounds of any works of a run
  std::uint32_t tensor = 0;
  const PassProgram* program = nullptr;
  Round round = Round::first;
  bool is_kept = false;  // all outputs that it belongs to have it already
  MatrixView view;
  FineNumbers* fine = nullptr;    // where the stage has any
  std::uint64_t block_count = 0;  // partial results of one reduction
  std::vector<double> partials;   // [reduction of the pass][block]: of the run, of [row], of columns [block]
  std::vector<Feed> feeds;
  std::vector<OrderingFeed> orderings;

  void make_partials() { partials.resize(program->reductions.size() * block_count); }
  double* partials_of(std::uint64_t reduction) { return partials.data() + reduction * block_count; }
  std::uint64_t blocks_of_row() const { return (view.columns + kBlock - 1) / kBlock; }
  // A launch runs in the first round for its results, in any for a selection that needs it.
  bool needs(const LaunchProgram& launch) const;
  bool needs_any() const;
  const Feed* feed_for(std::uint32_t selection) const;
  // Whether selections that are still open have to see these elements in a round that is only for them.
  bool needs_elements(std::uint64_t first, std::uint64_t count) const;
};

// Tiles in a row for one thread: neighbours are read as one run, and blocks that are hashed are rarely shared.
inline constexpr std::uint64_t kTilesInARow = 128;

// A part of a tensor's matrix view.
struct Rect {
  std::uint64_t row, rows, column, columns;
};

// Tiles that a tensor needs; 0 for an empty one.
std::uint64_t tile_count(const Plan& plan, const PlannedTensor& tensor);
// The same by rows: whole rows, or parts of one that begin at multiples of a tile.
std::uint64_t row_tile_count(const Plan& plan, const MatrixView& view);
Rect row_tile(const Plan& plan, const MatrixView& view, std::uint64_t tile);

// An amount that the recipe computes from tensors is known only in the run. More than there are is all of them.
Result<std::uint64_t> checked_rank(double rank, std::uint64_t total, const std::string& over);
// The element index of the last kept tie of a row, from its column.
double cut_in_row(const MatrixView& view, std::uint64_t row, std::int64_t cut);
std::string over_part_of(const PlannedTensor& tensor, Level scope);  // "a row of tensor `x`"

class TileWorker {
 public:
  TileWorker(const RunContext& context, int thread);

  Status run(Work& work, std::uint64_t tile);
  Status run_rows(Work& work, const Rect& rect);
  // Computes a rectangle and shows what each launch stored: row after row, in the launch's buffers.
  using Taker = std::function<Status(const LaunchProgram&, std::span<void* const> stores)>;
  Status compute(Work& work, const Rect& rect, const Taker& take);

 private:
  struct Read {
    std::uint32_t source;
    std::uint64_t tensor;
    std::uint64_t element_bytes;
    std::unique_ptr<DigestFeed> feed;  // null: nobody asks for its digest
  };
  // A launch with its arguments for the tensor at work.
  struct Bound {
    const LaunchProgram* program = nullptr;
    std::vector<const void*> inputs;
    std::vector<TableEntry> entries;  // of all tables
    std::vector<std::pair<std::size_t, std::size_t>> tables;  // first entry and count
    std::vector<double> scalars;
    std::vector<std::pair<std::size_t, SlotId>> row_scalars;  // set anew for each row
    std::vector<void*> stores;
    // Of one call.
    std::vector<const void*> call_inputs;
    std::vector<TableEntry> call_entries;
    std::vector<Table> call_tables;
    std::vector<void*> call_stores;
    std::vector<double*> reductions;
    std::vector<const double*> spreads;
  };
  // Elements [first, first + count) of the tensor; `offset` of them come before it in the buffers.
  struct Run {
    std::uint64_t first, count, offset;
    std::uint64_t block;  // its first partial result
  };

  void bind(const Work& work);
  void bind_scalars(Bound& bound, const Work& work);
  void bind_tables(Bound& bound, const Work& work);
  const void* buffer_of(std::uint32_t source, DType dtype, std::uint32_t tensor);
  Status read(std::uint64_t first, std::uint64_t count, std::uint64_t offset);
  Status read(const MatrixView& view, const Rect& rect);
  void spread(Bound& bound, const Work& work, std::uint64_t first, std::uint64_t count);
  Status call(Bound& bound, Work& work, const Run& run);
  Status call_rows(Bound& bound, Work& work, const Rect& rect);
  Status store(const LaunchProgram& program, std::span<void* const> stores, const Work& work,
               std::uint64_t first, std::uint64_t count);
  Status select_rows(std::uint32_t selection, const void* values, const Work& work, std::uint64_t first,
                     std::uint64_t count);
  Status look_for_nonfinite(const LaunchProgram& program, const Work& work, const KernelCall& call);
  Result<std::uint64_t> count_nonfinite_lanes(const Kernel& of, std::size_t store, KernelCall call);

  const RunContext& context_;
  int thread_;
  std::uint64_t bound_work_ = 0;
  std::vector<Bound> bound_;  // the first `bound_count_` are in use; the rest keeps its memory
  std::size_t bound_count_ = 0;
  std::vector<Read> reads_;
  std::vector<std::uint32_t> read_of_source_;  // index into reads_, or kNone
  std::vector<Buffer> input_buffers_;          // per read
  std::vector<Buffer> store_buffers_;          // per store of a launch
  std::vector<std::vector<double>> spread_buffers_;  // per spread of a launch
  std::vector<double> unused_partials_;        // of rounds whose reductions are known already
  Buffer lane_buffer_;                         // results before they were stored, where those were not finite
};

// Bytes of one thread's buffers, at most.
std::uint64_t worker_bytes(const Plan& plan);

}  // namespace roux
