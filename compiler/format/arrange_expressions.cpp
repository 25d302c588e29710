// Operators, loosest first. Inside no bracket a new line may stand only behind an operator, `=` or `=>`, and
// before `|>`, `then` and `else`: lines break at no other place.
#include <algorithm>
#include <iterator>
#include <utility>

#include "compiler/format/arrange.h"

namespace roux::typeset {

using syntax::TokenKind;

Arranged Arranger::expr() { return sees_lambda() ? lambda() : pipe(); }

bool Arranger::sees_lambda() const {
  const syntax::Token& next = reader_.sees("(") ? reader_.after_bracket() : reader_.peek(1);
  const bool has_head = reader_.sees("(") || reader_.sees_kind(TokenKind::word);
  return has_head && next.is(TokenKind::symbol, "=>");
}

Arranged Arranger::lambda() {
  const PieceId head = targets();
  const Arranged body = attached();
  return {sequence({head, body.piece}), Shape::tight, body.hugs};
}

Arranged Arranger::pipe() {
  const Arranged first = choice();
  if (!reader_.sees("|>")) return first;
  Pieces rest;
  while (reader_.sees("|>")) {
    rest.push_back(before(reader_.gap(), Break::blank));
    rest.push_back(layout_.text(reader_.take()));
    rest.push_back(beside(" "));
    rest.push_back(choice().piece);
  }
  return {layout_.group(sequence({first.piece, layout_.indent(sequence(std::move(rest)))}))};
}

// `if c then a`, `else if d then b`, `else e`, each on a line where they do not fit on one.
Arranged Arranger::choice() {
  if (!reader_.sees("if")) return disjunction();
  Pieces pieces;
  while (reader_.sees("if")) {
    pieces.push_back(word());
    pieces.push_back(beside(" "));
    pieces.push_back(continued(expr()));
    append_then(pieces);
    const Gap gap = reader_.gap();
    pieces.push_back(gap.has_comments() ? before(gap, Break::blank) : layout_.line_unless_after_brace());
    pieces.push_back(layout_.text(reader_.take()));
    pieces.push_back(beside(" "));
  }
  pieces.push_back(continued(disjunction()));
  return {layout_.group(sequence(std::move(pieces))), Shape::choice};
}

void Arranger::append_then(Pieces& pieces) {
  const Gap gap = reader_.gap();
  const PieceId then = layout_.text(reader_.take());
  const PieceId blank = beside(" ");
  const Arranged value = expr();
  if (value.is_literal && !gap.has_comments()) {
    pieces.insert(pieces.end(), {layout_.text(" "), then, blank, value.piece});
    return;
  }
  const PieceId line = before(gap, Break::blank);
  pieces.push_back(layout_.group(layout_.indent(sequence({line, then, blank, continued(value)}))));
}

template <std::size_t N>
Arranged Arranger::chain(const char* const (&operators)[N], Parse operand, bool repeats) {
  const auto sees_operator = [&] {
    return std::any_of(std::begin(operators), std::end(operators), [&](const char* op) { return reader_.sees(op); });
  };
  const Arranged first = (this->*operand)();
  if (!sees_operator()) return first;
  Pieces pieces = {continued(first)};
  while (sees_operator()) {
    pieces.push_back(layout_.text(" "));
    pieces.push_back(layout_.text(reader_.peek().text));
    reader_.skip();
    pieces.push_back(before(reader_.gap(), Break::blank));
    pieces.push_back(continued((this->*operand)()));
    if (!repeats) break;
  }
  return {layout_.group(sequence(std::move(pieces))), Shape::chain};
}

Arranged Arranger::disjunction() { return chain({"or"}, &Arranger::conjunction); }
Arranged Arranger::conjunction() { return chain({"and"}, &Arranger::negation); }
Arranged Arranger::comparison() {
  return chain({"==", "!=", "<", "<=", ">", ">="}, &Arranger::range, false);
}
Arranged Arranger::sum() { return chain({"+", "-", "++", "without"}, &Arranger::product); }
Arranged Arranger::product() { return chain({"*", "/"}, &Arranger::power); }

Arranged Arranger::negation() {
  if (!reader_.sees("not")) return comparison();
  Pieces pieces;
  while (reader_.sees("not")) pieces.push_back(word()), pieces.push_back(beside(" "));
  const Arranged operand = comparison();
  pieces.push_back(operand.piece);
  return {sequence(std::move(pieces)), operand.shape};
}

// `0..24`, but `0 .. n - 1`.
Arranged Arranger::range() {
  const Arranged left = sum();
  if (!reader_.sees("..")) return left;
  const PieceId before_sign = beside({});
  const PieceId sign = layout_.text(reader_.take());
  const PieceId behind_sign = beside({});
  const Arranged right = sum();
  const PieceId blank = layout_.text(left.is_loose() || right.is_loose() ? " " : "");
  return {sequence({left.piece, before_sign, blank, sign, behind_sign, blank, right.piece})};
}

// `-x^2`, but `a ^ b as number`.
Arranged Arranger::power() {
  struct Operand {
    Pieces in_front;  // the sign `^` with its gaps, or nothing
    Pieces minuses;
    Arranged value;
  };
  std::vector<Operand> operands;
  bool has_cast = false;
  for (;;) {
    Operand& operand = operands.emplace_back();
    if (operands.size() > 1) operand.in_front = {beside({}), layout_.text(reader_.take()), beside({})};
    while (reader_.sees("-")) operand.minuses.push_back(word()), operand.minuses.push_back(beside({}));
    operand.value = cast();
    has_cast = has_cast || operand.value.shape != Shape::tight;
    if (!reader_.sees("^")) break;
  }
  if (operands.size() == 1 && operands[0].minuses.empty())
    return {operands[0].value.piece, Shape::tight, operands[0].value.hugs, operands[0].value.is_literal};
  Pieces pieces;
  const PieceId blank = layout_.text(has_cast ? " " : "");
  for (Operand& operand : operands) {
    if (!operand.in_front.empty()) {
      pieces.push_back(blank);
      pieces.insert(pieces.end(), operand.in_front.begin(), operand.in_front.end());
      pieces.push_back(blank);
    }
    pieces.insert(pieces.end(), operand.minuses.begin(), operand.minuses.end());
    pieces.push_back(operand.value.piece);
  }
  return {sequence(std::move(pieces))};
}

// Of shape `chain` if there is a cast, for `power` alone.
Arranged Arranger::cast() {
  const Arranged value = postfix();
  if (!reader_.sees("as")) return value;
  Pieces pieces = {value.piece};
  while (reader_.sees("as")) {
    pieces.push_back(word(" "));
    pieces.push_back(beside(" "));
    pieces.push_back(type());
  }
  return {sequence(std::move(pieces)), Shape::chain};
}

Arranged Arranger::postfix() {
  const Arranged value = primary();
  Pieces pieces = {value.piece};
  for (;;) {
    if (reader_.sees("(")) {
      pieces.push_back(beside({}));
      pieces.push_back(call());
    } else if (reader_.sees("[")) {
      pieces.push_back(beside({}));
      pieces.push_back(index());
    } else if (reader_.sees(".")) {
      pieces.push_back(word());
      pieces.push_back(word());
    } else if (pieces.size() == 1) {
      return value;
    } else {
      return {sequence(std::move(pieces))};
    }
  }
}

Arranged Arranger::primary() {
  if (reader_.sees_kind(TokenKind::open_text)) return {layout_.text(reader_.take_string())};
  if (reader_.sees("(")) return group();
  if (reader_.sees("[")) return list();
  if (reader_.sees("{")) return braces();
  if (reader_.sees("match")) return match();
  return {layout_.text(reader_.take())};
}

}  // namespace roux::typeset
