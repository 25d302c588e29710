#include "runtime/library/key_loops.h"

#include "base/all_widths.h"
#include "runtime/library/order_key.h"

namespace roux {
namespace {

template <class Float, class Key>
[[gnu::always_inline]] inline void keys_of(const Float* values, std::size_t count, Key* keys) {
  for (std::size_t i = 0; i < count; ++i) keys[i] = to_key(values[i]);
}

// Sums are of the keys' own width, so that the loops run in full vectors.
template <class Key>
[[gnu::always_inline]] inline std::size_t inside(const Key* keys, std::size_t count, Key low, Key span) {
  Key sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += static_cast<Key>(keys[i] - low) <= span;
  return sum;
}

template <class Key>
[[gnu::always_inline]] inline std::size_t above(const Key* keys, std::size_t count, Key key) {
  Key sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += keys[i] > key;
  return sum;
}

template <class Key>
[[gnu::always_inline]] inline void set_inside(const Key* keys, std::size_t count, Key low, Key span,
                                              unsigned char* marks) {
  for (std::size_t i = 0; i < count; ++i) marks[i] = static_cast<Key>(keys[i] - low) <= span;
}

template <class Key>
[[gnu::always_inline]] inline void unset_equal(const Key* keys, std::size_t count, Key key, unsigned char* marks) {
  for (std::size_t i = 0; i < count; ++i) marks[i] &= static_cast<unsigned char>(keys[i] != key);
}

}  // namespace

ROUX_ALL_WIDTHS void to_keys(const float* values, std::size_t count, std::uint32_t* keys) {
  keys_of(values, count, keys);
}
ROUX_ALL_WIDTHS void to_keys(const double* values, std::size_t count, std::uint64_t* keys) {
  keys_of(values, count, keys);
}

ROUX_ALL_WIDTHS std::size_t count_inside(const std::uint32_t* keys, std::size_t count, std::uint32_t low,
                                         std::uint32_t span) {
  return inside(keys, count, low, span);
}
ROUX_ALL_WIDTHS std::size_t count_inside(const std::uint64_t* keys, std::size_t count, std::uint64_t low,
                                         std::uint64_t span) {
  return inside(keys, count, low, span);
}

ROUX_ALL_WIDTHS std::size_t count_above(const std::uint32_t* keys, std::size_t count, std::uint32_t key) {
  return above(keys, count, key);
}
ROUX_ALL_WIDTHS std::size_t count_above(const std::uint64_t* keys, std::size_t count, std::uint64_t key) {
  return above(keys, count, key);
}

ROUX_ALL_WIDTHS void mark_inside(const std::uint32_t* keys, std::size_t count, std::uint32_t low, std::uint32_t span,
                                 unsigned char* marks) {
  set_inside(keys, count, low, span, marks);
}
ROUX_ALL_WIDTHS void mark_inside(const std::uint64_t* keys, std::size_t count, std::uint64_t low, std::uint64_t span,
                                 unsigned char* marks) {
  set_inside(keys, count, low, span, marks);
}

ROUX_ALL_WIDTHS void unmark(const std::uint32_t* keys, std::size_t count, std::uint32_t key, unsigned char* marks) {
  unset_equal(keys, count, key, marks);
}
ROUX_ALL_WIDTHS void unmark(const std::uint64_t* keys, std::size_t count, std::uint64_t key, unsigned char* marks) {
  unset_equal(keys, count, key, marks);
}

}  // namespace roux
