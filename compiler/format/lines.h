// Lines of a text as they are about to be written, and the last step: signs and comments of lines below each
// other are brought into one column.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace roux::typeset {

inline constexpr std::uint32_t kColumns = 100;

struct Line {
  std::string code;          // with its indentation, without its comment
  std::string_view comment;
  std::uint32_t indentation = 0;
  std::string_view sign;     // `=` or `=>`, where the line is a whole statement that has one
  std::size_t sign_at = 0;   // the byte before which blanks may be put in
};

// Pads before the signs of neighbouring lines, then before their comments.
void align(std::vector<Line>& lines);

std::string join(const std::vector<Line>& lines, std::string_view newline);

}  // namespace roux::typeset
