// The syntax layer from text to tree: trees as dumps, precedence, the newline rule, places as
// covered text, and half a text.
#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "compiler/syntax/brackets.h"
#include "compiler/syntax/literals.h"
#include "compiler/syntax/newlines.h"
#include "compiler/syntax/tokens.h"
#include "compiler/syntax/walk.h"
#include "tests/support/syntax.h"

namespace roux::testing {
namespace {

// --- trees ---------------------------------------------------------------------------------------

TEST(Syntax, RecipeOfTheContract) {
  EXPECT_EQ(tree(R"(# soup.merge
base   = load("checkpoints/base")
models = load_all("checkpoints/ft-*", base = base)
val    = command("python3 score.py {model}")
soup   = greedy(models, val) |> ties(k=0.2)
save(soup, "out/soup", dtype = bf16)
)"),
            R"((bind base (call load "checkpoints/base"))
(bind models (call load_all "checkpoints/ft-*" (= base base)))
(bind val (call command "python3 score.py {model}"))
(bind soup (pipe ties (call greedy models val) (= k 0.2)))
(call save soup "out/soup" (= dtype bf16)))");
}

TEST(Syntax, AParameterMayBeCalledMethod) {
  expect_trees({{"quantile(x, 0.5, method = \"lower\")", "(call quantile x 0.5 (= method \"lower\"))"},
                {"method f(method: string) = method", "(method f ((method: string)) method)"},
                {"method f(method) = {a = 1; method + a}", "(method f ((method)) (block (bind a 1) (+ method a)))"}});
}

TEST(Syntax, MethodOfTheContract) {
  EXPECT_EQ(
      tree(R"(
## TIES-Merging: trim.
## Yadav et al. 2023, arXiv:2306.01708
method ties(models: list[model], base: model = base_of(models), k: fraction = 0.2, scale: number = 1, over: scope = model) -> model = {
  trimmed = [trim(m - base, keep = k, over = over) for m in models]
  elected = sign(sum(trimmed))
  agrees  = [sign(d) == elected and d != 0 for d in trimmed]
  base + scale * sum([where(a, d, 0) for (a, d) in zip(agrees, trimmed)]) / max(count(agrees), 1)
}
)"),
      "(method ties ((models: list[model]) (base: model = (call base_of models)) (k: fraction = "
      "0.2) "
      "(scale: number = 1) (over: scope = model)) -> model (block "
      "(bind trimmed (each (call trim (- m base) (= keep k) (= over over)) (for (m) models))) "
      "(bind elected (call sign (call sum trimmed))) "
      "(bind agrees (each (and (== (call sign d) elected) (!= d 0)) (for (d) trimmed))) "
      "(+ base (/ (* scale (call sum (each (call where a d 0) "
      "(for (a d) (call zip agrees trimmed))))) (call max (call count agrees) 1)))) "
      "## \"TIES-Merging: trim.\\nYadav et al. 2023, arXiv:2306.01708\")");
}

TEST(Syntax, Literals) {
  expect_trees({
      {"1", "1"},
      {"0.2", "0.2"},
      {"1e-3", "0.001"},
      {"1E+2", "100"},
      {"20%", "0.2"},
      {"0.1%", "0.001"},
      {"1.5e1%", "0.15"},
      {"true; false; none", "true\nfalse\nnone"},
      {"\"\"", "\"\""},
      {"[]", "(list)"},
      {"[1, 2,]", "(list 1 2)"},
      {"(1)", "1"},
      {"(1,)", "(tuple 1)"},
      {"(1, a)", "(tuple 1 a)"},
      {"0..24", "(.. 0 24)"},
      {"0 .. n - 1", "(.. 0 (- n 1))"},
  });
  EXPECT_EQ(syntax::number_value("5GB"), 5e9);
  EXPECT_EQ(syntax::number_value("512MiB"), 512.0 * 1024 * 1024);
  EXPECT_EQ(syntax::number_value("1.5KB"), 1500.0);
  EXPECT_EQ(syntax::number_value("2TiB"), 2.0 * 1024 * 1024 * 1024 * 1024);
  EXPECT_EQ(syntax::number_value("0.3%"), 0.003);
  EXPECT_EQ(syntax::number_value("1e-999"), 0.0);
  EXPECT_EQ(syntax::number_value("1e999"), std::nullopt);
  EXPECT_EQ(syntax::number_value("1e99999999999999999999%"), std::nullopt);
}

TEST(Syntax, Strings) {
  expect_trees({
      {R"("a{b}c")", R"("a{b}c")"},
      {R"("a\n\t\"\\b")", R"("a\n\t\"\\b")"},
      {R"("\u{e9}\u{1F600}")", "\"\xC3\xA9\xF0\x9F\x98\x80\""},
      {R"("${x}")", "(string x)"},
      {R"("a ${f(x, "b ${y}") + 1} c")", R"((string "a " (+ (call f x (string "b " y)) 1) " c"))"},
      {R"("${ {a = 1} }")", "(string (record (= a 1)))"},
      {R"("# no comment")", R"("# no comment")"},
      {R"("'")", R"("'")"},
  });
  // A dollar is written `$$`, or by itself where no brace follows.
  Parsed p = parsed(R"(("$$", "$5", "a$", "$${x}"))");
  ASSERT_TRUE(p.result.ok());
  std::vector<std::string> texts;
  for (const ast::Expr& expr : p.result->exprs)
    if (const auto* string = std::get_if<ast::String>(&expr.node)) {
      ASSERT_EQ(string->parts.size(), 1u);
      texts.push_back(string->parts[0].text);
    }
  EXPECT_EQ(texts, (std::vector<std::string>{"$", "$5", "a$", "${x}"}));
}

TEST(Syntax, Precedence) {
  expect_trees({
      // loosest first, each beside its neighbour
      {"x => x |> f", "(=> (x) (pipe f x))"},
      {"if a then b else c |> f", "(pipe f (if a b c))"},
      {"if a then b else c or d", "(if a b (or c d))"},
      {"a or b and c", "(or a (and b c))"},
      {"a and not b", "(and a (not b))"},
      {"not a == b", "(not (== a b))"},
      {"a..b == c", "(== (.. a b) c)"},
      {"a + 1..b - 1", "(.. (+ a 1) (- b 1))"},
      {"a + b * c", "(+ a (* b c))"},
      {"a ++ b without c - d", "(- (without (++ a b) c) d)"},
      {"-a * b", "(* (- a) b)"},
      {"a * -b", "(* a (- b))"},
      {"-a ^ b", "(- (^ a b))"},
      {"a ^ -b", "(^ a (- b))"},
      {"a ^ b ^ c", "(^ a (^ b c))"},
      {"-a ^ -b ^ c", "(- (^ a (- (^ b c))))"},
      {"a ^ b as tensors", "(^ a (as b tensors))"},
      {"a as tensors ^ b", "(^ (as a tensors) b)"},
      {"-a as model", "(- (as a model))"},
      {"a - b as delta", "(- a (as b delta))"},
      {"a.b as model as tensors", "(as (as (. a b) model) tensors)"},
      {"-f(x)[0].y", "(- (. (index (call f x) 0) y))"},
      // from the left
      {"a - b - c", "(- (- a b) c)"},
      {"a / b / c", "(/ (/ a b) c)"},
      {"a or b or c", "(or (or a b) c)"},
      {"x |> f |> g(1)", "(pipe g (pipe f x) 1)"},
      {"(a - b) * c", "(* (- a b) c)"},
      {"not not a", "(not (not a))"},
      {"- - a", "(- (- a))"},
      {"x => y => x + y", "(=> (x) (=> (y) (+ x y)))"},
      {"if a then b else if c then d else e", "(if a b (if c d e))"},
      {"if if a then b else c then x => 1 else d", "(if (if a b c) (=> (x) 1) d)"},
  });
}

TEST(Syntax, CallsAndPipes) {
  expect_trees({
      {"f()", "(call f)"},
      {"f(a, k = 1,)", "(call f a (= k 1))"},
      {"f(x => x, (a, b) => a)", "(call f (=> (x) x) (=> (a b) a))"},
      {"() => 1", "(=> () 1)"},
      {"x |> f", "(pipe f x)"},
      {"x |> m.f(a, k=1)", "(pipe (. m f) x a (= k 1))"},
      {"x |> f(a)(b)", "(pipe (call f a) x b)"},
      {"x |> (f(a))", "(pipe (call f a) x)"},
      {"x |> (y => y + 1)", "(pipe (=> (y) (+ y 1)) x)"},
      {"a.match.if.without", "(. (. (. a match) if) without)"},
      {"a[\"*.mlp.*\"]", "(index a \"*.mlp.*\")"},
      {"layers[0..24]", "(index layers (.. 0 24))"},
      {"a without b", "(without a b)"},
      {"without = without without x", "(bind without (without without x))"},
      {"f(without = 1)", "(call f (= without 1))"},
  });
}

TEST(Syntax, BlocksAndRecords) {
  expect_trees({
      {"{}", "(record)"},
      {"{a = 1}", "(record (= a 1))"},
      {"{a = 1, b = 2,}", "(record (= a 1) (= b 2))"},
      {"{\n  a = 1,\n  b = 2\n}", "(record (= a 1) (= b 2))"},
      {"{ a }", "(block a)"},
      {"{ a = 1; a + 1 }", "(block (bind a 1) (+ a 1))"},
      {"{\n  a = 1\n\n  f(a)\n}", "(block (bind a 1) (call f a))"},
      {"{ f(a); b; }", "(block (call f a) b)"},
      {"{ {a = 1} }", "(block (record (= a 1)))"},
      {"{a = {}, b = { 1 }}", "(record (= a (record)) (= b (block 1)))"},
  });
}

TEST(Syntax, Comprehensions) {
  expect_trees({
      {"[f(x) for x in xs]", "(each (call f x) (for (x) xs))"},
      {"[f(x) for x in xs if a if b]", "(each (call f x) (for (x) xs (if a) (if b)))"},
      {"[x for x in if c then a else b if d]", "(each x (for (x) (if c a b) (if d)))"},
      {"[a * b for a in xs if a > 0 for (i, b) in enumerate(ys)]",
       "(each (* a b) (for (a) xs (if (> a 0))) (for (i b) (call enumerate ys)))"},
      {"[\n  x\n  for x in xs\n]", "(each x (for (x) xs))"},
      {"[if a then b else c for x in xs]", "(each (if a b c) (for (x) xs))"},
  });
}

TEST(Syntax, Match) {
  expect_trees({
      {"t = match name { \"*mlp*\" => 0.5, _ => 0.3 }",
       "(bind t (match name (glob \"*mlp*\" 0.5) (_ 0.3)))"},
      {"match name {\n  \"a\" => f(\n    x\n  )\n\n  regex(\"b\\\\d\") =>\n    y,\n  _ => z\n}\n",
       "(match name (glob \"a\" (call f x)) (regex \"b\\\\d\" y) (_ z))"},
      {"match name { _ => x => x }", "(match name (_ (=> (x) x)))"},
      {"match name { \"a\" => 1 } |> f", "(pipe f (match name (glob \"a\" 1)))"},
      {"f(match name {\n \"a\" => 1\n _ => 2\n})", "(call f (match name (glob \"a\" 1) (_ 2)))"},
  });
}

TEST(Syntax, StatementsAndTypes) {
  expect_trees({
      {"", ""},
      {"# only a comment", ""},
      {";;\n;\n", ""},
      {"a = 1; b = 2;", "(bind a 1)\n(bind b 2)"},
      {"param k: number", "(param (k: number))"},
      {"param k: number(0..2) = 1", "(param (k: number(0..2) = 1))"},
      {"param k: number(-1..inf)", "(param (k: number(-1..inf)))"},
      {"param k: \"a\" | \"b\" = \"a\"", "(param (k: (| \"a\" \"b\") = \"a\"))"},
      {"param m: list[model]?", "(param (m: list[model]?))"},
      {"param m: list[model | delta?] | none", "(param (m: (| list[(| model delta?)] none)))"},
      {"param m: (number, list[(string, net)])", "(param (m: (number, list[(string, net)])))"},
      {"param m: (number | string)?", "(param (m: (| number string)?))"},
      {"import \"a.merge\"", "(import \"a.merge\")"},
      {"import \"a.merge\" as m", "(import \"a.merge\" m)"},
      {"method f() = 1", "(method f () 1)"},
      {"method f(a, b = 1, c: model?,) -> (model, number) = a",
       "(method f ((a) (b = 1) (c: model?)) -> (model, number) a)"},
      {"method f(\n  a,\n  b\n)\n  -> model =\n  a", "(method f ((a) (b)) -> model a)"},
  });
}

TEST(Syntax, Documentation) {
  expect_trees({
      {"## one\n##\n##   two  \nmethod f() = 1", "(method f () 1 ## \"one\\n\\n  two\")"},
      {"## far\n\nmethod f() = 1", "(method f () 1)"},
      {"## cut\n# off\nmethod f() = 1", "(method f () 1)"},
      {"x = 1 ## trailing\nmethod f() = 1", "(bind x 1)\n(method f () 1)"},
      {"### title\nmethod f() = 1", "(method f () 1)"},
      {"## a\r\n## b\r\nmethod f() = 1\r\n", "(method f () 1 ## \"a\\nb\")"},
      {"## a\nmethod f() = 1\n## b\nmethod g() = 2",
       "(method f () 1 ## \"a\")\n(method g () 2 ## \"b\")"},
      {"## of no method\nx = 1", "(bind x 1)"},
  });
}

TEST(Syntax, NewlineRule) {
  expect_trees({
      {"a = 1\nb = 2", "(bind a 1)\n(bind b 2)"},
      {"a = 1\r\n\r\nb = 2\r\n", "(bind a 1)\n(bind b 2)"},
      // inside the innermost ( ) or [ ]
      {"f(\n a\n +\n b\n,\n c)", "(call f (+ a b) c)"},
      {"[\n1\n,2\n]", "(list 1 2)"},
      {"x = (a\n+ b)", "(bind x (+ a b))"},
      // after a binary operator, `=`, `=>`, `,` or `{`
      {"x =\n1", "(bind x 1)"},
      {"x = a +\n b", "(bind x (+ a b))"},
      {"x = a -\n b", "(bind x (- a b))"},
      {"x = a and\n b or\n c", "(bind x (or (and a b) c))"},
      {"x = a without\n b", "(bind x (without a b))"},
      {"x = a |>\n f", "(bind x (pipe f a))"},
      {"x = a ..\n b", "(bind x (.. a b))"},
      {"x = a <\n # why\n\n b", "(bind x (< a b))"},
      {"f = y =>\n y", "(bind f (=> (y) y))"},
      {"x = without\ny = 2", "(bind x without)\n(bind y 2)"},
      // before `|>`, `then`, `else`, `->` or `}`
      {"x = a\n  |> f\n  # note\n  |> g", "(bind x (pipe g (pipe f a)))"},
      {"x = if a\n then b\n else c", "(bind x (if a b c))"},
      {"{ a\n}", "(block a)"},
      // braces separate again inside parentheses
      {"f({\n a = 1\n a\n})", "(call f (block (bind a 1) a))"},
      {"f({ (a\n+ b)\n c })", "(call f (block (+ a b) c))"},
      // otherwise a new statement
      {"x = a\n-b", "(bind x a)\n(- b)"},
      {"f\n(a)", "f\na"},
      {"x = a\n[1]", "(bind x a)\n(list 1)"},
  });
}

TEST(Syntax, NewlineRuleOnPlainTokens) {
  using syntax::TokenKind;
  const std::string text = "( a \n { b \n c } \n )";
  const auto token = [&](TokenKind kind, std::uint32_t at) {
    return syntax::Token{kind, at, at + 1, std::string_view(text).substr(at, 1)};
  };
  syntax::Tokens tokens = {
      token(TokenKind::open, 0),   token(TokenKind::word, 2),   token(TokenKind::newline, 4),
      token(TokenKind::open, 6),   token(TokenKind::word, 8),   token(TokenKind::newline, 10),
      token(TokenKind::word, 12),  token(TokenKind::close, 14), token(TokenKind::newline, 16),
      token(TokenKind::close, 18),
  };
  tokens.push_back({TokenKind::end, 19, 19, {}});
  const syntax::Brackets brackets = syntax::match_brackets(tokens, 0);
  EXPECT_TRUE(brackets.errors.empty());
  const std::uint32_t top = syntax::kTopLevel;
  EXPECT_EQ(brackets.inside, (std::vector<std::uint32_t>{top, 0, 0, 0, 3, 3, 3, 0, 0, top, top}));
  EXPECT_EQ(syntax::without_blanks(tokens, brackets),
            (std::vector<std::uint32_t>{0, 1, 3, 4, 5, 6, 7, 9, 10}));
}

// --- places --------------------------------------------------------------------------------------

// Every expression as `text that its span covers`.
std::vector<std::string> covered(std::string text) {
  Parsed p = parsed(std::move(text));
  EXPECT_TRUE(p.result.ok());
  std::vector<std::string> texts;
  if (p.result)
    for (const ast::Expr& expr : p.result->exprs) texts.emplace_back(p.sources.text(expr.span));
  return texts;
}

TEST(Syntax, SpansCoverTheText) {
  using Texts = std::vector<std::string>;
  EXPECT_EQ(covered("x = (a + b) * -c ^ 2"),
            (Texts{"a", "b", "a + b", "c", "2", "c ^ 2", "-c ^ 2", "(a + b) * -c ^ 2"}));
  EXPECT_EQ(covered("x |> f(1) |> g"), (Texts{"x", "f", "1", "x |> f(1)", "g", "x |> f(1) |> g"}));
  EXPECT_EQ(covered("if a then b else if c then d else e"),
            (Texts{"a", "c", "b", "d", "e", "if c then d else e",
                   "if a then b else if c then d else e"}));
  EXPECT_EQ(covered("x => y => x"), (Texts{"x", "y => x", "x => y => x"}));
  EXPECT_EQ(covered("not not a.b[0](c)"), (Texts{"a", "a.b", "0", "a.b[0]", "c", "a.b[0](c)",
                                                 "not a.b[0](c)", "not not a.b[0](c)"}));
  EXPECT_EQ(covered("(a, b as model)"), (Texts{"a", "b", "b as model", "(a, b as model)"}));
}

TEST(Syntax, SpansCountBytes) {
  using Texts = std::vector<std::string>;
  EXPECT_EQ(covered("# größe 😀\nx = \"é😀${ f(\"ü\", y) }ö\" ++ z"),
            (Texts{"f", "\"ü\"", "y", "f(\"ü\", y)", "\"é😀${ f(\"ü\", y) }ö\"", "z",
                   "\"é😀${ f(\"ü\", y) }ö\" ++ z"}));
  EXPECT_EQ(covered("\xEF\xBB\xBFx"), (Texts{"x"}));
  Parsed p = parsed("\xEF\xBB\xBFname = f(é)");
  ASSERT_FALSE(p.result.ok());
  EXPECT_EQ(p.sources.text(p.result.error()[0].span), "é");
  EXPECT_EQ(errors("x = \"é😀\" y"),
            "1:10 unexpected `y` after a string; expected an operator or the end of the line");
}

TEST(Syntax, PlacesOfNames) {
  Parsed p = parsed("m = f(k = 1).size\nmethod g(a: model) = {b = a}\nimport \"x\" as y");
  ASSERT_TRUE(p.result.ok());
  const auto text = [&](Span span) { return p.sources.text(span); };
  const ast::Module& module = *p.result;
  EXPECT_EQ(text(std::get<ast::Bind>(module.statements[0].node).name.span), "m");
  EXPECT_EQ(text(module.statements[0].span), "m = f(k = 1).size");
  const auto& member =
      std::get<ast::Member>(module[std::get<ast::Bind>(module.statements[0].node).value].node);
  EXPECT_EQ(text(member.name_span), "size");
  EXPECT_EQ(text(std::get<ast::Call>(module[member.object].node).arguments[0].name_span), "k");
  const auto& method = std::get<ast::Method>(module.statements[1].node);
  EXPECT_EQ(text(method.parameters[0].type->span), "model");
  EXPECT_EQ(text(std::get<ast::Record>(module[method.body].node).fields[0].name_span), "b");
  EXPECT_EQ(text(std::get<ast::Import>(module.statements[2].node).path_span), "\"x\"");
}

TEST(Syntax, PartsComeBeforeWholes) {
  Parsed p = parsed(std::string(kRecipe));
  ASSERT_TRUE(p.result.ok()) << render(p.result.error(), p.sources);
  for (ast::ExprId id = 0; id < p.result->exprs.size(); ++id)
    ast::for_each_part((*p.result)[id], [&](ast::ExprId part) { EXPECT_LT(part, id); });
}

// --- half a text ---------------------------------------------------------------------------------

TEST(Syntax, Incomplete) {
  for (const char* text :
       {"f(", "x = [1,\n", "x = {", "{\n a = 1\n", "match name {\n \"a\" => 1\n", "x =", "x = a +",
        "x = a |>\n", "f = y =>", "x = a without", "f(\"a ${b} c\",", "f( # (", "x = a and"})
    EXPECT_TRUE(is_incomplete(text)) << text;
  for (const char* text : {"", "\n", "x", "x = 1", "f(a)", "f(]", ")", "x = \"abc", "x = \"${f(",
                           "x = 'a(", "# (", "x = \"(\"", "x = not", "\xFF("})
    EXPECT_FALSE(is_incomplete(text)) << text;
}

}  // namespace
}  // namespace roux::testing
