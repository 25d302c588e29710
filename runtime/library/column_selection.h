// Exact order statistics of many columns at once, by radix on the bits of the values: in every round all rows
// of a strip of columns are offered, in order, and each column counts one digit of its keys; a last round finds
// the row of the last tie that is kept, where not all are. As a SelectionRun gives for each column alone. Owns
// 2 KB for a column; keeps no values. One thread at a time.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/kernel/op.h"

namespace roux {

class ColumnSelection {
 public:
  // `ranks`: per column n, from 1 to `rows`, or 0: nothing is selected.
  ColumnSelection(LaneType lane, std::vector<std::uint64_t> ranks, std::uint64_t rows);

  bool done() const { return step_ == Step::done; }
  // `values` (floats or doubles, by the lane type): one of each column.
  void observe(std::uint64_t row, const void* values);
  void advance();  // after all rows

  // Once done. Nothing selected: NaN and -1.
  double threshold(std::size_t column) const;
  std::int64_t cut(std::size_t column) const { return cuts_[column]; }  // the row of the last selected tie

  static std::uint64_t peak_bytes(std::uint64_t columns);

 private:
  enum class Step { digits, ties, done };

  template <class Float>
  void count_digits(const Float* values);
  template <class Float>
  void find_ties(std::uint64_t row, const Float* values);
  void narrow(std::size_t column);

  LaneType lane_;
  Step step_ = Step::digits;
  int shift_;                          // of the digit counted in this round
  std::vector<std::uint64_t> ranks_;   // of the answer among the keys with the column's prefix
  std::vector<std::uint64_t> prefixes_;  // the digits found so far, in place
  std::vector<std::uint64_t> left_;      // keys with the prefix
  std::vector<std::uint64_t> counts_;    // [column][digit]
  std::vector<std::int64_t> cuts_;
  std::vector<bool> empty_;
};

}  // namespace roux
