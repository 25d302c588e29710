// What a text may look like, before it is known what fits: pieces that are set on one line (flat) or on several
// (broken). Pieces are values in one vector, made bottom up and named by id; a piece may have several parents.
// The views point into the text that is formatted or at literals. set_lines.h makes lines of them.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace roux::typeset {

using PieceId = std::uint32_t;

enum class PieceKind : unsigned char {
  text,
  sequence,  // its parts, one after the other
  indent,    // its part, with two blanks more before each new line
  group,     // its part: flat where that fits, else broken
  bracket,   // a group that stays on the line where it begins when it is the end of a hugged call
  hug,       // parts[0] flat, or flat up to its last but one part and that broken; or else parts[1] broken
  line,      // flat: a blank or nothing; broken: a new line
  either,    // parts[0] where flat, parts[1] where broken
  comment,   // set at the end of the line
  tab,       // a place that lines below each other align at
  finish,    // where a statement ends
};

enum class Break : unsigned char { blank, nothing, always };  // of a line: what it is when flat

struct Piece {
  PieceKind kind = PieceKind::text;
  Break flat = Break::blank;
  bool skips = false;           // a line: an empty line before the new one
  bool joins = false;           // a line: after a `}` alone on its line it is a blank all the same
  std::uint32_t room = 0;       // a line: where that many more columns fit, it is a blank all the same
  bool hard = false;            // cannot be flat: it holds a line that always breaks
  std::uint32_t width = 0;      // when flat, in code points
  std::string_view text;
  std::vector<PieceId> parts;
};

std::uint32_t columns(std::string_view text);

class Layout {
 public:
  PieceId text(std::string_view text);
  PieceId comment(std::string_view text);
  PieceId line(Break flat, bool skips = false);
  PieceId line_unless_after_brace();
  PieceId line_where_full(PieceId next);
  PieceId tab(std::string_view sign) { return mark(PieceKind::tab, sign); }
  PieceId finish() { return mark(PieceKind::finish, {}); }
  PieceId sequence(std::vector<PieceId> parts) { return add(PieceKind::sequence, std::move(parts)); }
  PieceId indent(PieceId part) { return add(PieceKind::indent, {part}); }
  PieceId group(PieceId part) { return add(PieceKind::group, {part}); }
  PieceId bracket(PieceId part) { return add(PieceKind::bracket, {part}); }
  PieceId hug(PieceId compact, PieceId exploded) { return add(PieceKind::hug, {compact, exploded}); }
  PieceId either(PieceId flat, PieceId broken) { return add(PieceKind::either, {flat, broken}); }
  PieceId nothing() { return text({}); }

  const Piece& operator[](PieceId id) const { return pieces_[id]; }

 private:
  PieceId mark(PieceKind kind, std::string_view text);
  PieceId add(PieceKind kind, std::vector<PieceId> parts);
  PieceId add(Piece piece);

  std::vector<Piece> pieces_;
};

}  // namespace roux::typeset
