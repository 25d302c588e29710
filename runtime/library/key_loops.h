// The loops over keys (order_key.h) in which order statistics spend their time, compiled for several widths of
// vectors; which is run is found out once. Small arrays that lie in the first cache; results are the same on all.
#pragma once

#include <cstddef>
#include <cstdint>

namespace roux {

void to_keys(const float* values, std::size_t count, std::uint32_t* keys);
void to_keys(const double* values, std::size_t count, std::uint64_t* keys);

// How many are among low, low + 1, ..., low + span.
std::size_t count_inside(const std::uint32_t* keys, std::size_t count, std::uint32_t low, std::uint32_t span);
std::size_t count_inside(const std::uint64_t* keys, std::size_t count, std::uint64_t low, std::uint64_t span);
std::size_t count_above(const std::uint32_t* keys, std::size_t count, std::uint32_t key);
std::size_t count_above(const std::uint64_t* keys, std::size_t count, std::uint64_t key);

// Sets a byte to 1 where a key is among low, low + 1, ..., low + span, else to 0.
void mark_inside(const std::uint32_t* keys, std::size_t count, std::uint32_t low, std::uint32_t span,
                 unsigned char* marks);
void mark_inside(const std::uint64_t* keys, std::size_t count, std::uint64_t low, std::uint64_t span,
                 unsigned char* marks);
// Sets it to 0 where a key is this one.
void unmark(const std::uint32_t* keys, std::size_t count, std::uint32_t key, unsigned char* marks);
void unmark(const std::uint64_t* keys, std::size_t count, std::uint64_t key, unsigned char* marks);

}  // namespace roux
