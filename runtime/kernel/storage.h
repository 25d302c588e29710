// How elements of the floating storage types are read and written, over a lane context (lanes.h).
// `load` is exact. `store` rounds once, to nearest even, straight from the lane type (an f64 lane
// never passes through f32 on its way to f16). Past the largest finite value f32, f16, bf16 and
// E5M2 give infinity, E4M3 (which has none) NaN. Every NaN is stored as the positive quiet one: f64
// 0x7FF8000000000000, f32 0x7FC00000, f16 0x7E00, bf16 0x7FC0, E5M2 0x7E, E4M3 0x7F.
#pragma once

#include "base/dtype.h"
#include "base/result.h"
#include "runtime/kernel/lanes.h"

namespace roux::storage {

// A storage format of 16 or 8 bits: sign, exponent, mantissa.
struct Format {
  int mantissa_bits;
  int bias;
  std::uint32_t overflow;  // the magnitude that stands for all beyond the finite ones
  std::uint32_t nan;       // the canonical NaN; equal to `overflow` where there is no infinity
};
inline constexpr Format kF16{10, 15, 0x7C00, 0x7E00};
inline constexpr Format kBF16{7, 127, 0x7F80, 0x7FC0};
inline constexpr Format kE4M3{3, 7, 0x7F, 0x7F};
inline constexpr Format kE5M2{2, 15, 0x7C, 0x7E};

constexpr double power_of_two(int n) {
  return std::bit_cast<double>(static_cast<std::uint64_t>(n + 1023) << 52);
}

// A format narrower than f32 in exponent; the bits above sign, exponent and mantissa are 0.
template <class L>
F32Of<L> load_small(L& lanes, const Format& format, U32Of<L> bits, std::uint32_t sign) {
  const int shift = 23 - format.mantissa_bits;
  const auto magnitude = bits & (sign - 1);
  const auto aligned = magnitude << shift;
  const auto normal = aligned + (static_cast<std::uint32_t>(127 - format.bias) << 23);
  const float unit = static_cast<float>(power_of_two(1 - format.bias - format.mantissa_bits));
  const auto denormal = lanes.bits(lanes.to_f32(magnitude) * unit);
  const std::uint32_t smallest_normal = 1u << format.mantissa_bits;
  auto result = lanes.select(magnitude < smallest_normal, denormal, normal);
  const auto special =
      format.nan == format.overflow ? lanes.u32(0x7FC00000u) : (aligned | 0x7F800000u);
  result = lanes.select(magnitude < format.overflow, result, special);
  const auto negative = (bits & sign) != 0u;
  return lanes.from_bits(lanes.select(negative, result | 0x80000000u, result));
}

template <class L>
NumberOf<L> to_lane(L& lanes, F32Of<L> x) {
  if constexpr (kIsF64<L>) {
    return lanes.widen(x);
  } else {
    return x;
  }
}

template <class L>
NumberOf<L> load(L& lanes, DType dtype, typename L::Source source) {
  switch (dtype) {
    case DType::f64: return lanes.narrow(lanes.from_bits(lanes.load64(source)));
    case DType::f32: return to_lane(lanes, lanes.from_bits(lanes.load32(source)));
    case DType::bf16: return to_lane(lanes, lanes.from_bits(lanes.load16(source) << 16));
    case DType::f16: return to_lane(lanes, load_small(lanes, kF16, lanes.load16(source), 0x8000u));
    case DType::f8_e4m3:
      return to_lane(lanes, load_small(lanes, kE4M3, lanes.load8(source), 0x80u));
    case DType::f8_e5m2:
      return to_lane(lanes, load_small(lanes, kE5M2, lanes.load8(source), 0x80u));
    default: ROUX_CHECK(is_floating(dtype)); return lanes.number(0);
  }
}

// The format of the lane type itself.
template <class L>
inline constexpr int kLaneMantissa = kIsF64<L> ? 52 : 23;
template <class L>
inline constexpr int kLaneBias = kIsF64<L> ? 1023 : 127;
// A C++ word of the lane's width, and the same as a constant of the lanes.
template <class L>
using Word = std::conditional_t<kIsF64<L>, std::uint64_t, std::uint32_t>;

template <class L>
typename L::Bits constant(L& lanes, Word<L> word) {
  if constexpr (kIsF64<L>) {
    return lanes.u64(word);
  } else {
    return lanes.u32(word);
  }
}

template <class L>
U32Of<L> low_half(L& lanes, typename L::Bits bits) {
  if constexpr (kIsF64<L>) {
    return lanes.low(bits);
  } else {
    return bits;
  }
}

// A 16- or 8-bit format, whose sign bit is `sign_bit`.
template <class L>
U32Of<L> round_to(L& lanes, const Format& format, NumberOf<L> x, int sign_bit) {
  constexpr Word<L> kOne = 1;
  const int sign_shift = static_cast<int>(sizeof(Word<L>) * 8) - 1 - sign_bit;
  const int shift = kLaneMantissa<L> - format.mantissa_bits;
  const auto bits = lanes.bits(x);
  const auto magnitude = bits & (~Word<L>{0} >> 1);

  // Half to even on the bits: a carry out of the mantissa rightly increments the exponent.
  const auto odd = (magnitude >> shift) & kOne;
  auto rounded = (magnitude + odd + ((kOne << (shift - 1)) - kOne)) >> shift;
  if (format.bias != kLaneBias<L>) {  // bf16 from f32: the same exponents, nothing more to do
    rounded = rounded - (static_cast<Word<L>>(kLaneBias<L> - format.bias) << format.mantissa_bits);
    // Below the smallest normal number: add a power of two whose last place is the format's
    // smallest denormal. The adder rounds, and the count of those denormals stands in the low bits.
    const double step = power_of_two(kLaneMantissa<L> + 1 - format.bias - format.mantissa_bits);
    const auto sum = lanes.from_bits(magnitude) + lanes.number(step);
    const auto denormal = lanes.bits(sum) - lanes.bits(lanes.number(step));
    const Word<L> first_normal = static_cast<Word<L>>(kLaneBias<L> + 1 - format.bias)
                                 << kLaneMantissa<L>;
    rounded = lanes.select(magnitude < first_normal, denormal, rounded);
    const Word<L> overflow = format.overflow;
    rounded = lanes.select(rounded > overflow, constant(lanes, overflow), rounded);
  }
  const auto sign = low_half(lanes, bits >> sign_shift) & (1u << sign_bit);
  const auto result = low_half(lanes, rounded);
  auto is_nan = x != x;
  if (format.nan == format.overflow) is_nan = is_nan | (result >= format.overflow);
  return lanes.select(is_nan, lanes.u32(format.nan), result | sign);
}

// f32 and f64: rounding is the conversion itself.
template <class L>
U32Of<L> round_to_f32(L& lanes, NumberOf<L> x) {
  F32Of<L> rounded;
  if constexpr (kIsF64<L>) {
    rounded = lanes.to_f32(x);
  } else {
    rounded = x;
  }
  return lanes.select(x != x, lanes.u32(0x7FC00000u), lanes.bits(rounded));
}

template <class L>
U64Of<L> round_to_f64(L& lanes, NumberOf<L> x) {
  constexpr std::uint64_t kNaN = 0x7FF8000000000000u;
  return lanes.select(x != x, lanes.u64(kNaN), lanes.bits(lanes.widen(x)));
}

template <class L>
void store(L& lanes, DType dtype, NumberOf<L> x, typename L::Target target) {
  switch (dtype) {
    case DType::f64: return lanes.store64(target, round_to_f64(lanes, x));
    case DType::f32: return lanes.store32(target, round_to_f32(lanes, x));
    case DType::f16: return lanes.store16(target, round_to(lanes, kF16, x, 15));
    case DType::bf16: return lanes.store16(target, round_to(lanes, kBF16, x, 15));
    case DType::f8_e4m3: return lanes.store8(target, round_to(lanes, kE4M3, x, 7));
    case DType::f8_e5m2: return lanes.store8(target, round_to(lanes, kE5M2, x, 7));
    default: ROUX_CHECK(is_floating(dtype));
  }
}

}  // namespace roux::storage
