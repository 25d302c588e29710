// Statements, types, and lists of entries that stand on lines of their own.
#include <algorithm>
#include <utility>

#include "compiler/format/arrange.h"

namespace roux::typeset {

using syntax::TokenKind;

// --- gaps ------------------------------------------------------------------------------------------

PieceId Arranger::before(const Gap& gap, Break flat) {
  if (!gap.has_comments()) return layout_.line(flat);
  Pieces pieces;
  for (const std::string_view text : gap.trailing) pieces.push_back(layout_.comment(text));
  pieces.push_back(layout_.line(Break::always));
  for (const Gap::Own& own : gap.own) {
    pieces.push_back(layout_.text(own.text));
    pieces.push_back(layout_.line(Break::always));
  }
  return sequence(std::move(pieces));
}

// Comments move to the end of the line, which a new line here could cut off from its beginning.
PieceId Arranger::beside(std::string_view text) {
  const Gap gap = reader_.gap();
  if (!gap.has_comments()) return layout_.text(text);
  Pieces pieces;
  for (const std::string_view trailing : gap.trailing) pieces.push_back(layout_.comment(trailing));
  for (const Gap::Own& own : gap.own) pieces.push_back(layout_.comment(own.text));
  pieces.push_back(layout_.text(text));
  return sequence(std::move(pieces));
}

PieceId Arranger::word(std::string_view in_front) {
  const PieceId gap = beside(in_front);
  return sequence({gap, layout_.text(reader_.take())});
}

// --- entries ---------------------------------------------------------------------------------------

// Up to the closing brace or the end; the last is the gap before that, and no piece.
std::vector<Arranger::Entry> Arranger::entries(PieceId (Arranger::*make)()) {
  std::vector<Entry> all;
  for (;;) {
    while (reader_.sees_kind(TokenKind::newline) || reader_.sees(";") || reader_.sees(",")) reader_.skip();
    all.push_back({reader_.gap(), layout_.nothing()});
    if (reader_.sees_kind(TokenKind::end) || reader_.sees("}")) return all;
    all.back().piece = sequence({(this->*make)(), layout_.finish()});
  }
}

void Arranger::append(Pieces& pieces, const std::vector<Entry>& entries, Break between, PieceId separator) {
  bool is_first = true;
  for (const Entry& entry : entries) {
    const bool is_end = &entry == &entries.back();
    if (!is_first && !is_end) pieces.push_back(separator);
    for (const std::string_view text : entry.gap.trailing) pieces.push_back(layout_.comment(text));
    for (const Gap::Own& own : entry.gap.own) {
      pieces.push_back(layout_.line(Break::always, own.skips && !is_first));
      pieces.push_back(layout_.text(own.text));
      is_first = false;
    }
    if (is_end) return;
    pieces.push_back(layout_.line(between, entry.gap.skips && !is_first));
    pieces.push_back(entry.piece);
    is_first = false;
  }
}

PieceId Arranger::file() {
  Pieces pieces;
  append(pieces, entries(&Arranger::statement), Break::always, layout_.nothing());
  return sequence(std::move(pieces));
}

PieceId Arranger::block() {
  Pieces inner;
  const PieceId open = layout_.text(reader_.take());
  const std::vector<Entry> all = entries(&Arranger::statement);
  append(inner, all, all.size() > 2 ? Break::always : Break::blank, layout_.nothing());
  const PieceId end = layout_.line(all.back().gap.has_comments() ? Break::always : Break::blank);
  const PieceId close = layout_.text(reader_.take());
  return layout_.bracket(sequence({open, layout_.indent(sequence(std::move(inner))), end, close}));
}

// Two short arms stand on one line.
Arranged Arranger::match() {
  constexpr std::size_t kFlatArms = 2;
  constexpr std::uint32_t kFlatColumns = 40;
  const PieceId head = sequence({word(), word(" ")});
  const PieceId open = word(" ");
  Pieces inner;
  const std::vector<Entry> all = entries(&Arranger::arm);
  const bool has_comments =
      std::any_of(all.begin(), all.end(), [](const Entry& entry) { return entry.gap.has_comments(); });
  std::uint32_t width = 0;
  for (const Entry& entry : all) width += layout_[entry.piece].width;
  const bool is_long = all.size() > kFlatArms + 1 || width > kFlatColumns || has_comments;
  append(inner, all, is_long ? Break::always : Break::blank, layout_.either(layout_.text(","), layout_.nothing()));
  const PieceId end = layout_.line(is_long ? Break::always : Break::blank);
  const PieceId close = layout_.text(reader_.take());
  const PieceId arms = layout_.bracket(sequence({open, layout_.indent(sequence(std::move(inner))), end, close}));
  return {sequence({head, arms}), Shape::tight, true};
}

PieceId Arranger::arm() {
  Pieces pieces;
  if (reader_.sees_kind(TokenKind::open_text)) {
    pieces.push_back(layout_.text(reader_.take_string()));
  } else {
    pieces.push_back(word());
    if (reader_.sees("(")) {
      pieces.push_back(word());
      pieces.push_back(beside({}));
      pieces.push_back(layout_.text(reader_.take_string()));
      pieces.push_back(word());
    }
  }
  pieces.push_back(layout_.tab("=>"));
  pieces.push_back(attached().piece);
  return sequence(std::move(pieces));
}

// --- statements ------------------------------------------------------------------------------------

// A parameter may be called `method`, so a statement may begin with its name: `method + 1`, `method without (a)`.
bool Arranger::defines_method() const {
  if (!reader_.sees("method") || reader_.peek(1).kind != TokenKind::word || reader_.peek(2).text != "(") return false;
  const syntax::Token& behind = reader_.after_bracket(2);
  return behind.is(TokenKind::symbol, "=") || behind.is(TokenKind::symbol, "->");
}

PieceId Arranger::statement() {
  if (defines_method()) return method();
  if (reader_.sees("param")) return sequence({word(), layout_.text(" "), parameter()});
  if (reader_.sees("import")) {
    Pieces pieces = {word(), beside(" "), layout_.text(reader_.take_string())};
    if (reader_.sees("as")) pieces.push_back(word(" ")), pieces.push_back(word(" "));
    return sequence(std::move(pieces));
  }
  if (reader_.sees_kind(TokenKind::word) && reader_.peek(1).is(TokenKind::symbol, "=")) {
    const PieceId name = word();
    return sequence({name, layout_.tab("="), attached().piece});
  }
  return continued(expr());
}

// `= value` or `=> value`. What breaks between its parts begins on a line of its own.
Arranged Arranger::attached() {
  const bool is_arm = reader_.sees("=>");
  reader_.skip();
  const PieceId sign = layout_.text(is_arm ? " =>" : " =");
  const Gap gap = reader_.gap();
  const Arranged value = expr();
  if (!value.is_loose() && !gap.has_comments())
    return {sequence({sign, layout_.text(" "), value.piece}), Shape::tight, value.hugs};
  const PieceId line = before(gap, Break::blank);
  return {sequence({sign, layout_.group(layout_.indent(sequence({line, value.piece})))})};
}

PieceId Arranger::parameter() {
  Pieces pieces = {word()};
  if (reader_.sees(":")) {
    pieces.push_back(word());
    pieces.push_back(beside(" "));
    pieces.push_back(type());
  }
  if (reader_.sees("=")) pieces.push_back(attached().piece);
  return sequence(std::move(pieces));
}

PieceId Arranger::method() {
  Pieces pieces = {word(), word(" "), beside({})};
  const PieceId open = layout_.text(reader_.take());
  Items parameters = items([this] { return Arranged{parameter()}; });
  pieces.push_back(enclosed(open, parameters, LastComma::where_broken, false));
  if (reader_.sees("->")) {
    pieces.push_back(word(" "));
    pieces.push_back(beside(" "));
    pieces.push_back(type());
  }
  reader_.skip();  // `=`
  pieces.push_back(layout_.text(" ="));
  const Gap gap = reader_.gap();
  const bool is_block = reader_.sees("{") && !gap.has_comments();
  const PieceId body = expr().piece;
  const PieceId line = is_block ? layout_.text(" ") : before(gap, Break::blank);
  pieces.push_back(is_block ? sequence({line, body}) : layout_.group(layout_.indent(sequence({line, body}))));
  return sequence(std::move(pieces));
}

// --- types: they stay on one line ------------------------------------------------------------------

PieceId Arranger::type() {
  Pieces pieces = {type_atom()};
  for (;;) {
    if (reader_.sees("?")) {
      pieces.push_back(word());
    } else if (reader_.sees("|")) {
      pieces.push_back(word(" "));
      pieces.push_back(beside(" "));
      pieces.push_back(type_atom());
    } else {
      return sequence(std::move(pieces));
    }
  }
}

PieceId Arranger::type_atom() {
  if (reader_.sees_kind(TokenKind::open_text)) return layout_.text(reader_.take_string());
  Pieces pieces;
  if (!reader_.sees("(")) pieces.push_back(word());
  const bool is_range = !pieces.empty() && reader_.sees("(");
  if (is_range) {
    while (!reader_.sees(")")) pieces.push_back(word());
    pieces.push_back(word());
  } else if (reader_.sees("(") || reader_.sees("[")) {
    pieces.push_back(word());
    add_types(pieces);
    pieces.push_back(word());
  }
  return sequence(std::move(pieces));
}

// `(A, B)`, `[A, B]`; the comma of `(A,)` stays.
void Arranger::add_types(Pieces& pieces) {
  for (std::size_t count = 1;; ++count) {
    pieces.push_back(beside({}));
    pieces.push_back(type());
    if (!reader_.sees(",")) return;
    reader_.skip();
    const bool is_last = reader_.sees(")");
    if (!is_last || count == 1) pieces.push_back(layout_.text(is_last ? "," : ", "));
    if (is_last) return;
  }
}

// `x` or `(x, y)`.
PieceId Arranger::targets() {
  if (!reader_.sees("(")) return word();
  Pieces pieces = {word()};
  while (!reader_.sees(")")) {
    pieces.push_back(word());
    if (!reader_.sees(",")) continue;
    reader_.skip();
    if (!reader_.sees(")")) pieces.push_back(layout_.text(", "));
  }
  pieces.push_back(word());
  return sequence(std::move(pieces));
}

}  // namespace roux::typeset
