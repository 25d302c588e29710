#include "compiler/syntax/utf8.h"

#include <algorithm>

#include "base/utf8.h"

namespace roux::syntax {

CodePointIndex::CodePointIndex(std::string_view text)
    : size_(static_cast<std::uint32_t>(text.size())) {
  const bool ascii = std::all_of(text.begin(), text.end(),
                                 [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  if (ascii) return;
  begins_.reserve(text.size() + 1);
  for (std::size_t i = 0; i < text.size(); ++i)
    if (!is_utf8_continuation(text[i])) begins_.push_back(static_cast<std::uint32_t>(i));
  begins_.push_back(size_);
}

std::uint32_t CodePointIndex::byte_of(std::size_t code_point) const {
  if (!begins_.empty()) return begins_[std::min(code_point, begins_.size() - 1)];
  return static_cast<std::uint32_t>(std::min<std::size_t>(code_point, size_));
}

void append_utf8(char32_t c, std::string& out) {
  const auto push = [&out](char32_t byte) { out += static_cast<char>(byte); };
  if (c < 0x80) {
    push(c);
  } else if (c < 0x800) {
    push(0xC0 | (c >> 6));
    push(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    push(0xE0 | (c >> 12));
    push(0x80 | ((c >> 6) & 0x3F));
    push(0x80 | (c & 0x3F));
  } else {
    push(0xF0 | (c >> 18));
    push(0x80 | ((c >> 12) & 0x3F));
    push(0x80 | ((c >> 6) & 0x3F));
    push(0x80 | (c & 0x3F));
  }
}

}  // namespace roux::syntax
