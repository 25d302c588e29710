// Exact order statistics without sorting: the n-th largest of a stream of values, by radix on the bits of
// the float (their order is IEEE totalOrder once negative patterns are flipped; every NaN counts as the
// positive quiet one, above +inf). Values are offered in rounds: each round is one whole sweep over the
// same values, in any order, from any number of threads at once; after a round `advance` narrows the range
// of bit patterns. When the values left fit into memory they are collected and the answer picked directly,
// usually in the second round, and in the first where a sample told beforehand where to look. Among equal values
// the lower position counts as larger, so that exactly n are selected. Owns its histograms; never keeps the tensor.
#pragma once

#include <cstdint>
#include <memory>

#include "runtime/kernel/op.h"

namespace roux {

class SelectionRun {
 public:
  // `rank`: n, from 1 to `total`; 0: nothing is selected and no round is needed. `collect_limit`: how many
  // values may be kept in memory (all threads together).
  SelectionRun(LaneType lane, std::uint64_t rank, std::uint64_t total, int threads,
               std::uint64_t collect_limit);
  ~SelectionRun();
  SelectionRun(SelectionRun&&) noexcept;
  SelectionRun& operator=(SelectionRun&&) noexcept;

  bool done() const;

  // How many values a sample should have, for a look ahead of the first round; 0: it is not worth one.
  std::uint64_t sample_size() const;
  // The next round is that look: the values offered are spread over all of them, and no more than `sample_size`.
  // What follows is exact whatever they were.
  void begin_sample();
  bool is_sampling() const;
  // Whether this round has to see any of the values at positions [position, position + count).
  bool needs(std::uint64_t position, std::uint64_t count) const;

  // `values` (floats or doubles, by the lane type) stand at positions [position, position + count).
  // `thread` < threads; one caller per thread index at a time.
  void observe(int thread, std::uint64_t position, const void* values, std::uint64_t count);
  // Between rounds, from one thread.
  void advance();

  // Once done. Nothing selected: NaN and -1, above which and at or below which nothing is.
  double threshold() const;
  std::int64_t cut() const;  // the position of the last selected value that equals the threshold

  // Bytes that a run with these parameters may hold at its peak, for the planner.
  static std::uint64_t peak_bytes(int threads, std::uint64_t collect_limit, LaneType lane);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace roux
