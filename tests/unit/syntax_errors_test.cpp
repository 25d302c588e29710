// What the syntax layer says of a wrong text: one line per error, with its place, notes and hint.
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "base/limits.h"
#include "base/utf8.h"
#include "tests/support/syntax.h"

namespace roux::testing {
namespace {

TEST(SyntaxErrors, SayWhatWasSeenAndExpected) {
  expect_errors({
      {"f(k = )", "1:7 unexpected `)` after `k =`; expected an expression"},
      {"x = a b", "1:7 unexpected `b` after `a`; expected an operator or the end of the line"},
      {"x = 5 \"a\"",
       "1:7 unexpected string after `5`; expected an operator or the end of the line"},
      {"f(a b)", "1:5 unexpected `b` after `a`; expected `,` or `)`"},
      {"(a b)", "1:4 unexpected `b` after `a`; expected an operator, `,` or `)`"},
      {"[a b]", "1:4 unexpected `b` after `a`; expected `,` or `]`"},
      {"xs[1, 2]", "1:5 unexpected `,` after `1`; expected `]`"},
      {"xs[]", "1:4 unexpected `]` after `[`; expected an expression"},
      {"f(a, , b)", "1:6 unexpected `,` after `a,`; expected an expression"},
      {"x = a |>", "1:9 unexpected end of the text after `a |>`; expected an expression"},
      {"x = not\ny = 1",
       "1:8 unexpected end of the line after `not`; expected an expression | begin it on this "
       "line; lines may break inside `( )`"},
      {"x = a.", "1:7 unexpected end of the text after `a.`; expected a name"},
      {"x = y as 3", "1:10 unexpected `3` after `as`; expected a type"},
      {"method f(x: ) = x", "1:13 unexpected `)` after `x:`; expected a type"},
      {"method f(3) = x", "1:10 unexpected `3` after `(`; expected a name"},
      {"method f(x) y", "1:13 unexpected `y` after `)`; expected `=`"},
      {"import x", "1:8 unexpected `x` after `import`; expected a string in double quotes | what merges "
       "models is there without an import; files are imported by `import \"file.merge\"`"},
      {"param x: number(0..) = 1", "1:20 unexpected `)` after `..`; expected a number"},
      {"[x for 3 in xs]", "1:8 unexpected `3` after `for`; expected a name"},
      {"\"${}\"", "1:4 unexpected `}` after `${`; expected an expression"},
      {"\"${a b}\"", "1:6 unexpected `b` after `a`; expected `}`"},
      {"match name { 3 => 4 }",
       "1:14 unexpected `3` after `{`; expected a pattern: a string, `regex(\"...\")` or `_`"},
      {"match name { \"a\" = 3 }", "1:18 unexpected `=` after a string; expected `=>`"},
  });
}

TEST(SyntaxErrors, OfStructure) {
  expect_errors({
      {"x = a < b < c", "1:11 chained comparison | write `a < b and b < c`"},
      {"x = a..b..c", "1:9 unexpected `..` after `b` | ranges cannot be chained; use `( )`"},
      {"if c then a",
       "1:12 unexpected end of the text after `a`; expected `else` | an `if` is an expression with "
       "two branches: `if condition then a else b`"},
      {"if c a",
       "1:6 unexpected `a` after `c`; expected `then` | an `if` is an expression with two "
       "branches: `if "
       "condition then a else b`"},
      {"x = a == not b",
       "1:10 unexpected `not` after `a ==`; expected an expression | put the `not` in `( )`"},
      {"x = a + if c then d else e",
       "1:9 unexpected `if` after `a +`; expected an expression | put the `if` in `( )`"},
      {"a |> f + 1",
       "1:6 right of `|>` stands a function or a call, and nothing around it | put the part with "
       "`|>` in `( )`, or give a function: `x |> (y => ...)`"},
      {"f(a=1, b)",
       "1:8 an argument without a name stands after one with a name | note 1:3 `a` stands here | "
       "first the arguments by position, then those by name"},
      {"x = {\na = 1\nb = 2\n}",
       "3:1 a block ends with an expression, its value | fields of a record are separated by `,`"},
      {"x = {a = 1\nb = 2,\nc = 3}", "1:11 fields of a record are separated by `,`"},
      {"x = {a, b}",
       "1:7 unexpected `,` in a block | statements are separated by `;` or a new line; a record is "
       "`{name = value, ...}`, a list `[a, b]`"},
      {"x = {,a = 1}", "1:6 unexpected `,`; expected a field `name = value`"},
      {"x = {;}", "1:5 a block ends with an expression, its value"},
      {"x = { param k: number; 3 }",
       "1:7 `param` cannot stand inside braces | move it to the top level of the file"},
      {"x = { method f() = 1; 3 }",
       "1:7 `method` cannot stand inside braces | inside a block a function is `name = x => ...`"},
      {"match name {}", "1:1 a `match` without arms | an arm is written `\"*.mlp.*\" => value`"},
      {"match name { foo => 4 }",
       "1:14 `foo` is no pattern | a pattern is a string such as `\"*.mlp.*\"`, "
       "`regex(\"...\")` or `_`"},
      {"match name { regex => 4 }", "1:14 `regex` is no pattern | write `regex(\"...\")`"},
      {"match name { \"a${b}\" => 4 }",
       "1:16 a pattern cannot hold `${...}` | it is fixed before anything is "
       "computed; a dollar before a brace is written `$$`"},
      {"x = ()",
       "1:7 unexpected end of the text after `)`; expected `=>` | there is no empty tuple; `() => "
       "...` "
       "is a function without parameters"},
      {"(a, 1) => a",
       "1:8 unexpected `=>` after `)` | parameters are names, `x => ...` or `(x, y) => ...`; "
       "elsewhere put the function in `( )`"},
      {"param k = 2",
       "1:9 unexpected `=` after `k`; expected `:` | a `param` has a type: `param name: number = "
       "0.2`"},
      {"param k: number(0..a)",
       "1:20 unexpected `a`; expected a number | the limits of a range in a type are "
       "numbers or `inf`"},
  });
}

TEST(SyntaxErrors, OfNames) {
  expect_errors({
      {"match = 3", "1:1 `match` is a reserved word | choose another name, for example `match_`"},
      {"true = 3", "1:1 `true` is a reserved word | choose another name, for example `true_`"},
      {"for = 3", "1:1 `for` is a reserved word | choose another name, for example `for_`"},
      {"f(if = 3)", "1:3 `if` is a reserved word | choose another name, for example `if_`"},
      {"method match(x) = 3",
       "1:8 `match` is a reserved word | choose another name, for example `match_`"},
      {"x = net", "1:5 `net` is a reserved word | choose another name, for example `net_`"},
      {"f(x) = 3",
       "1:6 unexpected `=` after `)`; only a name can be bound | `==` compares; `name = value` "
       "binds a "
       "name"},
      {"a.b = 3",
       "1:5 unexpected `=` after `b`; only a name can be bound | `==` compares; `name = value` "
       "binds a "
       "name"},
      {"if a = b then c else d",
       "1:6 unexpected `=` after `a`; only a name can be bound | `==` compares; `name = "
       "value` binds a name"},
  });
}

// The hint is what matters: `help` must be part of the first error.
void expect_help(std::string_view source, std::string_view help) {
  EXPECT_NE(errors(std::string(source)).find(help), std::string::npos)
      << "source: " << source << "\nerrors: " << errors(std::string(source));
}

TEST(SyntaxErrors, KnowOtherLanguages) {
  expect_help("def f(x): return x",
              "`def` is no word of the language | a function is written `method name(a, b)");
  expect_help("function f(x) { return x }", "`function` is no word");
  expect_help("let x = 1", "a name is bound by `name = value` alone");
  expect_help("x = { return 1 }", "the value of a block is its last expression");
  expect_help("while x: y", "comprehensions");
  expect_help("x = lambda y: y",
              "1:5 `lambda` is no word of the language | a function is written `x => ...`");
  expect_help("x = if a then b elif c then d else e", "write `else if`");
  expect_help("x := 1", "unknown operator `:=` | a name is bound by `name = value`");
  expect_help("x += 1", "bound once");
  expect_help("x = a && b", "unknown operator `&&` | write `and`");
  expect_help("x = a || b", "write `or`");
  expect_help("x = !a", "write `not`");
  expect_help("x = a // b", "begins with `#`");
  expect_help("x = a ** b", "`a ^ b`");
  expect_help("x = a === b", "write `==`");
  expect_help("x = a <> b", "write `!=`");
  expect_help("x = 5 % 3", "`20%`");
  expect_help("x = c ? a : b", "`if condition then a else b`");
  expect_help("x = a if c else b", "`if condition then a else b`");
  expect_help("if c: a", "`if condition then a else b`");
  expect_help("x = sum(f(x) for x in xs)", "a comprehension stands in `[ ]`");
  expect_help("x = (y for y in xs)", "a comprehension stands in `[ ]`");
  expect_help("for x in xs: f(x)", "a comprehension stands in `[ ]`");
  expect_help("x = [f(x) for i, x in xs]", "write `for (i, x) in ...`");
  expect_help("x = a in b", "`in` belongs to a comprehension");
  expect_help("x: number = 1", "`param name: type = value`");
  expect_help("f(k: 1)", "`name = value`");
  expect_help("x = {a: 1}", "a record is written `{name = value}`, its names without quotes");
  expect_help("x[1:2]", "some items of a list are taken by a range: `xs[0..2]`");
  expect_help("x = f\"abc\"", "leave out the `f`");
  expect_help("x = \"\"\"abc\"\"\"", "a string has one `\"`");
  expect_help("f = x -> x", "a function is written `x => ...`");
  expect_help("x = a | b", "write `or`");
  expect_help("x = + 1", "leave out the `+`");
  expect_help(
      "x = a\n  + b",
      "2:3 unexpected `+`; expected an expression | to go on in a new line, end the line before");
  expect_help("x = a\n  and b", "to go on in a new line");
  expect_help("x = a\n  .b", "to go on in a new line");
  expect_help("method f(x) { x }", "follows `=`");
}

TEST(SyntaxErrors, OfLiterals) {
  expect_errors({
      {"x = .5", "1:5 `.5` is no number | write `0.5`"},
      {"xs.0", "1:3 `.0` is no number | an item of a list is `xs[0]`"},
      {"x = 5gb",
       "1:5 `5gb` is no number | sizes are written `5GB` (powers of 1000) or `512MiB` (powers of "
       "1024)"},
      {"x = 1_000", "1:5 `1_000` is no number | digits are written without `_`"},
      {"x = 0x10", "1:5 `0x10` is no number | numbers are decimal"},
      {"x = 3x", "1:5 `3x` is no number | a name cannot begin with a digit; a product needs `*`"},
      {"x = 1e999",
       "1:5 the number `1e999` is too large | the largest is about 1.8e308; infinity is written "
       "`inf`"},
      {"x = 'a\"b'", "1:5 strings are written with double quotes | write `\"a\\\"b\"`"},
      {"x = “a”", "1:5 unexpected character `“` | strings are written with straight double quotes"},
      {"x = a − b", "1:7 unexpected character `−` | write `-`"},
      {"x = é",
       "1:5 unexpected character `é` | outside strings and comments only plain letters, digits and "
       "`_` are "
       "used"},
      {"x =\xC2\xA0"
       "1",
       "1:4 unexpected character U+00A0 | replace it by a plain space"},
      {std::string_view("x = \0", 5), "1:5 unexpected character U+0000"},
      {R"("a\qb")",
       "1:3 unknown escape `\\q` | escapes are `\\n`, `\\t`, `\\\"`, `\\\\` and `\\u{...}`; a "
       "backslash is "
       "written `\\\\`"},
      {R"("\u41")", "1:2 `\\u` needs a code in braces | write for example `\\u{e9}`"},
      {R"("\u{d800}")",
       "1:2 `\\u{d800}` is no character | write one to six hexadecimal digits, as in `\\u{e9}`, up "
       "to "
       "`\\u{10ffff}`"},
      {"x = \"abc\ny = 1",
       "1:5 this string is not closed on its line | end it with `\"`; a line break inside is "
       "written `\\n`"},
      {"x = \"abc",
       "1:5 this string is not closed on its line | end it with `\"`; a line break inside is "
       "written "
       "`\\n`"},
      {"x = \"a ${f(b\ny = 1",
       "1:5 this string is not closed on its line | end it with `\"`; a line break inside is "
       "written `\\n`"},
  });
  EXPECT_EQ(first_kind("x = .5"), DiagnosticKind::bad_literal);
  EXPECT_EQ(first_kind("x = \"a"), DiagnosticKind::bad_literal);
  EXPECT_EQ(first_kind("x = \"\\q\""), DiagnosticKind::bad_literal);
}

TEST(SyntaxErrors, OfBrackets) {
  expect_errors({
      {"x = )", "1:5 unexpected `)`; no bracket is open here"},
      {"}", "1:1 unexpected `}`; no bracket is open here"},
      {"x = [1, 2)",
       "1:10 unexpected `)`; expected `]` to close `[` | note 1:5 `[` was opened here"},
      {"x = {f(a}\ny = 1",
       "1:9 unexpected `}`; expected `)` to close `(` | note 1:7 `(` was opened here"},
      {"x = ((1)",
       "1:9 unexpected end of the text; expected `)` to close `(` | note 1:5 `(` was opened here"},
      {"x = { 1",
       "1:8 unexpected end of the text; expected `}` to close `{` | note 1:5 `{` was opened here"},
      // where the rest stops making sense is a better place than the end
      {"f(a\nb = 3\nc = 4",
       "2:1 unexpected `b` after `a`; expected `,` or `)` | note 1:2 `(` was opened here"},
  });
}

TEST(SyntaxErrors, ComeAllAndInOrder) {
  expect_errors({
      {"a = = 1\nb = 2\nc = (3 4)\nd = 'x'\ne = )",
       "1:5 unexpected `=` after `a =`; expected an expression\n"
       "3:8 unexpected `4` after `3`; expected `,` or `)`\n"
       "4:5 strings are written with double quotes | write `\"x\"`\n"
       "5:5 unexpected `)`; no bracket is open here"},
      {"x = if c then\na else b",
       "1:14 unexpected end of the line after `then`; expected an expression | begin it on this "
       "line; lines may break "
       "inside `( )`"},
      {"// an old comment's text",
       "1:1 unknown operator `//` | a comment begins with `#`; a whole quotient is "
       "`floor(a / b)`"},
  });
  Parsed p = parsed(repeated("x = = 1\n", 100));
  ASSERT_FALSE(p.result.ok());
  EXPECT_EQ(p.result.error().size(), limits::kFindings);
}

TEST(SyntaxErrors, OfEncoding) {
  EXPECT_EQ(errors("x = 1\ny = \"\xFF\""),
            "2:6 the text is not UTF-8 from here on | save the file as UTF-8");
  EXPECT_EQ(first_kind("\xC0\xAF"), DiagnosticKind::bad_encoding);
  const auto bad = [](std::string_view text) { return find_bad_utf8(text).value_or(99); };
  EXPECT_EQ(bad("ok é€😀"), 99u);
  EXPECT_EQ(bad("a\xC3"), 1u);             // cut off
  EXPECT_EQ(bad("a\x80"), 1u);             // continuation alone
  EXPECT_EQ(bad("\xE0\x80\x80"), 0u);      // overlong
  EXPECT_EQ(bad("\xED\xA0\x80"), 0u);      // surrogate
  EXPECT_EQ(bad("\xF4\x90\x80\x80"), 0u);  // above U+10FFFF
}

// The list of arguments grows while they are told of.
TEST(SyntaxErrors, EveryArgumentWithoutANameAfterOneWithANameIsTold) {
  const std::string name(60, 'a');
  std::string text = "f(" + name + " = 1", expected;
  for (int i = 0; i < 16; ++i) {
    text += ", b(1, \"two\")";
    if (i > 0) expected += '\n';
    expected += "1:" + std::to_string(69 + 13 * i) +
                " an argument without a name stands after one with a name | note 1:3 `" + name +
                "` stands here | first the arguments by position, then those by name";
  }
  EXPECT_EQ(errors(text + ")"), expected);
}

}  // namespace
}  // namespace roux::testing
