// Where the code points of a text in UTF-8 begin (ANTLR counts code points, spans count bytes), and how they are
// written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace roux::syntax {

inline constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

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
