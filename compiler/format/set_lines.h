// Decides what is flat and what is broken: pieces in, lines out. Each group is looked at once, from the outside
// in; looking reads at most one line ahead, so the time grows with the text.
#pragma once

#include <vector>

#include "compiler/format/layout.h"
#include "compiler/format/lines.h"

namespace roux::typeset {

std::vector<Line> set_lines(const Layout& layout, PieceId whole);

}  // namespace roux::typeset
