// A selection of the largest fifth, as a run makes one: for measuring, and for counting instructions.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "runtime/library/selection.h"

namespace roux {

// As differences of bf16 weights are: multiples of a small step, so that many are equal.
inline std::vector<float> magnitudes(std::uint64_t count, float step) {
  std::vector<float> values(count);
  std::uint64_t seed = 1;
  for (float& value : values) {
    float sum = 0;
    for (int i = 0; i < 4; ++i) {
      seed = seed * 6364136223846793005u + 1442695040888963407u;
      sum += static_cast<float>(seed >> 40) / 8388608.0f - 1.0f;
    }
    value = std::fabs(step > 0 ? std::round(sum / step) * step : sum);
  }
  return values;
}

// What a run may hold of so many values, so that a sample pays.
inline constexpr std::uint64_t kLimit = 1u << 20;

inline void sample(SelectionRun& run, const std::vector<float>& values) {
  constexpr std::uint64_t kInARow = 64;
  const std::uint64_t step = values.size() / (run.sample_size() / kInARow);
  run.begin_sample();
  for (std::uint64_t first = 0; first + kInARow <= values.size(); first += step)
    run.observe(0, first, values.data() + first, kInARow);
  run.advance();
}

// Gives back how many rounds it took.
inline int select_a_fifth(const std::vector<float>& values, bool with_sample) {
  constexpr std::uint64_t kSweep = 1u << 16;
  const std::uint64_t count = values.size();
  int rounds = 0;
  SelectionRun run(LaneType::f32, count / 5, count, 1, kLimit);
  if (with_sample) sample(run, values);
  for (; !run.done(); run.advance(), ++rounds)
    for (std::uint64_t first = 0; first < count; first += kSweep)
      if (run.needs(first, kSweep)) run.observe(0, first, values.data() + first, std::min(kSweep, count - first));
  return rounds;
}

}  // namespace roux
