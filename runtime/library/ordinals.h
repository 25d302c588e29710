// Positions in ascending order: the values of a tensor or of a whole model are offered once, in any order and
// from any threads, then sorted by key and index, in one run or in those of the rows or columns of a matrix.
// Holds 16 bytes for a value while it works.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "runtime/kernel/plan.h"

namespace roux {

class OrdinalRun {
 public:
  OrdinalRun(LaneType lane, std::uint64_t total);
  ~OrdinalRun();
  OrdinalRun(OrdinalRun&&) noexcept;
  OrdinalRun& operator=(OrdinalRun&&) noexcept;

  // `values` (floats or doubles, by the lane type) stand at positions [position, position + count).
  void observe(std::uint64_t position, const void* values, std::uint64_t count);

  // Once all are offered (over the whole there may be positions without a value): at each value's position its place, from 0, among those of its run, lower index
  // first where values are equal. `scope`: row, column of the view, or else all are one run. Gives back the
  // memory.
  void finish(Level scope, const MatrixView& view, std::span<double> ordinals);

  static std::uint64_t peak_bytes(std::uint64_t total, const MatrixView& view);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace roux
