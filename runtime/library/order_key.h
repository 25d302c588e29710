// Keys of floats: bit patterns turned so that unsigned order is IEEE totalOrder, every NaN the positive quiet
// one, above +inf.
#pragma once

#include <bit>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace roux {

template <class Float>
using KeyOf = std::conditional_t<sizeof(Float) == 4, std::uint32_t, std::uint64_t>;

template <class Key>
inline constexpr Key kKeySign = Key{1} << (8 * sizeof(Key) - 1);

template <class Float>
KeyOf<Float> to_key(Float value) {
  using Key = KeyOf<Float>;
  constexpr Key infinity = std::bit_cast<Key>(std::numeric_limits<Float>::infinity());
  constexpr Key nan = std::bit_cast<Key>(std::numeric_limits<Float>::quiet_NaN());
  Key bits = std::bit_cast<Key>(value);
  if ((bits & ~kKeySign<Key>) > infinity) bits = nan;
  const Key negative = Key{0} - (bits >> (8 * sizeof(Key) - 1));  // all ones, or zero
  return bits ^ (negative | kKeySign<Key>);
}

template <class Float>
Float from_key(KeyOf<Float> key) {
  using Key = KeyOf<Float>;
  return std::bit_cast<Float>(key & kKeySign<Key> ? key ^ kKeySign<Key> : static_cast<Key>(~key));
}

}  // namespace roux
