// A recipe in the one style that recipes are written in. Text in, text out: lines of at most 100 columns where
// that can be, two blanks of indentation, one item per line where a bracket does not fit. Comments, at most one
// blank line in a row, the spelling of numbers and strings, and parentheses stay as they are; a text whose first
// line ends in CR LF keeps that, a byte order mark goes.
//
// The text that comes out means what the text that went in meant (their trees are equal and their comments are the
// same, which is checked each time), and formatting it again changes nothing. A text with syntax errors gives those.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace roux {

Result<std::string> format(const SourceMap& sources, SourceId source);

}  // namespace roux
