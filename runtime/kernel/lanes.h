// The context in which operations are given their meaning (semantics.h): a *lane context* L names
// value types and the few basic operations that everything else is written with.
//
//   L::F32 F64 U32 U64 Mask  value types, with + - * / (F), + - * & | ^ << >> (U, wrapping),
//                            comparisons (IEEE: false with a NaN, except !=), & | ! (Mask); the
//                            right operand may be a plain C++ constant of the same type
//   L::Number, L::Bits       the type in which the kernel computes, F32 or F64; U32 or U64
//   members                  constants, select, bit casts, exact widening, rounding to nearest
//                            even, sqrt, memory of 8 to 64 bits, the index of the element
//
// ScalarLanes<T>, here, computes one element at once in plain C++: the reference interpreter,
// constant folding and control numbers. The other context, EmitLanes, appends LLVM instructions and
// lives in backend/llvm. Translation units that include this need -ffp-contract=off.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

namespace roux {

template <class T>
class ScalarLanes {
 public:
  using F32 = float;
  using F64 = double;
  using U32 = std::uint32_t;
  using U64 = std::uint64_t;
  using Mask = bool;
  using Number = T;
  using Bits = std::conditional_t<sizeof(T) == 4, U32, U64>;
  using Source = const unsigned char*;
  using Target = unsigned char*;

  explicit ScalarLanes(std::uint64_t index = 0) : index_(index) {}

  Number number(double value) { return static_cast<T>(value); }
  F32 f32(float value) { return value; }
  F64 f64(double value) { return value; }
  U32 u32(std::uint32_t value) { return value; }
  U64 u64(std::uint64_t value) { return value; }
  Mask mask(bool value) { return value; }

  template <class V>
  V select(Mask condition, V if_true, V if_false) {
    return condition ? if_true : if_false;
  }

  U32 bits(F32 x) { return std::bit_cast<U32>(x); }
  U64 bits(F64 x) { return std::bit_cast<U64>(x); }
  F32 from_bits(U32 x) { return std::bit_cast<F32>(x); }
  F64 from_bits(U64 x) { return std::bit_cast<F64>(x); }

  U64 widen(U32 x) { return x; }
  U32 low(U64 x) { return static_cast<U32>(x); }
  F64 widen(F32 x) { return x; }
  F64 widen(F64 x) { return x; }
  F32 to_f32(F64 x) { return static_cast<F32>(x); }
  Number narrow(F64 x) { return static_cast<T>(x); }
  F32 to_f32(U32 x) { return static_cast<F32>(static_cast<std::int32_t>(x)); }  // x < 2^24
  F64 to_f64(U32 x) { return x; }

  F32 sqrt(F32 x) { return std::sqrt(x); }
  F64 sqrt(F64 x) { return std::sqrt(x); }

  U32 load8(Source p) { return *p; }
  U32 load16(Source p) { return load_as<std::uint16_t>(p); }
  U32 load32(Source p) { return load_as<U32>(p); }
  U64 load64(Source p) { return load_as<U64>(p); }
  void store8(Target p, U32 bits) { *p = static_cast<unsigned char>(bits); }
  void store16(Target p, U32 bits) { store_as(p, static_cast<std::uint16_t>(bits)); }
  void store32(Target p, U32 bits) { store_as(p, bits); }
  void store64(Target p, U64 bits) { store_as(p, bits); }

  // The element's index in its tensor, in halves and as a number.
  U32 index_low() { return static_cast<U32>(index_); }
  U32 index_high() { return static_cast<U32>(index_ >> 32); }
  F64 index_f64() { return static_cast<F64>(index_); }

 private:
  template <class V>
  static V load_as(Source p) {
    V value;
    std::memcpy(&value, p, sizeof value);
    return value;
  }
  template <class V>
  static void store_as(Target p, V value) {
    std::memcpy(p, &value, sizeof value);
  }

  std::uint64_t index_;
};

// What is known of a lane's number format.
template <class L>
inline constexpr bool kIsF64 = std::is_same_v<typename L::Number, typename L::F64>;

// Shorter names for the value types of a context.
template <class L>
using NumberOf = typename L::Number;
template <class L>
using F32Of = typename L::F32;
template <class L>
using F64Of = typename L::F64;
template <class L>
using U32Of = typename L::U32;
template <class L>
using U64Of = typename L::U64;
template <class L>
using MaskOf = typename L::Mask;

}  // namespace roux
