// Calls, lists, groups and records: flat where they fit, else one item per line with a comma behind each.
#include <utility>

#include "compiler/format/arrange.h"

namespace roux::typeset {

using syntax::TokenKind;

bool Arranger::sees_plain_number() const {
  const std::size_t sign = reader_.sees("-") ? 1 : 0;
  const syntax::Token& behind = reader_.peek(sign + 1);
  return reader_.peek(sign).kind == TokenKind::number &&
         (behind.kind == TokenKind::close || behind.is(TokenKind::symbol, ","));
}

// Items up to the closing bracket, with the gap in front of each; the comma of the last one is skipped. Numbers
// behind numbers share lines.
Arranger::Items Arranger::items(const Make& make) {
  Items all;
  while (!reader_.sees_kind(TokenKind::close)) {
    const Gap gap = reader_.gap();
    all.has_comments = all.has_comments || gap.has_comments();
    if (all.count > 0) {
      all.pieces.push_back(layout_.text(","));
      all.lead.insert(all.lead.end(), {all.last.piece, layout_.text(", ")});
    }
    const bool is_number = sees_plain_number();
    const bool fills = all.count > 0 && is_number && all.is_numbers && !gap.has_comments();
    all.is_numbers = is_number && (all.is_numbers || all.count == 0);
    const PieceId line = before(gap, all.count == 0 ? Break::nothing : Break::blank);
    all.last = make();
    all.pieces.push_back(fills ? layout_.line_where_full(all.last.piece) : line);
    all.pieces.push_back(continued(all.last));
    ++all.count;
    if (reader_.sees(",")) reader_.skip();
  }
  return all;
}

// Behind the items: the last comma, comments before the closing bracket, which stand with the items, and it.
PieceId Arranger::enclosed(PieceId open, Items& all, LastComma comma, bool is_bracket) {
  const Gap gap = reader_.gap();
  all.has_comments = all.has_comments || gap.has_comments();
  if (comma == LastComma::always) all.pieces.push_back(layout_.text(","));
  if (comma == LastComma::where_broken && all.count > 0)
    all.pieces.push_back(layout_.either(layout_.nothing(), layout_.text(",")));
  for (const std::string_view text : gap.trailing) all.pieces.push_back(layout_.comment(text));
  for (const Gap::Own& comment : gap.own)
    all.pieces.insert(all.pieces.end(), {layout_.line(Break::always), layout_.text(comment.text)});
  const PieceId inner = layout_.indent(sequence(std::move(all.pieces)));
  const PieceId end = layout_.line(gap.has_comments() ? Break::always : Break::nothing);
  const PieceId whole = sequence({open, inner, end, layout_.text(reader_.take())});
  return is_bracket ? layout_.bracket(whole) : layout_.group(whole);
}

Arranged Arranger::argument() {
  const bool is_name = reader_.sees_kind(TokenKind::word) || reader_.sees("method");  // a parameter may be called that
  if (!is_name || !reader_.peek(1).is(TokenKind::symbol, "=")) return expr();
  const PieceId name = word();
  const Arranged value = attached();
  return {sequence({name, value.piece}), Shape::tight, value.hugs};
}

// A call whose last argument is a function with a block, or whose only one is a list, keeps its `(` and that
// bracket on one line.
PieceId Arranger::call() {
  const PieceId open = layout_.text(reader_.take());
  Items all = items([this] { return argument(); });
  const PieceId exploded = enclosed(open, all, LastComma::where_broken, false);
  const bool hugs = all.count > 0 && all.last.hugs && (all.count == 1 || !all.last.is_literal);
  if (!hugs || all.has_comments) return exploded;
  return layout_.hug(sequence({open, sequence(all.lead), all.last.piece, layout_.text(")")}), exploded);
}

PieceId Arranger::index() {
  const PieceId open = layout_.text(reader_.take());
  Items all = items([this] { return expr(); });
  return enclosed(open, all, LastComma::never, false);
}

// `(a)`, or a tuple; the comma of `(a,)` makes it one.
Arranged Arranger::group() {
  const PieceId open = layout_.text(reader_.take());
  bool has_comma = false;
  Items all = items([&] {
    Arranged made = expr();
    has_comma = has_comma || reader_.sees(",");
    if (!has_comma) made.shape = Shape::tight;
    return made;
  });
  const LastComma comma = all.count > 1 ? LastComma::where_broken : has_comma ? LastComma::always : LastComma::never;
  return {enclosed(open, all, comma, true), Shape::tight, true, true};
}

Arranged Arranger::list() {
  const PieceId open = layout_.text(reader_.take());
  bool is_comprehension = false;
  Items all = items([&] {
    const Arranged value = expr();
    if (!reader_.sees("for")) return value;
    is_comprehension = true;
    Pieces parts = {continued(value)};
    while (reader_.sees("for")) append_generator(parts);
    return Arranged{sequence(std::move(parts))};
  });
  const LastComma comma = is_comprehension ? LastComma::never : LastComma::where_broken;
  return {enclosed(open, all, comma, true), Shape::tight, true, true};
}

// `for x in xs`, then its conditions.
void Arranger::append_generator(Pieces& pieces) {
  append_clause(pieces);
  pieces.push_back(targets());
  pieces.insert(pieces.end(), {word(" "), beside(" "), continued(expr())});
  while (reader_.sees("if")) {
    append_clause(pieces);
    pieces.push_back(continued(expr()));
  }
}

// `for` or `if`, on a line of its own.
void Arranger::append_clause(Pieces& pieces) {
  pieces.push_back(before(reader_.gap(), Break::blank));
  pieces.insert(pieces.end(), {layout_.text(reader_.take()), beside(" ")});
}

Arranged Arranger::braces() {
  if (!reader_.sees_record()) return {block(), Shape::tight, true, true};
  const PieceId open = layout_.text(reader_.take());
  Items all = items([this] { return argument(); });
  return {enclosed(open, all, LastComma::where_broken, true), Shape::tight, true, true};
}

}  // namespace roux::typeset
