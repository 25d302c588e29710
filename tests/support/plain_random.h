// Philox4x32-10 (Salmon et al., SC 2011) and the random fields made of it, in plain loops.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace roux::testing::plain {

inline std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> x,
                                           std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t even = std::uint64_t{x[0]} * 0xD2511F53u;
    const std::uint64_t odd = std::uint64_t{x[2]} * 0xCD9E8D57u;
    x = {static_cast<std::uint32_t>(odd >> 32) ^ x[1] ^ key[0], static_cast<std::uint32_t>(odd),
         static_cast<std::uint32_t>(even >> 32) ^ x[3] ^ key[1], static_cast<std::uint32_t>(even)};
    key = {key[0] + 0x9E3779B9u, key[1] + 0xBB67AE85u};
  }
  return x;
}

// The random 32 bits of an element: word (i >> 4) & 3 of block (i >> 6)·16 + (i & 15).
inline std::uint32_t random_bits(const std::string& tensor, std::uint64_t seed,
                                 std::uint32_t stream, std::uint64_t i, std::uint32_t draw = 0) {
  const std::uint64_t key = XXH3_64bits_withSeed(tensor.data(), tensor.size(), seed);
  const std::uint64_t block = (i >> 6) * 16 + (i & 15);
  const auto words = philox(
      {static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(block >> 32), stream, draw},
      {static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32)});
  return words[(i >> 4) & 3];
}

inline bool bernoulli(const std::string& tensor, std::uint64_t seed, std::uint32_t stream,
                      std::uint64_t i, double p) {
  return random_bits(tensor, seed, stream, i) < p * 4294967296.0;
}

}  // namespace roux::testing::plain
