// Numbers of columns: sums and their kin, and order statistics. A kernel stores rows in the lane type, and what
// is made here goes down the columns, strip by strip, so that neither long rows nor long columns need more than
// a strip's memory. In: one pass over one tensor; out: partial results in the work, and fine numbers.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "runtime/exec/tiles.h"

namespace roux {

// Independent pieces of such a pass: strips of columns, for sums also cut into blocks of rows.
std::uint64_t column_sum_count(const MatrixView& view);
std::uint64_t column_order_count(const MatrixView& view);

// One piece. Sums: leaves the partial result of each block and column.
Status sum_columns(const RunContext& context, TileWorker& worker, Work& work, std::uint64_t piece);
// All rounds of a strip; sets thresholds and cuts.
Status order_columns(const RunContext& context, TileWorker& worker, Work& work, std::uint64_t piece);

// Of one thread, at most.
std::uint64_t column_bytes(const MatrixView& view, std::uint64_t sums, std::uint64_t orders);

}  // namespace roux
