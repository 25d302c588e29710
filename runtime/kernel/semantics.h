// The meaning of every operation, written once, as templates over a lane context (lanes.h): the
// rows of op.def under their own names, the structural instructions of kernel.h, and the steps of
// reductions. The reference backend runs these, the LLVM backend emits them, constant folding and
// control numbers use `apply_scalar`. Storage types are in storage.h, exp and its kin in
// elementary.h, random fields in random.h. Everything is IEEE in the lane type; only results that
// say so are formed in f64. NaNs have no identity here: payload and sign are fixed only where a
// value leaves (stores, reductions).
#pragma once

#include "runtime/kernel/elementary.h"
#include "runtime/kernel/kernel.h"
#include "runtime/kernel/lanes.h"
#include "runtime/kernel/random.h"
#include "runtime/kernel/storage.h"

namespace roux {

// One operation on control numbers, in f64, masks as 0 and 1. A NaN result is the positive quiet
// one.
double apply_scalar(Op op, double a, double b = 0, double c = 0);

namespace semantics {

// --- the rows of op.def --------------------------------------------------------------------------

// The sign bit of the lane type, as a C++ word.
template <class L>
inline constexpr storage::Word<L> kSign = ~(~storage::Word<L>{0} >> 1);

template <class L>
NumberOf<L> neg(L& lanes, NumberOf<L> x) {
  return lanes.from_bits(lanes.bits(x) ^ kSign<L>);
}

template <class L>
NumberOf<L> abs(L& lanes, NumberOf<L> x) {
  return lanes.from_bits(lanes.bits(x) & ~kSign<L>);
}

// 0 for both zeros; NaN for NaN.
template <class L>
NumberOf<L> sign(L& lanes, NumberOf<L> x) {
  const auto zero = lanes.number(0);
  const auto zero_or_nan = lanes.select(x == x, zero, x);
  const auto or_negative = lanes.select(x < zero, lanes.number(-1), zero_or_nan);
  return lanes.select(x > zero, lanes.number(1), or_negative);
}

template <class L>
NumberOf<L> sqrt(L& lanes, NumberOf<L> x) {
  return lanes.sqrt(x);
}

template <class L>
NumberOf<L> exp(L& lanes, NumberOf<L> x) {
  return lanes.narrow(elementary::exp(lanes, lanes.widen(x)));
}

template <class L>
NumberOf<L> log(L& lanes, NumberOf<L> x) {
  return lanes.narrow(elementary::log(lanes, lanes.widen(x)));
}

template <class L>
NumberOf<L> sin(L& lanes, NumberOf<L> x) {
  return lanes.narrow(elementary::sin(lanes, lanes.widen(x)));
}

template <class L>
NumberOf<L> cos(L& lanes, NumberOf<L> x) {
  return lanes.narrow(elementary::cos(lanes, lanes.widen(x)));
}

template <class L>
NumberOf<L> acos(L& lanes, NumberOf<L> x) {
  return lanes.narrow(elementary::acos(lanes, lanes.widen(x)));
}

template <class L>
NumberOf<L> tanh(L& lanes, NumberOf<L> x) {
  return lanes.narrow(elementary::tanh(lanes, lanes.widen(x)));
}

// Half to even, keeping the sign of zero: the adder rounds at 2^mantissa, above which all are
// whole.
template <class L>
NumberOf<L> round(L& lanes, NumberOf<L> x) {
  const auto large = lanes.number(kIsF64<L> ? 0x1p52 : 0x1p23);
  const auto magnitude = abs(lanes, x);
  const auto rounded = lanes.bits((magnitude + large) - large) | (lanes.bits(x) & kSign<L>);
  return lanes.select(magnitude < large, lanes.from_bits(rounded), x);
}

template <class L>
NumberOf<L> floor(L& lanes, NumberOf<L> x) {
  const auto rounded = round(lanes, x);
  return lanes.select(rounded > x, rounded - lanes.number(1), rounded);
}

template <class L>
NumberOf<L> mul(L&, NumberOf<L> x, NumberOf<L> y) {
  return x * y;
}

template <class L>
NumberOf<L> div(L&, NumberOf<L> x, NumberOf<L> y) {
  return x / y;
}

// x^n for whole 0 <= n < 128 by squaring, from the lowest bit of n: x^3 is x * (x * x), x^6 is
// (x * x) * ((x * x) * (x * x)). A rewrite of `pow` into products has to use this order.
template <class L>
NumberOf<L> power_by_squaring(L& lanes, NumberOf<L> x, U64Of<L> n) {
  auto result = lanes.number(1);
  for (int bit = 0; bit < 7; ++bit) {
    result = lanes.select(((n >> bit) & std::uint64_t{1}) != std::uint64_t{0}, result * x, result);
    x = x * x;
  }
  return result;
}

// Whole |y| <= 64: repeated multiplication in the lane type, and 1 / that for y < 0. Otherwise
// e^(y log |x|) in f64.
template <class L>
NumberOf<L> pow(L& lanes, NumberOf<L> x, NumberOf<L> y) {
  const auto exponent = lanes.widen(y);
  const auto size = elementary::abs(lanes, exponent);
  const auto shifted = size + 0x1p52;
  const auto small_whole = (size <= 64.0) & ((shifted - 0x1p52) == size);
  const auto product = power_by_squaring(lanes, x, lanes.bits(shifted) & std::uint64_t{127});
  const auto repeated = lanes.select(exponent < 0.0, lanes.number(1) / product, product);
  const auto general = lanes.narrow(elementary::pow(lanes, lanes.widen(x), exponent));
  return lanes.select(small_whole, repeated, general);
}

// NaN if either is; -0 below +0. Equal numbers differ at most in the sign of zero, so their bits
// combine. For numbers of either format V: reductions compare in f64 whatever the lane type.
template <class L, class V>
V smaller_of(L& lanes, V x, V y) {
  const V either = lanes.from_bits(lanes.bits(x) | lanes.bits(y));
  const V smaller = lanes.select(x == y, either, lanes.select(x < y, x, y));
  return lanes.select(x != x, x, smaller);
}

template <class L, class V>
V larger_of(L& lanes, V x, V y) {
  const V either = lanes.from_bits(lanes.bits(x) & lanes.bits(y));
  const V larger = lanes.select(x == y, either, lanes.select(x > y, x, y));
  return lanes.select(x != x, x, larger);
}

template <class L>
NumberOf<L> min(L& lanes, NumberOf<L> x, NumberOf<L> y) {
  return smaller_of(lanes, x, y);
}

template <class L>
NumberOf<L> max(L& lanes, NumberOf<L> x, NumberOf<L> y) {
  return larger_of(lanes, x, y);
}

template <class L>
MaskOf<L> lt(L&, NumberOf<L> x, NumberOf<L> y) {
  return x < y;
}

template <class L>
MaskOf<L> le(L&, NumberOf<L> x, NumberOf<L> y) {
  return x <= y;
}

template <class L>
MaskOf<L> eq(L&, NumberOf<L> x, NumberOf<L> y) {
  return x == y;
}

template <class L>
MaskOf<L> ne(L&, NumberOf<L> x, NumberOf<L> y) {
  return x != y;
}

template <class L>
MaskOf<L> isfinite(L& lanes, NumberOf<L> x) {
  return abs(lanes, x) < lanes.number(std::numeric_limits<double>::infinity());
}

template <class L>
MaskOf<L> logical_and(L&, MaskOf<L> x, MaskOf<L> y) {
  return x & y;
}

template <class L>
MaskOf<L> logical_or(L&, MaskOf<L> x, MaskOf<L> y) {
  return x | y;
}

template <class L>
MaskOf<L> logical_not(L&, MaskOf<L> x) {
  return !x;
}

template <class L>
NumberOf<L> where(L& lanes, MaskOf<L> condition, NumberOf<L> x, NumberOf<L> y) {
  return lanes.select(condition, x, y);
}

template <class L>
NumberOf<L> to_number(L& lanes, MaskOf<L> x) {
  return lanes.select(x, lanes.number(1), lanes.number(0));
}

// --- one operation of the table ------------------------------------------------------------------

// A value of either type; which one is known from the instruction.
template <class L>
struct Value {
  NumberOf<L> number{};
  MaskOf<L> mask{};

  Value() = default;
  Value(NumberOf<L> x) : number(x) {}
  Value(MaskOf<L> x) : mask(x) {}
  operator NumberOf<L>() const { return number; }
  operator MaskOf<L>() const { return mask; }
};

constexpr int arity_of(const char* signature) {
  int arity = 0;
  while (signature[arity] != ':') ++arity;
  return arity;
}

template <class L>
Value<L> apply(L& lanes, Op op, const Value<L>& a, const Value<L>& b, const Value<L>& c) {
  switch (op) {
#define ROUX_OP(name, signature, facts, derivative)  \
  case Op::name:                                     \
    if constexpr (arity_of(signature) == 1) {        \
      return semantics::name(lanes, a);              \
    } else if constexpr (arity_of(signature) == 2) { \
      return semantics::name(lanes, a, b);           \
    } else {                                         \
      return semantics::name(lanes, a, b, c);        \
    }
#include "runtime/kernel/op.def"
  }
  ROUX_CHECK(!"an operation outside op.def");
  return {};
}

// --- structural instructions ---------------------------------------------------------------------

// One addend of `linear`: all in f64, and skipped (even a NaN) where the coefficient is 0.
template <class L>
F64Of<L> linear_step(L& lanes, F64Of<L> sum, F64Of<L> coefficient, NumberOf<L> x) {
  return lanes.select(coefficient == 0.0, sum, sum + coefficient * lanes.widen(x));
}

// The sum with which `linear` starts where it has no constant: the identity of addition.
inline constexpr double kLinearStart = -0.0;

// Maps numbers to unsigned words in the order of IEEE 754's totalOrder, all NaNs equal and above
// +inf.
template <class L>
typename L::Bits total_order_key(L& lanes, NumberOf<L> x) {
  using Word = storage::Word<L>;
  const auto bits = lanes.bits(x);
  const auto negative = (bits & kSign<L>) != Word{0};
  const auto key = bits ^ lanes.select(negative, storage::constant(lanes, ~Word{0}),
                                       storage::constant(lanes, kSign<L>));
  return lanes.select(x != x, storage::constant(lanes, ~Word{0}), key);
}

// Above the threshold, or equal to it with an index up to `cut`.
template <class L>
MaskOf<L> top(L& lanes, NumberOf<L> x, NumberOf<L> threshold, F64Of<L> cut) {
  const auto key = total_order_key(lanes, x);
  const auto edge = total_order_key(lanes, threshold);
  return (key > edge) | ((key == edge) & (lanes.index_f64() <= cut));
}

// --- reductions ----------------------------------------------------------------------------------

// Combines two partial results.
template <class L>
F64Of<L> combine(L& lanes, ReduceOp op, F64Of<L> x, F64Of<L> y) {
  switch (op) {
    case ReduceOp::sum:
    case ReduceOp::dot:
    case ReduceOp::count: return x + y;
    case ReduceOp::min: return smaller_of(lanes, x, y);
    case ReduceOp::max: return larger_of(lanes, x, y);
  }
  ROUX_CHECK(!"an unknown reduction");
  return x;
}

// What one element brings to a reduction.
template <class L>
F64Of<L> contribution(L& lanes, ReduceOp op, const Value<L>& a, const Value<L>& b) {
  switch (op) {
    case ReduceOp::sum:
    case ReduceOp::min:
    case ReduceOp::max: return lanes.widen(a.number);
    case ReduceOp::dot: return lanes.widen(a.number) * lanes.widen(b.number);
    case ReduceOp::count: return lanes.select(a.mask, lanes.f64(1), lanes.f64(0));
  }
  ROUX_CHECK(!"an unknown reduction");
  return lanes.f64(0);
}

// The NaN that leaves a kernel.
template <class L>
F64Of<L> canonical(L& lanes, F64Of<L> x) {
  return lanes.select(x != x, lanes.f64(elementary::kNaN), x);
}

}  // namespace semantics
}  // namespace roux
