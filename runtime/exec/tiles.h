// One tile of one tensor in one phase: read each source once, run the launches, write outputs, feed
// selections, leave partial sums. A TileWorker belongs to one thread and owns its buffers; what
// does not change between the tiles of a tensor (tables, scalars, pointers into buffers) is bound
// once.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "runtime/checkpoint/checkpoint.h"
#include "runtime/checkpoint/writer.h"
#include "runtime/exec/buffer.h"
#include "runtime/exec/program.h"
#include "runtime/exec/slots.h"
#include "runtime/library/selection.h"

namespace roux {

struct Counters {
  std::atomic<std::uint64_t> bytes_read{0}, bytes_written{0}, launches{0};
  std::atomic<std::uint64_t> works{0};  // rounds of works begun: the next one's id
};

// What all threads of a run share.
struct RunContext {
  const Plan& plan;
  std::span<const Checkpoint::Ptr> sources;
  std::span<CheckpointWriter* const> outputs;
  SlotTable& slots;
  Counters& counters;
};

// A selection that takes the values of a tensor.
struct Feed {
  std::uint32_t selection;
  SelectionRun* run;
  std::uint64_t position;  // of the tensor's first element
  bool one_thread;         // the run was made for a single caller, whichever thread that is
};

// One phase of one tensor, perhaps in several rounds.
struct Work {
  std::uint64_t id = 0;  // differs between any two rounds of any works of a run
  std::uint32_t tensor = 0;
  const PhaseProgram* program = nullptr;
  bool first_round = true;
  std::uint64_t block_count = 0;
  std::vector<double> partials;  // [reduction of the phase][block]
  std::vector<Feed> feeds;

  void make_partials() { partials.resize(program->reductions.size() * block_count); }
  // A launch runs in the first round for its results, and in any round for a selection that needs
  // it.
  bool needs(const LaunchProgram& launch) const;
  bool needs_any() const;
  const Feed* feed_for(std::uint32_t selection) const;
};

// Tiles that a tensor needs; 0 for an empty one.
std::uint64_t tile_count(const Plan& plan, const PlannedTensor& tensor);

class TileWorker {
 public:
  TileWorker(const RunContext& context, int thread);

  Status run(Work& work, std::uint64_t tile);

 private:
  struct Read {
    std::uint32_t source;
    std::uint64_t tensor;
    std::uint64_t element_bytes;
  };
  // A launch with its arguments for the tensor at work.
  struct Bound {
    const LaunchProgram* program = nullptr;
    std::vector<const void*> inputs;
    std::vector<TableEntry> entries;  // of all tables
    std::vector<Table> tables;
    std::vector<double> scalars;
    std::vector<void*> stores;
    std::vector<double*> reductions;  // differ from tile to tile
  };

  void bind(const Work& work);
  Bound& bind_launch(const LaunchProgram& program, const Work& work);
  void bind_scalars(Bound& bound, const Work& work);
  void bind_tables(Bound& bound, const Work& work);
  const void* buffer_of(std::uint32_t source, DType dtype, std::uint32_t tensor);
  Status read(std::uint64_t first, std::uint64_t count);
  void launch(Bound& bound, Work& work, std::uint64_t first, std::uint64_t count);
  Status store(const Bound& bound, const Work& work, std::uint64_t first, std::uint64_t count);

  const RunContext& context_;
  int thread_;
  std::uint64_t bound_work_ = 0;
  std::vector<Bound> bound_;  // the first `bound_count_` are in use; the rest keeps its memory
  std::size_t bound_count_ = 0;
  std::vector<Read> reads_;
  std::vector<std::uint32_t> read_of_source_;  // index into reads_, or kNone
  std::vector<Buffer> input_buffers_;          // per read
  std::vector<Buffer> store_buffers_;          // per store of a launch
  std::vector<double> unused_partials_;        // of rounds whose reductions are known already
};

// Bytes of one thread's buffers, at most.
std::uint64_t worker_bytes(const Plan& plan);

}  // namespace roux
