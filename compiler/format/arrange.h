// Tokens of a text that parses → pieces (layout.h). A descent along the grammar of RouxParser.g4, on tokens rather
// than on the tree: parentheses, comments and the spelling of literals are in no tree. Where both disagreed, the
// comparison in format.cpp would tell.
#pragma once

#include <functional>
#include <vector>

#include "compiler/format/gaps.h"
#include "compiler/format/layout.h"

namespace roux::typeset {

enum class Shape : unsigned char {
  tight,   // breaks inside, behind its first sign: a call, a list, a name
  chain,   // operands and operators, which break between operands
  choice,  // `if ... else`
};

// An expression, and how it wants to be set.
struct Arranged {
  PieceId piece;
  Shape shape = Shape::tight;
  bool hugs = false;        // ends with a bracket that may stay open on the line where it begins
  bool is_literal = false;  // begins with that bracket, too

  bool is_loose() const { return shape != Shape::tight; }
};

class Arranger {
 public:
  Arranger(Reader& reader, Layout& layout) : reader_(reader), layout_(layout) {}

  PieceId file();

 private:
  using Parse = Arranged (Arranger::*)();
  using Pieces = std::vector<PieceId>;
  using Make = std::function<Arranged()>;

  // arrange_statements.cpp
  struct Entry {
    Gap gap;  // before it
    PieceId piece;
  };
  PieceId statement();
  bool defines_method() const;
  PieceId method();
  PieceId parameter();
  Arranged attached();
  PieceId type();
  PieceId type_atom();
  void add_types(Pieces& pieces);
  PieceId targets();
  std::vector<Entry> entries(PieceId (Arranger::*make)());
  void append(Pieces& pieces, const std::vector<Entry>& entries, Break between, PieceId separator);

  // arrange_expressions.cpp, loosest first
  Arranged expr();
  bool sees_lambda() const;
  Arranged lambda();
  Arranged pipe();
  Arranged choice();
  void append_then(Pieces& pieces);
  Arranged disjunction();
  Arranged conjunction();
  Arranged negation();
  Arranged comparison();
  Arranged range();
  Arranged sum();
  Arranged product();
  Arranged power();
  Arranged cast();
  Arranged postfix();
  Arranged primary();
  template <std::size_t N>
  Arranged chain(const char* const (&operators)[N], Parse operand, bool repeats = true);

  // arrange_brackets.cpp
  enum class LastComma : unsigned char { never, where_broken, always };
  struct Items {
    Pieces pieces;
    std::size_t count = 0;
    bool has_comments = false;
    bool is_numbers = false;
    Arranged last{};
    Pieces lead;  // all but the last, flat
  };
  Items items(const Make& make);
  bool sees_plain_number() const;
  PieceId enclosed(PieceId open, Items& items, LastComma comma, bool is_bracket);
  PieceId call();
  Arranged argument();
  PieceId index();
  Arranged group();
  Arranged list();
  void append_generator(Pieces& pieces);
  void append_clause(Pieces& pieces);
  Arranged braces();
  PieceId block();
  Arranged match();
  PieceId arm();

  // gaps
  PieceId before(const Gap& gap, Break flat);                       // a place for a new line
  PieceId beside(std::string_view text);                            // the gap is no such place
  PieceId word(std::string_view in_front = {});                     // the next token, beside
  PieceId sequence(Pieces pieces) { return layout_.sequence(std::move(pieces)); }
  PieceId continued(const Arranged& part) {
    return part.shape == Shape::chain ? layout_.indent(part.piece) : part.piece;
  }

  Reader& reader_;
  Layout& layout_;
};

}  // namespace roux::typeset
