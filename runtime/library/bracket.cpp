#include "runtime/library/bracket.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <functional>
#include <iterator>

#include "base/result.h"
#include "runtime/library/key_loops.h"

namespace roux {
namespace {

constexpr std::size_t kMostFrequent = 8;
// Half the width of a bracket, in deviations of the rank of a sample of independent values. Neighbours are alike, so
// it takes more than the usual few. The second is for where the first would hold too much.
constexpr double kDeviations[] = {10, 5};
constexpr std::uint64_t kFewestSampled = 1024;

}  // namespace

std::unique_ptr<Bracket> Bracket::of_sample(std::span<std::uint64_t> sample, std::uint64_t rank, std::uint64_t total,
                                            std::uint64_t room, std::uint64_t greatest_key) {
  if (sample.size() < kFewestSampled) return nullptr;
  std::unique_ptr<Bracket> bracket(new Bracket(rank, total, room, greatest_key));
  for (const double deviations : kDeviations)
    if (bracket->choose(sample, deviations)) return bracket;
  return nullptr;
}

bool Bracket::choose(std::span<std::uint64_t> sample, double deviations) {
  const auto size = static_cast<double>(sample.size());
  const double share = static_cast<double>(rank_) / static_cast<double>(total_);
  const double margin = deviations * (std::sqrt(size * share * (1 - share)) + 1);
  const auto nth_largest = [&](double n) {
    const auto at = sample.begin() + static_cast<std::ptrdiff_t>(n);
    std::nth_element(sample.begin(), at, sample.end(), std::greater<>());
    return *at;
  };
  high_ = share * size > margin ? nth_largest(share * size - margin) : greatest_;
  low_ = share * size + margin < size ? nth_largest(share * size + margin) : 0;
  std::vector<std::uint64_t> inside;
  std::copy_if(sample.begin(), sample.end(), std::back_inserter(inside),
               [this](std::uint64_t key) { return low_ <= key && key <= high_; });
  std::sort(inside.begin(), inside.end(), std::greater<>());

  const double values_each = static_cast<double>(total_) / size;
  const auto room = static_cast<double>(room_);
  double to_collect = 0;
  frequent_.clear();
  for (auto at = inside.begin(); at != inside.end();) {
    const auto next = std::find_if(at, inside.end(), [&](std::uint64_t key) { return key != *at; });
    const double values = values_each * static_cast<double>(next - at);
    if (values > room / 16 && frequent_.size() < kMostFrequent) {
      frequent_.push_back(*at);
    } else {
      to_collect += values;
    }
    at = next;
  }
  bin_shift_ = std::max(0, static_cast<int>(std::bit_width(total_)) - static_cast<int>(std::bit_width(kBins - 1)));
  counts_ = std::vector<std::atomic<std::uint64_t>>(frequent_.size() * kBins);
  return to_collect < 0.8 * room;
}

// --- the sweep -------------------------------------------------------------------------------------

std::uint64_t Bracket::bin_of(std::uint64_t position) const {
  return std::min<std::uint64_t>(position >> bin_shift_, kBins - 1);
}
std::uint64_t Bracket::end_of_bin(std::uint64_t bin) const {
  return bin == kBins - 1 ? ~std::uint64_t{0} : (bin + 1) << bin_shift_;
}

template <class Key>
void Bracket::Observer::take(std::uint64_t position, const Key* keys, std::size_t count) {
  while (count > 0) {
    const std::uint64_t room = bracket_.end_of_bin(bracket_.bin_of(position)) - position;
    const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(room, count));
    take_in_bin(position, keys, part);
    position += part, keys += part, count -= part;
  }
}
template void Bracket::Observer::take(std::uint64_t, const std::uint32_t*, std::size_t);
template void Bracket::Observer::take(std::uint64_t, const std::uint64_t*, std::size_t);

template <class Key>
void Bracket::Observer::take_in_bin(std::uint64_t position, const Key* keys, std::size_t count) {
  const Key low = static_cast<Key>(bracket_.low_), high = static_cast<Key>(bracket_.high_);
  above_ += count_above(keys, count, high);
  std::size_t inside = count_inside(keys, count, low, static_cast<Key>(high - low));
  for (std::size_t f = 0; f < bracket_.frequent_.size() && inside > 0; ++f) {
    const std::size_t equal = count_inside(keys, count, static_cast<Key>(bracket_.frequent_[f]), Key{0});
    if (equal == 0) continue;
    bracket_.counts_[f * kBins + bracket_.bin_of(position)].fetch_add(equal, std::memory_order_relaxed);
    inside -= equal;
  }
  if (inside > 0) collect(position, keys, count);
}

// Those inside that are not counted. They are few: marks are looked at eight at a time.
template <class Key>
void Bracket::Observer::collect(std::uint64_t position, const Key* keys, std::size_t count) {
  std::array<unsigned char, kMost> marks{};
  const Key low = static_cast<Key>(bracket_.low_), high = static_cast<Key>(bracket_.high_);
  mark_inside(keys, count, low, static_cast<Key>(high - low), marks.data());
  for (const std::uint64_t key : bracket_.frequent_) unmark(keys, count, static_cast<Key>(key), marks.data());
  for (std::size_t first = 0; first < count; first += sizeof(std::uint64_t)) {
    std::uint64_t eight;
    std::memcpy(&eight, marks.data() + first, sizeof eight);
    if (eight == 0) continue;
    for (std::size_t i = first; i < first + sizeof eight; ++i)
      if (marks[i]) entries_[kept_++] = {keys[i], position + i};
  }
  if (kept_ > kMost) flush();
}

void Bracket::Observer::flush() {
  std::uint64_t at = bracket_.entry_count_.fetch_add(kept_, std::memory_order_relaxed);
  for (std::size_t i = 0; i < kept_ && at < bracket_.room_; ++i) bracket_.entries_[at++] = entries_[i];
  kept_ = 0;
}

Bracket::Observer::~Observer() {
  flush();
  bracket_.above_.fetch_add(above_, std::memory_order_relaxed);
}

// --- after it --------------------------------------------------------------------------------------

std::uint64_t Bracket::count_of(std::size_t frequent) const {
  std::uint64_t sum = 0;
  for (std::size_t bin = 0; bin < kBins; ++bin) sum += counts_[frequent * kBins + bin];
  return sum;
}

Bracket::Result Bracket::result() {
  const std::uint64_t above = above_, collected = entry_count_;
  std::uint64_t inside = collected;
  for (std::size_t f = 0; f < frequent_.size(); ++f) inside += count_of(f);
  ROUX_CHECK(above + inside <= total_);
  Result result{.kind = Result::Kind::in_keys};
  if (rank_ <= above) {
    result.keys = {high_ + 1, greatest_ - high_ - 1};
    result.rank = rank_;
    result.left = above;
  } else if (rank_ > above + inside) {
    result.keys = {0, low_ - 1};
    result.rank = rank_ - above - inside;
    result.left = total_ - above - inside;
  } else if (collected > room_) {
    result.keys = {low_, high_ - low_};
    result.rank = rank_ - above;
    result.left = inside;
  } else {
    return answer(rank_ - above, collected);
  }
  return result;
}

// `rank` counts from the largest key inside.
Bracket::Result Bracket::answer(std::uint64_t rank, std::uint64_t collected) {
  Entry* const begin = entries_.get();
  Entry* const end = begin + collected;
  for (std::size_t f = 0; f < frequent_.size(); ++f) {
    const std::uint64_t key = frequent_[f], count = count_of(f);
    const auto larger = static_cast<std::uint64_t>(
        std::count_if(begin, end, [&](const Entry& entry) { return entry.key > key; }));
    if (rank <= larger) break;
    if (rank > larger + count) {
      rank -= count;
      continue;
    }
    rank -= larger;
    if (rank == count) return {.kind = Result::Kind::found, .found = {key, 0}, .all_ties = true};
    std::uint64_t bin = 0;
    const auto in_bin = [&] { return counts_[f * kBins + bin].load(); };
    for (; in_bin() < rank; ++bin) rank -= in_bin();
    const std::uint64_t first = bin << bin_shift_;
    return {.kind = Result::Kind::in_positions,
            .keys = {key, 0},
            .positions = {first, end_of_bin(bin) - 1 - first},
            .rank = rank,
            .left = in_bin()};
  }
  std::nth_element(begin, begin + (rank - 1), end, is_larger);
  return {.kind = Result::Kind::found, .found = begin[rank - 1]};
}

}  // namespace roux
