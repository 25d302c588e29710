// Stored whole numbers (and booleans) by their C++ types.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/dtype.h"
#include "base/result.h"

namespace roux {

// Calls f with a zero of the C++ type that holds a stored whole number.
template <class F>
auto with_type(DType dtype, F f) {
  switch (dtype) {
    case DType::i64: return f(std::int64_t{});
    case DType::i32: return f(std::int32_t{});
    case DType::i16: return f(std::int16_t{});
    case DType::i8: return f(std::int8_t{});
    case DType::u64: return f(std::uint64_t{});
    case DType::u32: return f(std::uint32_t{});
    case DType::u16: return f(std::uint16_t{});
    default: break;
  }
  ROUX_CHECK(!is_floating(dtype));
  return f(std::uint8_t{});  // u8 and boolean
}

// The larger of each two, into `to`; both are aligned for the type.
inline void take_larger(DType dtype, void* to, const void* from, std::uint64_t bytes) {
  with_type(dtype, [&](auto zero) {
    auto* larger = static_cast<decltype(zero)*>(to);
    const auto* other = static_cast<const decltype(zero)*>(from);
    for (std::uint64_t i = 0; i < bytes / sizeof zero; ++i) larger[i] = std::max(larger[i], other[i]);
  });
}

}  // namespace roux
