// Results that are not finite: counted in what is stored, for each output and tensor. A stored value
// that is not finite although the result was is an overflow of the storage type; telling the two apart
// takes the results in the lane type, which only the rare tile that holds such values computes again.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "base/dtype.h"
#include "runtime/kernel/kernel.h"

namespace roux {

// Stored values that are infinite or NaN.
std::uint64_t count_nonfinite(DType dtype, const void* values, std::uint64_t count);

struct NonfiniteCount {
  std::uint32_t output = 0, tensor = 0;  // of the plan
  std::uint64_t values = 0;              // infinite or NaN as stored
  std::uint64_t overflows = 0;           // of these: finite before they were stored
};

// What the tiles of a run found. Thread-safe.
class NonfiniteTable {
 public:
  void add(const NonfiniteCount& found);
  std::vector<NonfiniteCount> counts() const;  // by output, then tensor

 private:
  mutable std::mutex mutex_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, NonfiniteCount> counts_;
};

// Whether the type holds fewer finite values than the lanes, so that storing may overflow.
bool may_overflow(DType stored, LaneType lane);
DType dtype_of(LaneType lane);
// The kernel that stores one of another's results as it is in the lanes, and does nothing else.
Kernel lane_kernel(const Kernel& kernel, std::size_t store);

}  // namespace roux
