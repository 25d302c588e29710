// Runs a plan: streams tiles of the sources through compiled kernels over all threads, into writers and
// reductions. Reads through Checkpoint, writes through CheckpointWriter, keeps no more in memory than the
// plan says. Results do not depend on the number of threads or the size of tiles. Callbacks run only on the
// thread that called `execute`. Does not create, finish or commit writers.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "runtime/backend/backend.h"
#include "runtime/checkpoint/checkpoint.h"
#include "runtime/checkpoint/writer.h"
#include "runtime/kernel/plan.h"

namespace roux {

// Compiled kernels of one backend, by text. Thread-safe; lives as long as the engine.
class KernelCache {
 public:
  explicit KernelCache(std::unique_ptr<Backend> backend) : backend_(std::move(backend)) {}
  Result<const CompiledKernel*> get(const Kernel& kernel);
  std::uint64_t compiled_count() const;

 private:
  mutable std::mutex mutex_;
  std::unique_ptr<Backend> backend_;
  std::unordered_map<std::string, std::unique_ptr<CompiledKernel>> kernels_;
};

struct Progress {
  std::uint64_t bytes_done = 0;   // read and written so far
  std::uint64_t bytes_total = 0;  // as planned; selections may need a further round
  double seconds = 0;
};

struct ExecuteOptions {
  std::function<void(const Progress&)> on_progress;     // about ten times a second
  const std::atomic<bool>* cancel = nullptr;
};

// Values of one tensor of an output that are infinite or NaN.
struct Nonfinite {
  std::uint32_t output = 0;
  std::string tensor;
  DType dtype{};                // as stored
  std::uint64_t values = 0;
  std::uint64_t overflows = 0;  // of these: finite results that the dtype does not hold
};

struct ExecuteResult {
  std::vector<double> numbers;        // per Plan::numbers
  std::uint64_t bytes_read = 0;
  std::uint64_t bytes_written = 0;
  std::uint64_t launches = 0;
  double seconds = 0;
  std::vector<std::string> largest_taken;  // carried tensors that differed, where the largest was taken
  std::vector<Nonfinite> nonfinite;        // by output, then tensor
};

// Names and headers up to this size belong to the program, as its code does; what is more counts as memory of the plan.
inline constexpr std::uint64_t kFreeTableBytes = 160ull << 20;

// What a plan takes at its peak: buffers of all threads, selections, partial sums, slots, large tables of tensors.
struct MemoryNeed {
  std::uint64_t bytes = 0;
  std::uint32_t tensor = 0;          // of Plan::tensors: the one that takes most while it is at hand
  std::uint64_t tensor_bytes = 0;    // what it takes; grows with its size, not with that of tiles
};
MemoryNeed memory_need(const Plan& plan);

// `sources` and `outputs` match plan.sources and plan.outputs. Carried tensors are compared before the
// first byte is written; a difference is a diagnostic that names the tensor and both files.
Result<ExecuteResult> execute(const Plan& plan, std::span<const Checkpoint::Ptr> sources,
                              std::span<CheckpointWriter* const> outputs, KernelCache& kernels,
                              const ExecuteOptions& options);

}  // namespace roux
