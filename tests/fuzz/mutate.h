// Damaged copies of valid inputs, for runs that are the same each time.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/kernels.h"

namespace roux::testing::fuzz {

class Mutator {
 public:
  Mutator(std::vector<std::string> seeds, std::span<const std::string_view> words, std::uint64_t seed)
      : seeds_(std::move(seeds)), words_(words), random_(seed) {}

  std::string next() {
    std::string bytes = pick(seeds_);
    for (std::uint64_t edits = below(random_, 6); edits > 0; --edits) edit(bytes);
    return bytes;
  }

 private:
  void edit(std::string& bytes) {
    switch (below(random_, 8)) {
      case 0: return bytes.empty() ? void() : void(bytes[place(bytes) % bytes.size()] ^= static_cast<char>(1u << below(random_, 8)));
      case 1: return bytes.empty() ? void() : void(bytes[place(bytes) % bytes.size()] = static_cast<char>(random_()));
      case 2: return void(bytes.erase(place(bytes), 1 + below(random_, 12)));
      case 3: return void(bytes.insert(place(bytes), piece_of(bytes)));
      case 4: return void(bytes.replace(place(bytes), 1 + below(random_, 8), piece_of(pick(seeds_))));
      case 5: return put_number(bytes);
      default:
        if (!words_.empty()) bytes.insert(place(bytes), words_[below(random_, words_.size())]);
    }
  }

  // In place of the digits that come next.
  void put_number(std::string& bytes) {
    constexpr std::string_view kNumbers[] = {"0", "1", "-1", "2", "7", "16", "255", "4097", "1.5", "1e999", "2147483648",
                                             "4294967296", "9223372036854775807", "18446744073709551616"};
    const std::size_t begin = bytes.find_first_of("0123456789", place(bytes));
    if (begin == std::string::npos) return;
    const std::size_t end = bytes.find_first_not_of("0123456789", begin);
    bytes.replace(begin, (end == std::string::npos ? bytes.size() : end) - begin,
                  kNumbers[below(random_, std::size(kNumbers))]);
  }

  std::size_t place(const std::string& bytes) { return below(random_, bytes.size() + 1); }
  std::string piece_of(const std::string& bytes) { return bytes.substr(place(bytes), below(random_, 24)); }
  const std::string& pick(const std::vector<std::string>& from) { return from[below(random_, from.size())]; }

  std::vector<std::string> seeds_;
  std::span<const std::string_view> words_;
  Random random_;
};

}  // namespace roux::testing::fuzz
