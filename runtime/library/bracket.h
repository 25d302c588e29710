// A range of keys (order_key.h) that most likely holds the n-th largest of many values, chosen by a sample of them.
// One sweep over all values then counts those above it and collects those inside; the few keys inside that the
// sample shows often are not collected, which would take too much room, but counted by position. So either the
// answer is known after one sweep, or at most in which bin of positions the last kept tie stands, or, should the
// sample have misled, which range of keys to look into instead. Observed by any number of threads at once.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace roux {

// The numbers low, low + 1, ..., low + span.
struct Range {
  std::uint64_t low = 0, span = ~std::uint64_t{0};
};

struct Entry {
  std::uint64_t key, position;
};
// Lower positions count as larger.
inline bool is_larger(const Entry& a, const Entry& b) {
  return a.key != b.key ? a.key > b.key : a.position < b.position;
}

class Bracket {
 public:
  // `rank` of `total` is looked for; `room` entries may be collected. Reorders the sample. Null: the values that
  // it would have to hold are too many.
  static std::unique_ptr<Bracket> of_sample(std::span<std::uint64_t> sample, std::uint64_t rank, std::uint64_t total,
                                            std::uint64_t room, std::uint64_t greatest_key);
  // Before the sweep, when the sample is gone: both together would be more memory than was asked for.
  void make_room() { entries_ = std::make_unique_for_overwrite<Entry[]>(room_); }

  // What one thread has seen and not told yet.
  class Observer {
   public:
    explicit Observer(Bracket& bracket) : bracket_(bracket) {}
    ~Observer();
    // At most kMost keys, at positions from `position` on.
    template <class Key>
    void take(std::uint64_t position, const Key* keys, std::size_t count);

    static constexpr std::size_t kMost = 1024;

   private:
    template <class Key>
    void take_in_bin(std::uint64_t position, const Key* keys, std::size_t count);
    template <class Key>
    void collect(std::uint64_t position, const Key* keys, std::size_t count);
    void flush();

    Bracket& bracket_;
    std::uint64_t above_ = 0;
    std::size_t kept_ = 0;
    Entry entries_[2 * kMost];
  };

  // After the sweep, of which there is one.
  struct Result {
    enum class Kind { found, in_positions, in_keys } kind;
    Entry found{};          // the answer
    bool all_ties = false;  // found: everything that equals it is selected
    Range keys, positions;  // otherwise: where it is, its rank there, and how many values there are
    std::uint64_t rank = 0, left = 0;
  };
  Result result();

 private:
  static constexpr std::size_t kBins = std::size_t{1} << 14;

  Bracket(std::uint64_t rank, std::uint64_t total, std::uint64_t room, std::uint64_t greatest_key)
      : rank_(rank), total_(total), room_(room), greatest_(greatest_key) {}
  bool choose(std::span<std::uint64_t> sample, double deviations);
  Result answer(std::uint64_t rank, std::uint64_t collected);
  std::uint64_t count_of(std::size_t frequent) const;
  std::uint64_t bin_of(std::uint64_t position) const;
  std::uint64_t end_of_bin(std::uint64_t bin) const;

  std::uint64_t rank_, total_, room_, greatest_;
  std::uint64_t low_ = 0, high_ = 0;
  std::vector<std::uint64_t> frequent_;  // falling
  int bin_shift_ = 0;
  std::vector<std::atomic<std::uint64_t>> counts_;  // [frequent][bin]
  std::unique_ptr<Entry[]> entries_;
  std::atomic<std::uint64_t> above_{0}, entry_count_{0};
};

}  // namespace roux
