// Is a text well-formed UTF-8? Overlong forms, surrogates and values above U+10FFFF are ill formed.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace roux {

// Whether a byte goes on with a character that a byte before it began.
inline bool is_utf8_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

// The length of the well-formed sequence at the start of `text`; 0 if there is none.
std::size_t sequence_length(std::string_view text);

// The offset of the first byte that is not part of well-formed UTF-8.
std::optional<std::size_t> find_bad_utf8(std::string_view text);

}  // namespace roux
