#include "runtime/exec/nonfinite.h"

#include <algorithm>
#include <cstring>

#include "base/all_widths.h"
#include "base/result.h"

namespace roux {
namespace {

// The values of one type as words: what is not finite has a magnitude from `first` on. Adding what is
// left up to the sign bit sets that bit for exactly those, with no branch and no comparison.
template <class Word>
struct Words {
  static constexpr Word kSign = static_cast<Word>(Word{1} << (sizeof(Word) * 8 - 1));
  static constexpr std::uint64_t kRun = 4096;  // looked at together

  Word first;

  [[gnu::always_inline]] static Word at(const unsigned char* data, std::uint64_t index) {
    Word word;
    std::memcpy(&word, data + index * sizeof word, sizeof word);
    return word;
  }
  [[gnu::always_inline]] Word marked(Word word) const { return static_cast<Word>((word & (kSign - 1)) + (kSign - first)); }

  [[gnu::always_inline]] bool any(const unsigned char* data, std::uint64_t count) const {
    Word all = 0;
    for (std::uint64_t i = 0; i < count; ++i) all |= marked(at(data, i));
    return (all & kSign) != 0;
  }
  [[gnu::always_inline]] std::uint64_t count(const unsigned char* data, std::uint64_t count) const {
    std::uint64_t found = 0;
    for (std::uint64_t begin = 0; begin < count; begin += kRun) {
      const std::uint64_t size = std::min(kRun, count - begin);
      const unsigned char* run = data + begin * sizeof(Word);
      if (!any(run, size)) continue;
      for (std::uint64_t i = 0; i < size; ++i) found += (marked(at(run, i)) & kSign) != 0;
    }
    return found;
  }
};

}  // namespace

ROUX_ALL_WIDTHS std::uint64_t count_nonfinite(DType dtype, const void* values, std::uint64_t count) {
  const auto* data = static_cast<const unsigned char*>(values);
  switch (dtype) {
    case DType::f64: return Words<std::uint64_t>{0x7FF0000000000000u}.count(data, count);
    case DType::f32: return Words<std::uint32_t>{0x7F800000u}.count(data, count);
    case DType::f16: return Words<std::uint16_t>{0x7C00u}.count(data, count);
    case DType::bf16: return Words<std::uint16_t>{0x7F80u}.count(data, count);
    case DType::f8_e4m3: return Words<std::uint8_t>{0x7Fu}.count(data, count);
    case DType::f8_e5m2: return Words<std::uint8_t>{0x7Cu}.count(data, count);
    default: ROUX_CHECK(is_floating(dtype)); return 0;
  }
}

void NonfiniteTable::add(const NonfiniteCount& found) {
  const std::lock_guard lock(mutex_);
  NonfiniteCount& sum = counts_.try_emplace({found.output, found.tensor}, NonfiniteCount{found.output, found.tensor})
                            .first->second;
  sum.values += found.values;
  sum.overflows += found.overflows;
}

std::vector<NonfiniteCount> NonfiniteTable::counts() const {
  const std::lock_guard lock(mutex_);
  std::vector<NonfiniteCount> counts;
  for (const auto& [place, count] : counts_) counts.push_back(count);
  return counts;
}

DType dtype_of(LaneType lane) { return lane == LaneType::f64 ? DType::f64 : DType::f32; }

bool may_overflow(DType stored, LaneType lane) { return bytes_of(stored) < bytes_of(dtype_of(lane)); }

Kernel lane_kernel(const Kernel& kernel, std::size_t store) {
  Kernel result = kernel;
  result.stores = {{dtype_of(kernel.lane), kernel.stores[store].value}};
  result.reductions.clear();
  return result;
}

}  // namespace roux
