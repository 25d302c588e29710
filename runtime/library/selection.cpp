#include "runtime/library/selection.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <limits>
#include <optional>
#include <vector>

#include "base/result.h"
#include "runtime/library/bracket.h"
#include "runtime/library/key_loops.h"
#include "runtime/library/order_key.h"

namespace roux {
namespace {

// Note [Selection rounds]
// A value's key is its bit pattern, turned so that unsigned order is IEEE totalOrder. A round
// counts one digit (16 bits) of the keys that are still in question; `advance` keeps the bin that
// holds the answer. Should all digits of the key be used up by ties, the digits of the position are
// counted in the same way. As soon as few enough entries are left, the next round collects them and
// the answer is picked. After a sample the first round has a bracket (bracket.h), which most often gives the answer,
// or the range of keys or of positions that the rounds go on with.
constexpr int kDigitBits = 16;
constexpr std::size_t kBins = std::size_t{1} << kDigitBits;
constexpr std::size_t kChunk = Bracket::Observer::kMost;  // keys made at a time: they stay in the first-level cache
constexpr std::uint64_t kAll = ~std::uint64_t{0};

constexpr std::uint64_t kSampledOf = 1024;  // one value in so many is enough of a sample
constexpr std::uint64_t kFewestSampled = 4096;

struct Histogram {
  // Two tables, for even and odd elements: equal neighbours would wait for each other's increment.
  std::array<std::array<std::uint64_t, kBins>, 2> bins{};
  std::uint64_t last_position = 0;
};

}  // namespace

struct SelectionRun::State {
  enum class Step { sample, bracket, key_digit, position_digit, collect, done };

  LaneType lane;
  std::uint64_t rank;  // of the answer among the entries left
  std::uint64_t total;
  std::uint64_t left;  // entries with key and position in the ranges below
  std::uint64_t collect_limit;
  Step step = Step::done;
  Range keys, positions;
  int key_shift, position_shift = 64;                  // of the digit counted in this round
  std::vector<std::unique_ptr<Histogram>> histograms;  // per thread, made when first used
  std::unique_ptr<Entry[]> entries;
  std::atomic<std::uint64_t> entry_count{0};
  std::unique_ptr<std::uint64_t[]> sampled;
  std::uint64_t sample_limit = 0;
  std::atomic<std::uint64_t> sampled_count{0};
  std::unique_ptr<Bracket> bracket;
  double threshold = std::numeric_limits<double>::quiet_NaN();
  std::int64_t cut = -1;

  State(LaneType lane_type, std::uint64_t n, std::uint64_t all, int threads, std::uint64_t limit)
      : lane(lane_type),
        rank(n),
        total(all),
        left(all),
        collect_limit(limit),
        key_shift(lane_type == LaneType::f32 ? 32 : 64),
        histograms(threads) {}

  void choose_step();
  template <class Float>
  void observe(int thread, std::uint64_t position, const Float* values, std::uint64_t count);
  template <class Key>
  void observe_keys(Histogram* histogram, std::uint64_t position, const Key* keys,
                    std::size_t count);
  template <class Key>
  void add_to_sample(const Key* keys, std::size_t count);
  void choose_bracket();
  void leave_bracket();
  void merge_histograms(Histogram& sum);
  void narrow_keys(const Histogram& sum);
  void narrow_positions(const Histogram& sum);
  void pick();
  void finish(std::uint64_t key, std::int64_t last_kept);
};

void SelectionRun::State::choose_step() {
  if (left <= collect_limit) {
    entries = std::make_unique_for_overwrite<Entry[]>(left);
    step = Step::collect;
  } else if (key_shift > 0) {
    key_shift -= kDigitBits;
    step = Step::key_digit;
  } else {
    if (step == Step::key_digit) {
      std::uint64_t last = 0;
      for (const auto& h : histograms)
        if (h) last = std::max(last, h->last_position);
      position_shift = std::bit_width(last);
    }
    position_shift = std::max(0, position_shift - kDigitBits);
    step = Step::position_digit;
  }
}

template <class Key>
void SelectionRun::State::observe_keys(Histogram* histogram, std::uint64_t position,
                                       const Key* keys_in, std::size_t count) {
  const Key low = static_cast<Key>(keys.low), span = static_cast<Key>(keys.span);
  if (step == Step::key_digit &&
      span == static_cast<Key>(kAll)) {  // the first round: all are inside
    for (std::size_t i = 0; i < count; ++i) ++histogram->bins[i & 1][keys_in[i] >> key_shift];
    return;
  }
  const std::size_t inside = count_inside(keys_in, count, low, span);
  if (inside == 0) return;
  switch (step) {
    case Step::key_digit:
      for (std::size_t i = 0; i < count; ++i)
        if (const Key offset = keys_in[i] - low; offset <= span)
          ++histogram->bins[i & 1][offset >> key_shift];
      return;
    case Step::position_digit:
      for (std::size_t i = 0; i < count; ++i)
        if (static_cast<Key>(keys_in[i] - low) <= span)
          ++histogram->bins[0][(position + i - positions.low) >> position_shift];
      return;
    case Step::collect: {
      std::uint64_t at = entry_count.fetch_add(inside, std::memory_order_relaxed);
      for (std::size_t i = 0; i < count; ++i)
        if (static_cast<Key>(keys_in[i] - low) <= span && at < left)
          entries[at++] = {keys_in[i], position + i};
      return;
    }
    case Step::sample:
    case Step::bracket:
    case Step::done: return;
  }
}

template <class Key>
void SelectionRun::State::add_to_sample(const Key* keys_in, std::size_t count) {
  std::uint64_t at = sampled_count.fetch_add(count, std::memory_order_relaxed);
  for (std::size_t i = 0; i < count && at < sample_limit; ++i) sampled[at++] = keys_in[i];
}

template <class Float>
void SelectionRun::State::observe(int thread, std::uint64_t position, const Float* values,
                                  std::uint64_t count) {
  if (position < positions.low) {
    const std::uint64_t skipped = std::min(count, positions.low - position);
    position += skipped, values += skipped, count -= skipped;
  }
  if (count == 0 || position - positions.low > positions.span) return;
  const std::uint64_t room = positions.span - (position - positions.low);  // one less than fits
  count = std::min(count - 1, room) + 1;

  Histogram* histogram = nullptr;
  std::optional<Bracket::Observer> observer;
  if (step == Step::bracket) observer.emplace(*bracket);
  if (step == Step::key_digit || step == Step::position_digit) {
    if (!histograms[thread]) histograms[thread] = std::make_unique<Histogram>();
    histogram = histograms[thread].get();
    histogram->last_position = std::max(histogram->last_position, position + count - 1);
  }
  KeyOf<Float> chunk[kChunk];
  for (std::uint64_t first = 0; first < count; first += kChunk) {
    const std::size_t size = std::min<std::uint64_t>(kChunk, count - first);
    to_keys(values + first, size, chunk);
    if (observer) {
      observer->take(position + first, chunk, size);
    } else if (step == Step::sample) {
      add_to_sample(chunk, size);
    } else {
      observe_keys(histogram, position + first, chunk, size);
    }
  }
}

void SelectionRun::State::choose_bracket() {
  const std::uint64_t count = std::min(sampled_count.load(), sample_limit);
  const std::uint64_t greatest = lane == LaneType::f32 ? ~std::uint32_t{0} : kAll;
  bracket = Bracket::of_sample({sampled.get(), count}, rank, total, collect_limit, greatest);
  sampled.reset();
  if (bracket) bracket->make_room();
  step = bracket ? Step::bracket : Step::key_digit;
}

void SelectionRun::State::leave_bracket() {
  const Bracket::Result result = bracket->result();
  bracket.reset();
  if (result.kind == Bracket::Result::Kind::found) {
    constexpr std::int64_t kLast = std::numeric_limits<std::int64_t>::max();
    return finish(result.found.key, result.all_ties ? kLast : static_cast<std::int64_t>(result.found.position));
  }
  rank = result.rank;
  left = result.left;
  keys = result.keys;
  if (result.kind == Bracket::Result::Kind::in_positions) {
    positions = result.positions;
    key_shift = 0;
    position_shift = std::bit_width(positions.span);
    step = Step::position_digit;
  } else {
    key_shift += kDigitBits;  // its first digit is still to be counted
    step = Step::key_digit;
  }
  choose_step();
}

// Adds the threads' counts into `sum` and clears them for the next round.
void SelectionRun::State::merge_histograms(Histogram& sum) {
  std::uint64_t seen = 0;
  for (const auto& histogram : histograms) {
    if (!histogram) continue;
    for (auto& bins : histogram->bins)
      for (std::size_t bin = 0; bin < kBins; ++bin) {
        sum.bins[0][bin] += bins[bin];
        seen += bins[bin];
        bins[bin] = 0;
      }
  }
  ROUX_CHECK(seen == left);  // each round must be offered the same values
}

void SelectionRun::State::narrow_keys(const Histogram& sum) {
  std::size_t bin = kBins - 1;
  while (sum.bins[0][bin] < rank) rank -= sum.bins[0][bin--];
  left = sum.bins[0][bin];
  const std::uint64_t skipped = static_cast<std::uint64_t>(bin) << key_shift;
  keys.low += skipped;
  keys.span = std::min(keys.span - skipped, (std::uint64_t{1} << key_shift) - 1);
  if (key_shift == 0 && rank == left) finish(keys.low, std::numeric_limits<std::int64_t>::max());
}

void SelectionRun::State::narrow_positions(const Histogram& sum) {
  std::size_t bin = 0;
  while (sum.bins[0][bin] < rank) rank -= sum.bins[0][bin++];
  left = sum.bins[0][bin];
  positions.low += static_cast<std::uint64_t>(bin) << position_shift;
  positions.span = (std::uint64_t{1} << position_shift) - 1;
  if (position_shift == 0) finish(keys.low, static_cast<std::int64_t>(positions.low));
}

void SelectionRun::State::pick() {
  ROUX_CHECK(entry_count == left);  // each round must be offered the same values
  Entry* answer = entries.get() + (rank - 1);
  std::nth_element(entries.get(), answer, entries.get() + left, is_larger);
  finish(answer->key, static_cast<std::int64_t>(answer->position));
}

void SelectionRun::State::finish(std::uint64_t key, std::int64_t last_kept) {
  threshold = lane == LaneType::f32 ? double{from_key<float>(static_cast<std::uint32_t>(key))}
                                    : from_key<double>(key);
  cut = last_kept;
  step = Step::done;
  histograms.clear();
  entries.reset();
}

SelectionRun::SelectionRun(LaneType lane, std::uint64_t rank, std::uint64_t total, int threads,
                           std::uint64_t collect_limit)
    : state_(std::make_unique<State>(lane, rank, total, threads, collect_limit)) {
  ROUX_CHECK(rank <= total);
  if (rank > 0) state_->choose_step();
}

SelectionRun::~SelectionRun() = default;
SelectionRun::SelectionRun(SelectionRun&&) noexcept = default;
SelectionRun& SelectionRun::operator=(SelectionRun&&) noexcept = default;

std::uint64_t SelectionRun::sample_size() const {
  const std::uint64_t size = std::min(state_->total / kSampledOf, state_->collect_limit);
  return state_->step == State::Step::key_digit && size >= kFewestSampled ? size : 0;
}

void SelectionRun::begin_sample() {
  state_->sample_limit = sample_size();
  state_->sampled = std::make_unique_for_overwrite<std::uint64_t[]>(state_->sample_limit);
  state_->step = State::Step::sample;
}

bool SelectionRun::is_sampling() const { return state_->step == State::Step::sample; }

bool SelectionRun::needs(std::uint64_t position, std::uint64_t count) const {
  const Range& wanted = state_->positions;
  if (done() || count == 0) return false;
  return position <= wanted.low ? wanted.low - position < count : position - wanted.low <= wanted.span;
}

bool SelectionRun::done() const { return state_->step == State::Step::done; }

void SelectionRun::observe(int thread, std::uint64_t position, const void* values,
                           std::uint64_t count) {
  if (done()) return;
  if (state_->lane == LaneType::f32) {
    state_->observe(thread, position, static_cast<const float*>(values), count);
  } else {
    state_->observe(thread, position, static_cast<const double*>(values), count);
  }
}

void SelectionRun::advance() {
  using Step = State::Step;
  if (done()) return;
  if (state_->step == Step::sample) return state_->choose_bracket();
  if (state_->step == Step::bracket) return state_->leave_bracket();
  if (state_->step == Step::collect) return state_->pick();
  const auto sum = std::make_unique<Histogram>();
  state_->merge_histograms(*sum);
  if (state_->step == Step::key_digit) {
    state_->narrow_keys(*sum);
  } else {
    state_->narrow_positions(*sum);
  }
  if (!done()) state_->choose_step();
}

double SelectionRun::threshold() const { return state_->threshold; }
std::int64_t SelectionRun::cut() const { return state_->cut; }

std::uint64_t SelectionRun::peak_bytes(int threads, std::uint64_t collect_limit, LaneType) {
  return (static_cast<std::uint64_t>(threads) + 1) * sizeof(Histogram) +
         collect_limit * sizeof(Entry);
}

}  // namespace roux
