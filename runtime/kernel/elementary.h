// The elementary functions, in f64, over the basic operations of a lane context (lanes.h). No math
// library, no table, no branch: every lane takes every path and selects. So they vectorise as they
// stand, and all engines agree to the bit. Lanes of f32 widen, compute here, and round once (at
// most 0.51 ulp). Accuracy of the f64 forms: within 2.5 ulp (tests/unit/semantics_test.cpp holds
// them to it), with these limits: `sin` and `cos` for |x| <= 1e6, degrading slowly beyond (always
// in [-1, 1] and deterministic); `pow` carries the rounding of y log x into its result, at most 2
// |y log x| + 2 ulp.
#pragma once

#include <cstddef>
#include <limits>

#include "runtime/kernel/lanes.h"

namespace roux::elementary {

inline constexpr double kInfinity = std::numeric_limits<double>::infinity();
inline constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
inline constexpr std::uint64_t kSign64 = std::uint64_t{1} << 63;

// Adding 1.5 * 2^52 rounds to a whole number (half to even) and leaves it, in two's complement, in
// the low bits of the sum's representation: both are used below. Valid for |x| < 2^51.
inline constexpr double kRounder = 0x1.8p52;

template <class L>
F64Of<L> abs(L& lanes, F64Of<L> x) {
  return lanes.from_bits(lanes.bits(x) & ~kSign64);
}

template <class L>
F64Of<L> copy_sign(L& lanes, F64Of<L> magnitude, F64Of<L> sign) {
  return lanes.from_bits((lanes.bits(magnitude) & ~kSign64) | (lanes.bits(sign) & kSign64));
}

// c[0] + x (c[1] + x (c[2] + ...)).
template <class L, std::size_t N>
F64Of<L> polynomial(L& lanes, F64Of<L> x, const double (&c)[N]) {
  F64Of<L> sum = lanes.f64(c[N - 1]);
  for (std::size_t i = N - 1; i-- > 0;) sum = sum * x + c[i];
  return sum;
}

// --- exp, tanh -----------------------------------------------------------------------------------

// e^x = 2^n e^r with |r| <= log(2) / 2.
template <class L>
struct ExpParts {
  U64Of<L> n;           // two's complement
  F64Of<L> e_r_less_1;  // e^r - 1
};

template <class L>
ExpParts<L> exp_parts(L& lanes, F64Of<L> x) {
  constexpr double kLog2E = 0x1.71547652b82fep+0;
  constexpr double kLog2High = 0x1.62e42fefa2000p-1;  // 40 bits: n times this is exact
  constexpr double kLog2Low = 0x1.9ef35793c7673p-41;
  // (e^r - 1 - r) / r^2 by Taylor's series; the first term left out is below 2^-57 relative to e^r.
  constexpr double kTaylor[] = {1.0 / 2,       1.0 / 6,        1.0 / 24,        1.0 / 120,
                                1.0 / 720,     1.0 / 5040,     1.0 / 40320,     1.0 / 362880,
                                1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800};
  const auto shifted = x * kLog2E + kRounder;
  const auto n = shifted - kRounder;
  const auto r = (x - n * kLog2High) - n * kLog2Low;
  const auto less_1 = r + r * r * polynomial(lanes, r, kTaylor);
  return {lanes.bits(shifted) - std::bit_cast<std::uint64_t>(kRounder), less_1};
}

// 2^n for -1022 <= n <= 1023.
template <class L>
F64Of<L> power_of_two(L& lanes, U64Of<L> n) {
  return lanes.from_bits((n + 1023u) << 52);
}

template <class L>
F64Of<L> exp(L& lanes, F64Of<L> x) {
  // Beyond these the result is 0 or infinite anyway. Written so that a NaN passes.
  x = lanes.select(x > 710.0, lanes.f64(710.0), x);
  x = lanes.select(x < -746.0, lanes.f64(-746.0), x);
  const auto parts = exp_parts(lanes, x);
  // In two steps, the first exact: 2^n itself may not be representable, and a denormal result is
  // then rounded once. The offset keeps the halving of n unsigned.
  const auto half = ((parts.n + 2048u) >> 1) - 1024u;
  const auto scaled = (parts.e_r_less_1 + 1.0) * power_of_two(lanes, half);
  return scaled * power_of_two(lanes, parts.n - half);
}

// tanh x = (e^2x - 1) / (e^2x + 1), from e^2x - 1 so that small x lose nothing.
template <class L>
F64Of<L> tanh(L& lanes, F64Of<L> x) {
  auto twice = abs(lanes, x) * 2.0;
  twice = lanes.select(twice > 44.0, lanes.f64(44.0), twice);
  const auto parts = exp_parts(lanes, twice);
  const auto power = power_of_two(lanes, parts.n);
  const auto less_1 = parts.e_r_less_1 * power + (power - 1.0);
  return copy_sign(lanes, less_1 / (less_1 + 2.0), x);
}

// --- log, pow ------------------------------------------------------------------------------------

template <class L>
F64Of<L> log(L& lanes, F64Of<L> x) {
  constexpr double kLog2High = 0x1.62e42fefa2000p-1;
  constexpr double kLog2Low = 0x1.9ef35793c7673p-41;
  constexpr std::uint64_t kOne = std::bit_cast<std::uint64_t>(1.0);
  constexpr std::uint64_t kRootHalf = std::bit_cast<std::uint64_t>(0x1.6a09e667f3bcdp-1);
  // 2 atanh(s) = 2s + 2s z (1/3 + z/5 + ...), z = s^2 <= 0.0295; the first term left out is below
  // 2^-58.
  constexpr double kSeries[] = {2.0 / 3,  2.0 / 5,  2.0 / 7,  2.0 / 9,  2.0 / 11,
                                2.0 / 13, 2.0 / 15, 2.0 / 17, 2.0 / 19, 2.0 / 21};
  // x = 2^k (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)); denormals are scaled into range first.
  const auto denormal = x < 0x1p-1022;
  const auto scaled = lanes.bits(lanes.select(denormal, x * 0x1p54, x)) + (kOne - kRootHalf);
  const auto mantissa = (scaled & ((std::uint64_t{1} << 52) - 1)) + kRootHalf;
  const auto f = lanes.from_bits(mantissa) - 1.0;
  // The biased exponent becomes a number by standing in the low bits of 2^52.
  const auto biased = lanes.from_bits((scaled >> 52) | std::bit_cast<std::uint64_t>(0x1p52));
  const auto bias = lanes.select(denormal, lanes.f64(0x1p52 + 1023 + 54), lanes.f64(0x1p52 + 1023));
  const auto k = biased - bias;

  const auto s = f / (f + 2.0);
  const auto z = s * s;
  const auto series = z * polynomial(lanes, z, kSeries);
  // log(1 + f) = f - (f^2/2 - s (f^2/2 + series)): the leading f is exact.
  const auto half_square = f * f * 0.5;
  const auto rest = s * (half_square + series) + k * kLog2Low;
  const auto result = k * kLog2High - ((half_square - rest) - f);

  const auto or_infinite = lanes.select(x < kInfinity, result, x);  // inf and NaN as they are
  const auto or_zero = lanes.select(x == 0.0, lanes.f64(-kInfinity), or_infinite);
  return lanes.select(x < 0.0, lanes.f64(kNaN), or_zero);
}

// |x|^y = e^(y log |x|), with the sign and the special cases of IEEE 754's pow.
template <class L>
F64Of<L> pow(L& lanes, F64Of<L> x, F64Of<L> y) {
  const auto magnitude = abs(lanes, x);
  const auto size = abs(lanes, y);
  const auto power = exp(lanes, y * log(lanes, magnitude));
  // Whole numbers of 2^53 and more are even. Below, adding 2^52 (or 2^53) tells whole (even)
  // numbers.
  const auto whole = (size >= 0x1p52) | (((size + 0x1p52) - 0x1p52) == size);
  const auto even = (size >= 0x1p53) | (((size + 0x1p53) - 0x1p53) == size);
  const auto negative = (lanes.bits(x) & kSign64) != 0u;
  auto result =
      lanes.select(negative & whole & !even, lanes.from_bits(lanes.bits(power) ^ kSign64), power);
  result = lanes.select((x < 0.0) & (x > -kInfinity) & !whole, lanes.f64(kNaN), result);
  result = lanes.select((magnitude == 1.0) & (size == kInfinity), lanes.f64(1), result);
  return lanes.select((x == 1.0) | (y == 0.0), lanes.f64(1), result);
}

// --- sin, cos, acos ------------------------------------------------------------------------------

// sin(x + quarter_turns * pi / 2).
template <class L>
F64Of<L> sin_turned(L& lanes, F64Of<L> x, std::uint64_t quarter_turns) {
  constexpr double kTwoByPi = 0x1.45f306dc9c883p-1;
  // pi / 2 in pieces of 33, 33 and 53 bits: n times the first two is exact for |n| < 2^20.
  constexpr double kHigh = 0x1.921fb54400000p+0;
  constexpr double kMiddle = 0x1.0b4611a600000p-34;
  constexpr double kLow = 0x1.3198a2e037073p-69;
  constexpr double kEdge = 0x1.921fb54442d19p-1;  // pi / 4, rounded up
  // Taylor's series: sin r = r + r z (-1/3! + z/5! ...), cos r = 1 - z/2 + z^2 (1/4! ...), z = r^2.
  constexpr double kSin[] = {
      -1.0 / 6,        1.0 / 120,        -1.0 / 5040,         1.0 / 362880,
      -1.0 / 39916800, 1.0 / 6227020800, -1.0 / 1307674368e3, 1.0 / 355687428096e3};
  constexpr double kCos[] = {1.0 / 24,           -1.0 / 720,      1.0 / 40320,
                             -1.0 / 3628800,     1.0 / 479001600, -1.0 / 87178291200,
                             1.0 / 20922789888e3};
  const auto shifted = x * kTwoByPi + kRounder;
  const auto n = shifted - kRounder;
  const auto quadrant = lanes.bits(shifted) + quarter_turns;

  const auto first = x - n * kHigh;
  const auto second = n * kMiddle;
  const auto difference = first - second;
  const auto back = first - difference;  // two-sum: what the subtraction lost
  const auto lost = (first - (difference + back)) + (back - second);
  auto r = difference + (lost - n * kLow);
  r = lanes.select(r > kEdge, lanes.f64(kEdge), r);  // only past the range stated above
  r = lanes.select(r < -kEdge, lanes.f64(-kEdge), r);

  const auto z = r * r;
  const auto sine = r + r * z * polynomial(lanes, z, kSin);
  const auto half = z * 0.5;
  const auto one_less_half = lanes.f64(1) - half;
  const auto correction = (lanes.f64(1) - one_less_half) - half;
  const auto cosine = one_less_half + (correction + z * z * polynomial(lanes, z, kCos));
  const auto value = lanes.select((quadrant & 1u) != 0u, cosine, sine);
  return lanes.from_bits(lanes.bits(value) ^ ((quadrant & 2u) << 62));
}

template <class L>
F64Of<L> sin(L& lanes, F64Of<L> x) {
  return lanes.select(x == 0.0, x, sin_turned(lanes, x, 0));  // keeps -0
}

template <class L>
F64Of<L> cos(L& lanes, F64Of<L> x) {
  return sin_turned(lanes, x, 1);
}

// By asin near 0, and by acos x = 2 asin(sqrt((1 - x) / 2)) elsewhere; NaN outside [-1, 1] comes
// from sqrt.
template <class L>
F64Of<L> acos(L& lanes, F64Of<L> x) {
  constexpr double kHalfPiHigh = 0x1.921fb54442d18p+0;
  constexpr double kHalfPiLow = 0x1.1a62633145c07p-54;
  // (asin(s) - s) / s^3 as a polynomial of s^2 in [0, 1/4]: Chebyshev fit, error 1.5e-17.
  constexpr double kFit[] = {0x1.5555555555556p-3, 0x1.3333333332ecap-4, 0x1.6db6db6e31f13p-5,
                             0x1.f1c71c1db0623p-6, 0x1.6e8bb1c8209a2p-6, 0x1.1c4d35cf95421p-6,
                             0x1.c9cf07674736ap-7, 0x1.782651caa6547p-7, 0x1.52420b04b37bep-7,
                             0x1.65a9c4dfcf8b2p-8, 0x1.1d189408314eep-6, -0x1.e6aaa8a0a04ccp-7,
                             0x1.d72b2bc8155f8p-6};
  const auto size = abs(lanes, x);
  const auto near_zero = size <= 0.5;
  const auto z = lanes.select(near_zero, x * x, (lanes.f64(1) - size) * 0.5);
  const auto s = lanes.select(near_zero, x, lanes.sqrt(z));
  const auto rest = s * z * polynomial(lanes, z, kFit);  // asin s = s + rest
  const auto middle = lanes.f64(kHalfPiHigh) - (s - (lanes.f64(kHalfPiLow) - rest));
  const auto right = (s + rest) * 2.0;
  const auto left = (lanes.f64(kHalfPiHigh) - (s + (rest - kHalfPiLow))) * 2.0;
  return lanes.select(near_zero, middle, lanes.select(x < 0.0, left, right));
}

}  // namespace roux::elementary
