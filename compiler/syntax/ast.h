// The syntax tree of one recipe or library file, as plain values. Expressions live in one vector and refer
// to each other by id, in the order in which they were completed (children before parents). Every node
// carries its span. The tree is immutable once parsed; nothing of ANTLR is left in it.
// `x |> f(a)` is stored as the call `f(x, a)` with `piped` set; parentheses leave no node.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/source.h"

namespace roux::ast {

using ExprId = std::uint32_t;
inline constexpr ExprId kNoExpr = ~ExprId{0};

// --- types ------------------------------------------------------------------------------------------

// `model`, `list[model]`, `number(0..2)`, `"mass" | "count"`, `model?`, `(number, number)`.
struct Type {
  enum class Kind : unsigned char { named, literal, tuple, either, optional };
  Kind kind = Kind::named;
  std::string name;             // named: its name; literal: the text of the choice
  std::vector<Type> arguments;  // list[T]: T; tuple: members; either: alternatives; optional: one
  std::optional<std::pair<double, double>> range;  // number(0..2)
  Span span;
};

// --- expressions ------------------------------------------------------------------------------------

struct Number { double value; };
struct Bool { bool value; };
struct None {};
struct Name { std::string text; };

struct StringPart {               // exactly one of the two
  std::string text;
  ExprId value = kNoExpr;
};
struct String { std::vector<StringPart> parts; };

struct List { std::vector<ExprId> items; };
struct Tuple { std::vector<ExprId> items; };

struct Field {
  std::string name;
  Span name_span;
  ExprId value;
};
struct Record { std::vector<Field> fields; };

enum class UnaryOp : unsigned char { negate, logical_not };
enum class BinaryOp : unsigned char {
  add, subtract, multiply, divide, power,
  equal, not_equal, less, less_equal, greater, greater_equal,
  logical_and, logical_or, range, concatenate, without,
};
const char* spelling(UnaryOp op);
const char* spelling(BinaryOp op);

struct Unary { UnaryOp op; ExprId operand; };
struct Binary { BinaryOp op; Span op_span; ExprId left, right; };
struct If { ExprId condition, then_value, else_value; };
struct As { ExprId value; Type type; };

struct Argument {
  std::string name;  // empty: positional
  Span name_span;
  ExprId value;
};
struct Call {
  ExprId callee;
  std::vector<Argument> arguments;
  bool piped = false;  // the first argument stood left of `|>`
};
struct Index { ExprId object, index; };
struct Member {
  ExprId object;
  std::string name;
  Span name_span;
};

struct BoundName {
  std::string text;
  Span span;
};
struct Lambda { std::vector<BoundName> parameters; ExprId body; };

// `for x in xs`, `for (i, x) in enumerate(xs)`, each with its `if`s.
struct Generator {
  std::vector<BoundName> targets;  // one name, or the members of a tuple
  ExprId source;
  std::vector<ExprId> conditions;
};
struct Comprehension { ExprId value; std::vector<Generator> generators; };

struct MatchArm {
  enum class Pattern : unsigned char { glob, regex, anything };
  Pattern pattern;
  std::string text;
  Span pattern_span;
  ExprId value;
};
struct Match { std::string subject; Span subject_span; std::vector<MatchArm> arms; };

// --- statements -------------------------------------------------------------------------------------

struct Bind { BoundName name; ExprId value; };

struct Parameter {
  BoundName name;
  std::optional<Type> type;
  ExprId default_value = kNoExpr;
};
struct Param { Parameter parameter; };  // `param k: number = 0.2`

struct Method {
  BoundName name;
  std::vector<Parameter> parameters;
  std::optional<Type> result;
  ExprId body;
  std::string documentation;  // the `##` lines above, without the marks
};
struct Import { std::string path; Span path_span; std::optional<BoundName> alias; };
struct ExprStatement { ExprId value; };

struct Statement {
  std::variant<Bind, Param, Method, Import, ExprStatement> node;
  Span span;
};

// `{ a = 1; f(a) }`: bindings, then the value of the block.
struct Block { std::vector<Statement> statements; ExprId result; };

struct Expr {
  std::variant<Number, Bool, None, Name, String, List, Tuple, Record, Unary, Binary, If, As, Call, Index,
               Member, Lambda, Comprehension, Match, Block>
      node;
  Span span;
};

struct Module {
  SourceId source = kNoSource;
  std::vector<Expr> exprs;
  std::vector<Statement> statements;

  const Expr& operator[](ExprId id) const { return exprs[id]; }
};

// A full, unambiguous rendering for tests: `(call greedy models val)`.
std::string dump(const Module& module);

}  // namespace roux::ast
