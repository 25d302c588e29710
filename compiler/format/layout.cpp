#include "compiler/format/layout.h"

#include <algorithm>
#include <utility>

#include "base/table.h"

namespace roux::typeset {

std::uint32_t columns(std::string_view text) { return static_cast<std::uint32_t>(columns_of(text)); }

PieceId Layout::add(Piece piece) {
  pieces_.push_back(std::move(piece));
  return static_cast<PieceId>(pieces_.size() - 1);
}

PieceId Layout::text(std::string_view text) {
  Piece piece;
  piece.text = text;
  piece.width = columns(text);
  return add(std::move(piece));
}

PieceId Layout::comment(std::string_view text) { return mark(PieceKind::comment, text); }

PieceId Layout::line(Break flat, bool skips) {
  Piece piece;
  piece.kind = PieceKind::line;
  piece.flat = flat;
  piece.skips = skips;
  piece.hard = flat == Break::always;
  piece.width = flat == Break::blank ? 1 : 0;
  return add(std::move(piece));
}

PieceId Layout::line_unless_after_brace() {
  const PieceId id = line(Break::blank);
  pieces_[id].joins = true;
  return id;
}

PieceId Layout::line_where_full(PieceId next) {
  const PieceId id = line(Break::blank);
  pieces_[id].room = pieces_[next].width + 1;  // with the comma behind it
  return id;
}

PieceId Layout::mark(PieceKind kind, std::string_view text) {
  Piece piece;
  piece.kind = kind;
  piece.text = text;
  return add(std::move(piece));
}

PieceId Layout::add(PieceKind kind, std::vector<PieceId> parts) {
  Piece piece;
  piece.kind = kind;
  const bool first_counts = kind == PieceKind::hug || kind == PieceKind::either;
  for (std::size_t i = 0; i < (first_counts ? 1 : parts.size()); ++i) {
    piece.width += pieces_[parts[i]].width;
    piece.hard = piece.hard || pieces_[parts[i]].hard;
  }
  piece.parts = std::move(parts);
  return add(std::move(piece));
}

}  // namespace roux::typeset
