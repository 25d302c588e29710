// The syntax layer from text to tree: trees as dumps, errors as rendered heads, places as covered
// text.
#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "compiler/syntax/brackets.h"
#include "compiler/syntax/literals.h"
#include "compiler/syntax/newlines.h"
#include "compiler/syntax/parse.h"
#include "compiler/syntax/tokens.h"
#include "compiler/syntax/utf8.h"
#include "compiler/syntax/walk.h"

namespace roux {
namespace {

struct Parsed {
  SourceMap sources;
  Result<ast::Module> result = ast::Module{};
};

Parsed parsed(std::string text) {
  Parsed p;
  const SourceId id = p.sources.add("t", std::move(text));
  p.result = parse(p.sources, id);
  return p;
}

// The dump without its last newline, or what is wrong.
std::string tree(std::string text) {
  Parsed p = parsed(std::move(text));
  if (!p.result) return render(p.result.error(), p.sources);
  std::string dumped = ast::dump(*p.result);
  if (dumped.ends_with('\n')) dumped.pop_back();
  return dumped;
}

// One line per error: `LINE:COLUMN message [| note LINE:COLUMN text] [| help]`.
std::string errors(std::string text) {
  Parsed p = parsed(std::move(text));
  if (p.result) return "no error: " + ast::dump(*p.result);
  const auto place = [&](Span span) {
    const LineColumn at = p.sources.locate(span.source, span.begin);
    return std::to_string(at.line) + ":" + std::to_string(at.column) + " ";
  };
  std::string out;
  for (const Diagnostic& d : p.result.error()) {
    if (!out.empty()) out += '\n';
    out += place(d.span) + d.message;
    for (const Label& note : d.notes) out += " | note " + place(note.span) + note.text;
    if (!d.help.empty()) out += " | " + d.help;
  }
  return out;
}

DiagnosticKind first_kind(std::string text) {
  Parsed p = parsed(std::move(text));
  EXPECT_FALSE(p.result.ok());
  return p.result ? DiagnosticKind::internal : p.result.error()[0].kind;
}

struct Case {
  std::string_view source;
  std::string_view expected;
};

void expect_trees(std::initializer_list<Case> cases) {
  for (const Case& c : cases)
    EXPECT_EQ(tree(std::string(c.source)), c.expected) << "source: " << c.source;
}

void expect_errors(std::initializer_list<Case> cases) {
  for (const Case& c : cases)
    EXPECT_EQ(errors(std::string(c.source)), c.expected) << "source: " << c.source;
}

std::string repeated(std::string_view text, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += text;
  return out;
}

constexpr std::string_view kRecipe = R"roux(# soup.merge
base   = load("checkpoints/base")
models = load_all("checkpoints/ft-*", base = base)   # all of them
val    = command("python3 score.py {model}")
soup   = greedy(models, val, merge = ms => ties(ms, k=0.2)) |> ties(k=20%)
save(soup, "out/${val}-${1 + 1}", dtype = bf16, shard = 5GB); print(none)
mixed = match name {
  "*.mlp.*"       => ties(models, k = 20%)
  "*.attn.*"      => slerp(a, b, t = 0.2 + 0.6*depth), regex("\\d+$") => a
  _               => if depth > 0.5 and not false then mean(models) else base
}
import "lib.merge" as lib
param k: number(0..2) = 1e-3
param how: "mass" | "count" | none = "mass"

## Trims small changes,
## then elects a sign.
method ties(models: list[model], base: model? = base_of(models), over: scope = model) -> model = {
  trimmed = [trim(m - base, keep = k, over = over) for m in models if len(models) > 1]
  agrees  = [sign(d) == elected for (i, d) in enumerate(trimmed)]
  base + scale * -sum(agrees)^2 / max(count(agrees), 1) - layers[0..24] ++ [] without "x" as model
}
r = {a = 1, b = (1, "é\u{e9}"), c = {}}
)roux";

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

// --- errors --------------------------------------------------------------------------------------

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
      {"import x", "1:8 unexpected `x` after `import`; expected a string in double quotes"},
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
  expect_help("x = {a: 1}", "a field is written `name = value`");
  expect_help("x[1:2]", "a range is written `0..24`");
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
  const auto bad = [](std::string_view text) { return syntax::find_bad_utf8(text).value_or(99); };
  EXPECT_EQ(bad("ok é€😀"), 99u);
  EXPECT_EQ(bad("a\xC3"), 1u);             // cut off
  EXPECT_EQ(bad("a\x80"), 1u);             // continuation alone
  EXPECT_EQ(bad("\xE0\x80\x80"), 0u);      // overlong
  EXPECT_EQ(bad("\xED\xA0\x80"), 0u);      // surrogate
  EXPECT_EQ(bad("\xF4\x90\x80\x80"), 0u);  // above U+10FFFF
}

// --- limits --------------------------------------------------------------------------------------

TEST(SyntaxLimits, NestingIsBounded) {
  struct Nest {
    std::string_view before, open, middle, close;
  };
  for (const Nest& n : std::initializer_list<Nest>{
           {"x = ", "(", "1", ")"},
           {"x = ", "[", "1", "]"},
           {"x = ", "f(", "1", ")"},
           {"x = ", "{", "1", "}"},
           {"x = ", "{a = ", "1", "}"},
           {"x = ", "\"${", "1", "}\""},
           {"x = ", "a[", "1", "]"},
           {"x = ", "if ", "a", " then b else c"},
           {"x = ", "if a then ", "a", " else c"},
           {"x = ", "match name {_ => ", "a", "}"},
           {"x = ", "if a\nthen ", "a", "\nelse c"},
           {"x = ", "(y, z) => (", "a", ")"},
           {"param x: ", "list[", "a", "]"},
           {"param x: ", "(", "a", ")"},
       }) {
    const auto nested = [&](std::size_t depth) {
      return std::string(n.before) + repeated(n.open, depth) + std::string(n.middle) +
             repeated(n.close, depth);
    };
    EXPECT_TRUE(parsed(nested(90)).result.ok()) << nested(1) << errors(nested(90));
    EXPECT_EQ(first_kind(nested(1000)), DiagnosticKind::limit) << nested(1);
    EXPECT_EQ(first_kind(nested(30'000)), DiagnosticKind::limit) << nested(1);
    EXPECT_FALSE(parsed(std::string(n.before) + repeated(n.open, 30'000)).result.ok()) << nested(1);
  }
}

TEST(SyntaxLimits, ChainsAreBounded) {
  for (const auto& [link, end] :
       std::initializer_list<std::pair<std::string_view, std::string_view>>{
           {"1+", "1"},
           {"- ", "1"},
           {"not ", "a"},
           {"a^", "b"},
           {"a^-", "b"},
           {"f => ", "1"},
           {"a |> ", "f"},
           {"a or ", "b"},
           {"if a then b else ", "c"}}) {
    EXPECT_TRUE(parsed(repeated(link, 90) + std::string(end)).result.ok()) << link;
    EXPECT_EQ(first_kind(repeated(link, 1000) + std::string(end)), DiagnosticKind::limit) << link;
    EXPECT_EQ(first_kind(repeated(link, 100'000) + std::string(end)), DiagnosticKind::limit)
        << link;
  }
  for (std::string_view suffix : {"()", ".b", "[0]", " as model"}) {
    std::string text = "a";
    text += repeated(suffix, 1000);
    EXPECT_EQ(first_kind(text), DiagnosticKind::limit) << suffix;
  }
  EXPECT_TRUE(parsed("x = [" + repeated("1, ", 10'000) + "]").result.ok());
  EXPECT_TRUE(parsed(repeated("x = if a then b else c\n", 1000)).result.ok());
}

TEST(SyntaxLimits, SizeIsBounded) {
  EXPECT_EQ(first_kind(std::string(limits::kRecipeBytes + 1, ' ')), DiagnosticKind::limit);
  EXPECT_TRUE(parsed(std::string(1 << 20, ' ') + "x").result.ok());
  EXPECT_EQ(first_kind(repeated("x\n", limits::kSyntaxTokens)), DiagnosticKind::limit);
  // Comments before a continued line are passed once, not once each.
  EXPECT_TRUE(parsed("x = a +\n" + repeated("#\n", 90'000) + "b").result.ok());
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

// --- anything at all -----------------------------------------------------------------------------

// What a parse of anything promises: a tree, or errors of the user with places inside the text.
void expect_sane(const std::string& text) {
  is_incomplete(text);
  Parsed p = parsed(text);
  if (p.result) {
    ast::dump(*p.result);
    for (const ast::Expr& expr : p.result->exprs) ASSERT_LE(expr.span.end, text.size()) << text;
    return;
  }
  ASSERT_FALSE(p.result.error().empty()) << text;
  std::uint32_t last = 0;
  for (const Diagnostic& d : p.result.error()) {
    ASSERT_NE(d.kind, DiagnosticKind::internal) << d.message << "\n" << text;
    ASSERT_LE(d.span.begin, d.span.end) << text;
    ASSERT_LE(d.span.end, text.size()) << text;
    ASSERT_LE(last, d.span.begin) << text;
    ASSERT_EQ(d.message.find("<EOF>"), std::string::npos) << text;
    last = d.span.begin;
  }
  render(p.result.error(), p.sources);
}

TEST(SyntaxFuzz, EveryTruncationOfARecipe) {
  EXPECT_TRUE(parsed(std::string(kRecipe)).result.ok()) << errors(std::string(kRecipe));
  for (std::size_t size = 0; size <= kRecipe.size(); ++size)
    expect_sane(std::string(kRecipe.substr(0, size)));
}

TEST(SyntaxFuzz, DamagedRecipes) {
  constexpr std::string_view kPieces[] = {
      "(",         ")",     "[",       "]",    "{",        "}",       "\"",
      "${",        "$",     "\\",      "'",    "\n",       ";",       ",",
      "=",         "=>",    "->",      "|>",   "|",        "..",      ".",
      "+",         "-",     "^",       "not ", " if ",     " then ",  " else ",
      " for ",     " in ",  " match ", " as ", " method ", " param ", " import ",
      "##",        "#",     "1",       "1e",   "%",        "é",       "\xFF",
      " without ", " and ", "_",       "x",    "?",        ":",       "regex(\"a\")"};
  std::mt19937 random(20240601);
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  for (int round = 0; round < 1200; ++round) {
    std::string text(kRecipe);
    const std::size_t begin = below(text.size());
    text = text.substr(begin, 40 + below(500));
    for (std::size_t edits = 1 + below(6); edits-- > 0;) {
      const std::size_t at = below(text.size());
      if (below(2) == 0)
        text.erase(at, below(8));
      else
        text.insert(at, kPieces[below(std::size(kPieces))]);
      if (text.empty()) text.push_back('x');
    }
    expect_sane(text);
  }
  for (int round = 0; round < 800; ++round) {
    std::string text;
    for (std::size_t count = below(40); count-- > 0;) text += kPieces[below(std::size(kPieces))];
    expect_sane(text);
  }
}

TEST(SyntaxFuzz, RandomBytes) {
  std::mt19937 random(7);
  for (int round = 0; round < 500; ++round) {
    std::string text;
    for (std::size_t count = random() % 60; count-- > 0;)
      text += static_cast<char>(round % 2 == 0 ? random() % 256 : 32 + random() % 95);
    expect_sane(text);
  }
}

}  // namespace
}  // namespace roux
