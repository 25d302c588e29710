#include "runtime/library/column_selection.h"

#include <algorithm>
#include <limits>

#include "base/result.h"
#include "runtime/library/order_key.h"

namespace roux {
namespace {

constexpr int kDigitBits = 8;
constexpr std::size_t kBins = std::size_t{1} << kDigitBits;

}  // namespace

ColumnSelection::ColumnSelection(LaneType lane, std::vector<std::uint64_t> ranks, std::uint64_t rows)
    : lane_(lane),
      shift_((lane == LaneType::f32 ? 32 : 64) - kDigitBits),
      ranks_(std::move(ranks)),
      prefixes_(ranks_.size()),
      left_(ranks_.size(), rows),
      counts_(ranks_.size() * kBins),
      cuts_(ranks_.size(), -1) {
  for (const std::uint64_t rank : ranks_) {
    ROUX_CHECK(rank <= rows);
    empty_.push_back(rank == 0);
  }
  if (std::find(empty_.begin(), empty_.end(), false) == empty_.end()) step_ = Step::done;
}

template <class Float>
void ColumnSelection::count_digits(const Float* values) {
  const int found = shift_ + kDigitBits;  // the bits from here on have to be those of the prefix
  const std::uint64_t mask = found == 64 ? 0 : ~std::uint64_t{0} << found;
  for (std::size_t c = 0; c < ranks_.size(); ++c) {
    const std::uint64_t key = to_key(values[c]);
    if ((key & mask) == prefixes_[c]) ++counts_[c * kBins + ((key >> shift_) & (kBins - 1))];
  }
}

// Of equal values the lower row counts as larger.
template <class Float>
void ColumnSelection::find_ties(std::uint64_t row, const Float* values) {
  for (std::size_t c = 0; c < ranks_.size(); ++c)
    if (ranks_[c] > 0 && to_key(values[c]) == prefixes_[c] && --ranks_[c] == 0)
      cuts_[c] = static_cast<std::int64_t>(row);
}

void ColumnSelection::observe(std::uint64_t row, const void* values) {
  const auto offer = [&](const auto* typed) {
    if (step_ == Step::digits) count_digits(typed);
    if (step_ == Step::ties) find_ties(row, typed);
  };
  if (lane_ == LaneType::f32) {
    offer(static_cast<const float*>(values));
  } else {
    offer(static_cast<const double*>(values));
  }
}

void ColumnSelection::narrow(std::size_t column) {
  std::uint64_t* counts = counts_.data() + column * kBins;
  if (!empty_[column]) {
    std::size_t bin = kBins - 1;
    while (counts[bin] < ranks_[column]) ranks_[column] -= counts[bin--];
    left_[column] = counts[bin];
    prefixes_[column] |= static_cast<std::uint64_t>(bin) << shift_;
  }
  std::fill_n(counts, kBins, 0);
}

void ColumnSelection::advance() {
  if (step_ != Step::digits) {
    step_ = Step::done;
    return;
  }
  for (std::size_t c = 0; c < ranks_.size(); ++c) narrow(c);
  if (shift_ > 0) {
    shift_ -= kDigitBits;
    return;
  }
  step_ = Step::done;
  for (std::size_t c = 0; c < ranks_.size(); ++c) {
    if (empty_[c]) continue;
    if (ranks_[c] < left_[c]) {
      step_ = Step::ties;
    } else {
      ranks_[c] = 0;  // all ties are kept
      cuts_[c] = std::numeric_limits<std::int64_t>::max();
    }
  }
}

double ColumnSelection::threshold(std::size_t column) const {
  if (empty_[column]) return std::numeric_limits<double>::quiet_NaN();
  return lane_ == LaneType::f32 ? double{from_key<float>(static_cast<std::uint32_t>(prefixes_[column]))}
                                : from_key<double>(prefixes_[column]);
}

std::uint64_t ColumnSelection::peak_bytes(std::uint64_t columns) {
  return columns * (kBins + 6) * sizeof(std::uint64_t);
}

}  // namespace roux
