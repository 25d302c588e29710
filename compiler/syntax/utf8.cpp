#include "compiler/syntax/utf8.h"

#include <algorithm>

#include "base/text.h"

namespace roux::syntax {
namespace {

unsigned byte_at(std::string_view text, std::size_t i) {
  return static_cast<unsigned char>(text[i]);
}

// The second byte decides about overlong forms, surrogates and the upper end.
bool second_is_allowed(unsigned first, unsigned second) {
  switch (first) {
    case 0xE0: return second >= 0xA0;
    case 0xED: return second < 0xA0;
    case 0xF0: return second >= 0x90;
    case 0xF4: return second < 0x90;
    default: return true;
  }
}

}  // namespace

std::size_t sequence_length(std::string_view text) {
  if (text.empty()) return 0;
  const unsigned first = byte_at(text, 0);
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4) return 0;
  const std::size_t length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if (!is_utf8_continuation(text[i])) return 0;
  return second_is_allowed(first, byte_at(text, 1)) ? length : 0;
}

std::optional<std::size_t> find_bad_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = sequence_length(text.substr(at));
    if (length == 0) return at;
    at += length;
  }
  return std::nullopt;
}

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
