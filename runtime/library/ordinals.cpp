#include "runtime/library/ordinals.h"

#include <algorithm>
#include <vector>

#include "base/result.h"
#include "runtime/library/order_key.h"

namespace roux {
namespace {

struct Entry {
  std::uint64_t key, position;
};

bool comes_before(const Entry& a, const Entry& b) {
  return a.key != b.key ? a.key < b.key : a.position < b.position;
}

void rank(std::span<Entry> run, std::span<double> ordinals) {
  std::sort(run.begin(), run.end(), comes_before);
  for (std::size_t i = 0; i < run.size(); ++i) ordinals[run[i].position] = static_cast<double>(i);
}

}  // namespace

constexpr std::uint64_t kAbsent = ~std::uint64_t{0};

struct OrdinalRun::State {
  LaneType lane;
  std::vector<Entry> entries;  // by position
};

OrdinalRun::OrdinalRun(LaneType lane, std::uint64_t total)
    : state_(std::make_unique<State>(State{lane, std::vector<Entry>(total, Entry{0, kAbsent})})) {}

OrdinalRun::~OrdinalRun() = default;
OrdinalRun::OrdinalRun(OrdinalRun&&) noexcept = default;
OrdinalRun& OrdinalRun::operator=(OrdinalRun&&) noexcept = default;

void OrdinalRun::observe(std::uint64_t position, const void* values, std::uint64_t count) {
  ROUX_CHECK(position + count <= state_->entries.size());
  const auto take = [&](const auto* typed) {
    for (std::uint64_t i = 0; i < count; ++i)
      state_->entries[position + i] = {to_key(typed[i]), position + i};
  };
  if (state_->lane == LaneType::f32) {
    take(static_cast<const float*>(values));
  } else {
    take(static_cast<const double*>(values));
  }
}

void OrdinalRun::finish(Level scope, const MatrixView& view, std::span<double> ordinals) {
  const std::span<Entry> entries(state_->entries);
  ROUX_CHECK(ordinals.size() == entries.size());
  if (scope == Level::row) {
    for (std::uint64_t r = 0; r < view.rows; ++r)
      rank(entries.subspan(r * view.columns, view.columns), ordinals);
  } else if (scope == Level::column) {
    std::vector<Entry> column(view.rows);
    for (std::uint64_t c = 0; c < view.columns; ++c) {
      for (std::uint64_t r = 0; r < view.rows; ++r) column[r] = entries[r * view.columns + c];
      rank(column, ordinals);
    }
  } else {
    std::erase_if(state_->entries, [](const Entry& entry) { return entry.position == kAbsent; });
    rank(state_->entries, ordinals);
  }
  state_->entries = {};
}

std::uint64_t OrdinalRun::peak_bytes(std::uint64_t total, const MatrixView& view) {
  return (total + view.rows) * sizeof(Entry);
}

}  // namespace roux
