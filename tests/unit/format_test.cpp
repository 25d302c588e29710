// The style of recipes: cases, and what holds for every recipe of the repository and for texts made of them by
// random blanks, new lines and comments: the tree stays, comments stay, formatting twice changes nothing, and
// blanks and new lines do not matter.
#include "compiler/format/format.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "compiler/syntax/brackets.h"
#include "compiler/syntax/lexer.h"
#include "compiler/syntax/newlines.h"
#include "tests/support/files.h"
#include "tests/support/paths.h"
#include "tests/support/syntax.h"

namespace roux::testing {
namespace {

namespace fs = std::filesystem;

std::string formatted(const std::string& text) {
  SourceMap sources;
  const SourceId source = sources.add("t", text);
  const Result<std::string> out = format(sources, source);
  return out ? *out : "error: " + out.error()[0].message;
}

void expect_formats(std::initializer_list<Case> cases) {
  for (const Case& c : cases) {
    EXPECT_EQ(formatted(std::string(c.source)), c.expected) << "source: " << c.source;
    EXPECT_EQ(formatted(std::string(c.expected)), c.expected) << "again";
  }
}

// --- cases -----------------------------------------------------------------------------------------

TEST(Format, Blanks) {
  expect_formats({
      {"", ""},
      {"\n\n", ""},
      {"x=1", "x = 1\n"},
      {"x=a+b *c", "x = a + b * c\n"},
      {"x = - a ^ - b", "x = -a^-b\n"},
      {"x = a^b as number", "x = a ^ b as number\n"},
      {"x = not a and b or c == d", "x = not a and b or c == d\n"},
      {"x = 0 .. 24", "x = 0..24\n"},
      {"x = 0..n-1", "x = 0 .. n - 1\n"},
      {"x = a [ 0 ] . b ( c , d=1 , )", "x = a[0].b(c, d = 1)\n"},
      {"x = xs without ys ++ [ ]", "x = xs without ys ++ []\n"},
      {"x = {a=1,b=2,}", "x = {a = 1, b = 2}\n"},
      {"x = (a,)\ny = ( a,b, )\nz = ((a))", "x = (a,)\ny = (a, b)\nz = ((a))\n"},
      {"x = (a,b)=>a", "x = (a, b) => a\n"},
      {"x = [ f(m) for (i,m) in enumerate( ms )if i>0 ]", "x = [f(m) for (i, m) in enumerate(ms) if i > 0]\n"},
      {"import  \"a.merge\"  as  m", "import \"a.merge\" as m\n"},
      {"param k:number( 0..2 )|none=20%", "param k: number(0..2) | none = 20%\n"},
      {"method f( a:list[ model ]?,b:(number,string) )->model=a", "method f(a: list[model]?, b: (number, string)) -> model = a\n"},
  });
}

TEST(Format, SemicolonsThatSeparateNothingCountForNothing) {
  expect_formats({
      {";x = 1;;", "x = 1\n"},
      {";## a\nmethod f() = 1", "## a\nmethod f() = 1\n"},
      {"x = 1\n;## a\n;;## b\n;method f() = 1", "x = 1\n## a\n## b\nmethod f() = 1\n"},
      {"x = 1;## a\nmethod f() = 1", "x = 1  ## a\nmethod f() = 1\n"},
  });
}

// It is a word that a parameter may have for a name.
TEST(Format, MethodIsANameWhereAParameterHasIt) {
  expect_formats({
      {"method q(x, method)=(method)", "method q(x, method) = (method)\n"},
      {"method q(x, method) = {y = 1;method +y}", "method q(x, method) = {\n  y = 1\n  method + y\n}\n"},
      {"method", "method\n"},
      {"method(2)\nmethod.b\nmethod[0]", "method(2)\nmethod.b\nmethod[0]\n"},
      {"method without(a)", "method without (a)\n"},
      {"method without(a)=a", "method without(a) = a\n"},
      {"q=f(a,method=\"lower\",k=1)", "q = f(a, method = \"lower\", k = 1)\n"},
  });
}

TEST(Format, KeepsHowThingsAreSpelled) {
  expect_formats({
      {"x = [20%, 0.20, 1e-3, 5GB, 512MiB]", "x = [20%, 0.20, 1e-3, 5GB, 512MiB]\n"},
      {R"(x = "a  ${ b }\u{e9}$$")", "x = \"a  ${ b }\\u{e9}$$\"\n"},
      {"x = (a + b) + (c)", "x = (a + b) + (c)\n"},
  });
}

TEST(Format, StatementsStandOnLinesOfTheirOwn) {
  expect_formats({
      {"a = 1; save(a, \"b\")", "a = 1\nsave(a, \"b\")\n"},
      {"\n\na = 1\n\n\n\nsave(a, \"b\")\n\n", "a = 1\n\nsave(a, \"b\")\n"},
      {"f = x => { y = x; y }", "f = x => {\n  y = x\n  y\n}\n"},
      {"f = x => {\n\n y = x\n\n\n y\n\n }", "f = x => {\n  y = x\n\n  y\n}\n"},
      {"f = x => {x}", "f = x => { x }\n"},
  });
}

TEST(Format, SignsOfNeighboursAlign) {
  expect_formats({
      {"base = 1\nb = 2", "base = 1\nb    = 2\n"},
      {"base = 1\n\nb = 2", "base = 1\n\nb = 2\n"},
      {"base = 1\n# c\nb = 2", "base = 1\n# c\nb = 2\n"},
      {"a_very_long_name = 1\nb = 2\nbb = 3", "a_very_long_name = 1\nb  = 2\nbb = 3\n"},
      {"base = 1\nb = x => { y = 1; y }", "base = 1\nb = x => {\n  y = 1\n  y\n}\n"},
      {"a = 1 # one\nb = 22 # two", "a = 1   # one\nb = 22  # two\n"},
  });
}

TEST(Format, LongBracketsHaveOneItemPerLine) {
  const std::string long_name(40, 'a');
  const std::string item = "  " + long_name + ",\n";
  const std::string items = long_name + ", " + long_name + ", " + long_name;
  EXPECT_EQ(formatted("x = [" + items + "]"), "x = [\n" + item + item + item + "]\n");
  EXPECT_EQ(formatted("f(" + items + ")"), "f(\n" + item + item + item + ")\n");
  EXPECT_EQ(formatted("f([" + items + "])"), "f([\n" + item + item + item + "])\n");
  EXPECT_EQ(formatted("f(a, [" + items + "])"),
            "f(\n  a,\n  [\n  " + item + "  " + item + "  " + item + "  ],\n)\n");
  EXPECT_EQ(formatted("method f(a, k = [" + items + "]) -> model = a"),
            "method f(\n  a,\n  k = [\n  " + item + "  " + item + "  " + item + "  ],\n) -> model = a\n");
  EXPECT_EQ(formatted("x = [" + long_name + " for " + long_name + " in " + long_name + "]"),
            "x = [\n  " + long_name + "\n  for " + long_name + " in " + long_name + "\n]\n");
  EXPECT_EQ(formatted("x = [" + repeated("0.125, ", 20) + "]"),
            "x = [\n  " + repeated("0.125, ", 13) + "0.125,\n  " + repeated("0.125, ", 5) + "0.125,\n]\n");
}

TEST(Format, FunctionsWithBlocksEndTheLineOfTheirCall) {
  expect_formats({
      {"x = fold(xs, 0, (s, m) => { t = s; t })", "x = fold(xs, 0, (s, m) => {\n  t = s\n  t\n})\n"},
      {"x = sort(xs, key = m => { t = m; t })", "x = sort(xs, key = m => {\n  t = m\n  t\n})\n"},
      {"x = f(m => { t = m; t }, 1)", "x = f(\n  m => {\n    t = m\n    t\n  },\n  1,\n)\n"},
  });
}

TEST(Format, LongOperationsBreakBehindOperators) {
  const std::string a(44, 'a');
  EXPECT_EQ(formatted("x = " + a + "+" + a + "*b-" + a), "x =\n  " + a + " +\n  " + a + " * b -\n  " + a + "\n");
  EXPECT_EQ(formatted("x = if " + a + " then " + a + " else if b then c else " + a),
            "x =\n  if " + a + " then " + a + "\n  else if b then c\n  else " + a + "\n");
  EXPECT_EQ(formatted("x = if " + a + a + " then " + a + " else b"),
            "x =\n  if " + a + a + "\n    then " + a + "\n  else b\n");
  EXPECT_EQ(formatted("x = " + a + " |> f(" + a + ") |> g"), "x = " + a + "\n  |> f(" + a + ")\n  |> g\n");
}

TEST(Format, BranchesWithBlocks) {
  expect_formats({
      {"f = x => if x then { y = 1; y } else { z = 2; z }",
       "f = x =>\n  if x then {\n    y = 1\n    y\n  } else {\n    z = 2\n    z\n  }\n"},
  });
}

TEST(Format, MatchHasOneArmPerLine) {
  expect_formats({
      {"t = match name { \"*mlp*\"=>0.5, _=>0.3 }", "t = match name { \"*mlp*\" => 0.5, _ => 0.3 }\n"},
      {"t = match name { \"*mlp*\"=>0.5, regex(\"x\")=>1\n\n _=>0.3 }",
       "t = match name {\n  \"*mlp*\"    => 0.5\n  regex(\"x\") => 1\n\n  _ => 0.3\n}\n"},
      {"t = match name { \"*mlp*\" => lerp(a, b, t = 0.25), _ => mean(models) }",
       "t = match name {\n  \"*mlp*\" => lerp(a, b, t = 0.25)\n  _       => mean(models)\n}\n"},
      {"t = match name {\n# why\n_=>0.3 # all\n}", "t = match name {\n  # why\n  _ => 0.3  # all\n}\n"},
  });
}

TEST(Format, CommentsStay) {
  expect_formats({
      {"# a\n\n#b  \nx = 1#c", "# a\n\n#b\nx = 1  #c\n"},
      {"## doc\nmethod f(a) = a # t", "## doc\nmethod f(a) = a  # t\n"},
      {"## no doc\n\nmethod f(a) = a", "## no doc\n\nmethod f(a) = a\n"},
      {"f(a, # one\n b # two\n)", "f(\n  a,  # one\n  b,  # two\n)\n"},
      {"f(\n# own\na\n# end\n)", "f(\n  # own\n  a,\n  # end\n)\n"},
      {"x = [ # list\n]", "x = [  # list\n]\n"},
      {"x = a + # left\n# own\nb", "x =\n  a +  # left\n  # own\n  b\n"},
      {"x = (a\n# own\n+ b)", "x = (\n  a +\n  # own\n  b\n)\n"},
      {"x = if a # why\nthen b\n# not\nelse c", "x =\n  if a  # why\n    then b\n  # not\n  else c\n"},
      {"x = a # first\n|> f # second\n", "x = a  # first\n  |> f  # second\n"},
      {"f = x => { # open\n# own\nx # value\n# end\n}",
       "f = x => {  # open\n  # own\n  x  # value\n  # end\n}\n"},
  });
}

TEST(Format, LinesEndAsTheFirstOneDoes) {
  EXPECT_EQ(formatted("x=1 # c\r\n\r\ny=[\r\n1]\r\n"), "x = 1  # c\r\n\r\ny = [1]\r\n");
  EXPECT_EQ(formatted("x=1\ny=2\r\n"), "x = 1\ny = 2\n");
  EXPECT_EQ(formatted("\xEF\xBB\xBFx=1\n"), "x = 1\n");
}

TEST(Format, SyntaxErrorsAreTold) {
  EXPECT_TRUE(formatted("x = (1\n").starts_with("error: ")) << formatted("x = (1\n");
}

TEST(Format, DeepAndLongTextsAreQuick) {
  const std::string deep = "x = " + repeated("f(", 150) + "1" + repeated(")", 150);
  EXPECT_EQ(formatted(formatted(deep)), formatted(deep));
  std::string sum = "x = a";
  for (int i = 0; i < 150; ++i) sum += " + (b * [" + repeated("c, ", 50) + "])";
  EXPECT_EQ(formatted(formatted(sum)), formatted(sum));
}

// --- every recipe of the repository ----------------------------------------------------------------

struct File {
  std::string path, text;
};

std::vector<File> recipes(const std::vector<std::string>& folders) {
  std::vector<File> files;
  for (const std::string& folder : folders)
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(source_dir() / folder))
      if (entry.path().extension() == ".merge")
        files.push_back({fs::relative(entry.path(), source_dir()).string(), read_file(entry.path())});
  std::sort(files.begin(), files.end(), [](const File& a, const File& b) { return a.path < b.path; });
  return files;
}

// The recipes of the repository that parse, and one that uses all of the grammar.
std::vector<File> corpus() {
  std::vector<File> files = recipes({"stdlib", "examples", "tests"});
  std::erase_if(files, [](const File& file) { return !parsed(file.text).result.ok(); });
  files.push_back({"kRecipe", std::string(kRecipe)});
  return files;
}

std::vector<std::string> comments_of(const std::string& text) {
  std::vector<std::string> comments;
  for (const syntax::Token& token : syntax::lex(text).tokens)
    if (token.kind == syntax::TokenKind::comment || token.kind == syntax::TokenKind::documentation)
      comments.emplace_back(token.text.substr(0, token.text.find_last_not_of(" \t\r") + 1));
  return comments;
}

std::size_t longest_line_without_text(const std::string& text) {
  std::size_t longest = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string line = text.substr(at, end - at);
    if (line.find('"') == line.npos && line.find('#') == line.npos) longest = std::max(longest, line.size());
    at = end + 1;
  }
  return longest;
}

void expect_laws(const std::string& text) {
  const std::string once = formatted(text);
  EXPECT_EQ(tree(once), tree(text));
  EXPECT_EQ(comments_of(once), comments_of(text));
  EXPECT_EQ(formatted(once), once);
}

TEST(FormatRepository, KeepsTreesAndCommentsAndComesToAnEnd) {
  const std::vector<File> files = corpus();
  ASSERT_GT(files.size(), 50u);
  for (const File& file : files) {
    SCOPED_TRACE(file.path);
    expect_laws(file.text);
    EXPECT_LE(longest_line_without_text(formatted(file.text)), 100u);
  }
}

TEST(FormatRepository, LibraryAndExamplesAreFormatted) {
  for (const File& file : recipes({"stdlib", "examples"}))
    EXPECT_EQ(formatted(file.text), file.text) << "run `roux fmt " << file.path << "`";
}

// --- random blanks, new lines and comments ---------------------------------------------------------

class Scrambler {
 public:
  Scrambler(const std::string& text, unsigned seed, bool comments)
      : text_(text), words_(syntax::lex(text)), brackets_(syntax::match_brackets(words_.tokens, kNoSource)), random_(seed),
        comments_(comments) {}

  std::string run() {
    for (const syntax::Token& token : words_.tokens) step(token);
    return out_;
  }

 private:
  using Kind = syntax::TokenKind;

  bool one_in(unsigned n) { return random_() % n == 0; }

  static bool is_wordish(Kind kind) { return kind == Kind::word || kind == Kind::reserved || kind == Kind::number; }

  // Between `previous_` and `token` there may be a new line without a meaning.
  bool may_break(const syntax::Token& token, std::size_t index) const {
    const std::uint32_t around = brackets_.inside[index];
    const bool in_brackets = around != syntax::kTopLevel && words_.tokens[around].text != "{";
    const bool before = token.text == "|>" || token.text == "then" || token.text == "else" || token.text == "->";
    return in_brackets || before || syntax::continues_line(*previous_, before_previous_);
  }

  void step(const syntax::Token& token) {
    const auto index = static_cast<std::size_t>(&token - words_.tokens.data());
    if (token.kind == Kind::comment || token.kind == Kind::documentation) {
      out_ += (out_.empty() || out_.back() == '\n' ? "" : " ") + std::string(token.text);
      return;
    }
    if (token.kind == Kind::newline) {
      out_ += '\n';
      return;
    }
    const bool in_text = depth_ > 0;
    depth_ += token.kind == Kind::open_text;
    depth_ -= token.kind == Kind::close_text;
    if (in_text) out_ += text_.substr(previous_->end, token.begin - previous_->end);
    if (!in_text && previous_ != nullptr && !out_.ends_with('\n')) separate(token, index);
    if (!in_text && out_.ends_with('\n')) out_.append(random_() % 4, ' ');
    out_ += token.text;
    before_previous_ = previous_;
    previous_ = &token;
  }

  void separate(const syntax::Token& token, std::size_t index) {
    const bool must = (is_wordish(previous_->kind) && is_wordish(token.kind)) ||
                      (previous_->kind == Kind::symbol && token.kind == Kind::symbol) ||
                      (previous_->kind == Kind::number && token.kind == Kind::symbol);
    out_.append((must ? 1 : 0) + random_() % 3, ' ');
    if (token.kind == Kind::end || !may_break(token, index) || !one_in(4)) return;
    if (comments_ && one_in(2)) out_ += " # c" + std::to_string(++count_);
    out_ += '\n';
    while (comments_ && one_in(3)) out_ += " # own " + std::to_string(++count_) + "\n";
  }

  const std::string& text_;
  syntax::Words words_;
  syntax::Brackets brackets_;
  std::mt19937 random_;
  bool comments_;
  std::string out_;
  const syntax::Token* previous_ = nullptr;
  const syntax::Token* before_previous_ = nullptr;
  int depth_ = 0;  // of strings
  int count_ = 0;
};

unsigned first_seed() {
  const char* given = std::getenv("ROUX_SEED");
  return given == nullptr ? 1 : static_cast<unsigned>(std::atoi(given));
}

constexpr unsigned kRounds = 3;

std::string without_comments(const std::string& text) {
  std::string out;
  std::size_t at = 0;
  for (const syntax::Token& token : syntax::lex(text).tokens) {
    if (token.kind != syntax::TokenKind::comment && token.kind != syntax::TokenKind::documentation) continue;
    out += text.substr(at, token.begin - at);
    at = token.end;
  }
  return out + text.substr(at);
}

// (New lines move comments: without those.)
TEST(FormatRandom, BlanksAndNewLinesDoNotMatter) {
  for (const File& file : corpus()) {
    const std::string plain = without_comments(file.text);
    for (unsigned seed = first_seed(); seed < first_seed() + kRounds; ++seed) {
      const std::string scrambled = Scrambler(plain, seed, false).run();
      EXPECT_EQ(formatted(scrambled), formatted(plain)) << file.path << ", ROUX_SEED=" << seed << "\n" << scrambled;
    }
  }
}

TEST(FormatRandom, CommentsMayStandAnywhere) {
  for (const File& file : corpus())
    for (unsigned seed = first_seed(); seed < first_seed() + kRounds; ++seed) {
      const std::string scrambled = Scrambler(file.text, seed, true).run();
      SCOPED_TRACE(file.path + ", ROUX_SEED=" + std::to_string(seed) + "\n" + scrambled);
      ASSERT_EQ(tree(scrambled), tree(file.text)) << "the test makes another recipe";
      expect_laws(scrambled);
    }
}

}  // namespace
}  // namespace roux::testing
