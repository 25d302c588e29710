// Random fields: Philox4x32-10 (Salmon et al., SC 2011) over a lane context (lanes.h). The value of
// an element depends on the key, the stream and the element's index only, so it is the same for any
// threads, tiles, vector width or machine.
//
// Element i takes word w = (i >> 4) & 3 of block b = (i >> 6) * 16 + (i & 15): a run of 64 elements
// is 16 blocks, and 16 neighbours that begin at a multiple of 16 use the same word of 16 successive
// blocks. Counter: {low b, high b, stream, draw}; key: {low, high}.
#pragma once

#include "runtime/kernel/elementary.h"
#include "runtime/kernel/lanes.h"

namespace roux::random {

template <class L>
struct Words {
  U32Of<L> word[4];
};

// What an element's numbers are drawn from.
template <class L>
struct Field {
  U32Of<L> key_low, key_high, stream;
};

template <class L>
Words<L> philox(L& lanes, Words<L> counter, U32Of<L> key_low, U32Of<L> key_high) {
  constexpr int kRounds = 10;
  auto [x0, x1, x2, x3] = counter.word;
  for (int round = 0; round < kRounds; ++round) {
    const auto even = lanes.widen(x0) * std::uint64_t{0xD2511F53};
    const auto odd = lanes.widen(x2) * std::uint64_t{0xCD9E8D57};
    x0 = lanes.low(odd >> 32) ^ x1 ^ key_low;
    x2 = lanes.low(even >> 32) ^ x3 ^ key_high;
    x1 = lanes.low(odd);
    x3 = lanes.low(even);
    key_low = key_low + 0x9E3779B9u;
    key_high = key_high + 0xBB67AE85u;
  }
  return {{x0, x1, x2, x3}};
}

// The four words of the current element's block. 64 elements share them: an engine that computes
// those together may draw once.
template <class L>
Words<L> words(L& lanes, const Field<L>& field, std::uint32_t draw) {
  const auto low = lanes.index_low();
  const auto high = lanes.index_high();
  const auto block_low = ((low & ~63u) >> 2) | (high << 30) | (low & 15u);
  return philox(lanes, {{block_low, high >> 2, field.stream, lanes.u32(draw)}}, field.key_low,
                field.key_high);
}

// The random 32 bits of the current element.
template <class L>
U32Of<L> bits(L& lanes, const Field<L>& field, std::uint32_t draw) {
  const auto drawn = words(lanes, field, draw);
  const auto low = lanes.index_low();
  const auto odd = ((low >> 4) & 1u) != 0u;
  const auto upper = ((low >> 5) & 1u) != 0u;
  return lanes.select(upper, lanes.select(odd, drawn.word[3], drawn.word[2]),
                      lanes.select(odd, drawn.word[1], drawn.word[0]));
}

// In [0, 1), a multiple of 2^-24, from the bits of draw 0.
template <class L>
NumberOf<L> uniform(L& lanes, U32Of<L> bits) {
  return lanes.narrow(lanes.widen(lanes.to_f32(bits >> 8)) * 0x1p-24);
}

// From the bits of draw 0.
template <class L>
MaskOf<L> bernoulli(L& lanes, U32Of<L> bits, F64Of<L> probability) {
  return lanes.to_f64(bits) < probability * 0x1p32;
}

// Box and Muller's transform, its cosine half, from the bits of draws 0 and 1.
template <class L>
NumberOf<L> normal(L& lanes, U32Of<L> first, U32Of<L> second) {
  constexpr double kTwoPi = 0x1.921fb54442d18p+2;
  const auto u1 = (lanes.widen(lanes.to_f32(first >> 8)) + 1.0) * 0x1p-24;
  const auto u2 = lanes.widen(lanes.to_f32(second >> 8)) * 0x1p-24;
  const auto radius = lanes.sqrt(elementary::log(lanes, u1) * -2.0);
  return lanes.narrow(radius * elementary::cos(lanes, u2 * kTwoPi));
}

}  // namespace roux::random
