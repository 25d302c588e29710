// UTF-8: is a text well formed, and where do its code points begin? (ANTLR counts code points,
// spans count bytes.) Overlong forms, surrogates and values above U+10FFFF are ill formed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace roux::syntax {

inline constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// The length of the well-formed sequence at the start of `text`; 0 if there is none.
std::size_t sequence_length(std::string_view text);

// The offset of the first byte that is not part of well-formed UTF-8.
std::optional<std::size_t> find_bad_utf8(std::string_view text);

// From indices of code points to offsets of bytes.
class CodePointIndex {
 public:
  explicit CodePointIndex(std::string_view text);
  std::uint32_t byte_of(std::size_t code_point) const;

 private:
  std::vector<std::uint32_t> begins_;  // empty for plain ASCII, where both are equal
  std::uint32_t size_;
};

void append_utf8(char32_t code_point, std::string& out);

}  // namespace roux::syntax
