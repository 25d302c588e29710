// What the tests of the syntax layer share: a text parsed with its sources, its tree as a dump, its
// errors as lines, and one recipe that uses all of the grammar.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "compiler/syntax/parse.h"

namespace roux::testing {

struct Parsed {
  SourceMap sources;
  Result<ast::Module> result = ast::Module{};
};

inline Parsed parsed(std::string text) {
  Parsed p;
  const SourceId id = p.sources.add("t", std::move(text));
  p.result = parse(p.sources, id);
  return p;
}

// The dump without its last newline, or what is wrong.
inline std::string tree(std::string text) {
  Parsed p = parsed(std::move(text));
  if (!p.result) return render(p.result.error(), p.sources);
  std::string dumped = ast::dump(*p.result);
  if (dumped.ends_with('\n')) dumped.pop_back();
  return dumped;
}

// One line per error: `LINE:COLUMN message [| note LINE:COLUMN text] [| help]`.
inline std::string errors(std::string text) {
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

inline DiagnosticKind first_kind(std::string text) {
  Parsed p = parsed(std::move(text));
  EXPECT_FALSE(p.result.ok());
  return p.result ? DiagnosticKind::internal : p.result.error()[0].kind;
}

struct Case {
  std::string_view source;
  std::string_view expected;
};

inline void expect_trees(std::initializer_list<Case> cases) {
  for (const Case& c : cases)
    EXPECT_EQ(tree(std::string(c.source)), c.expected) << "source: " << c.source;
}

inline void expect_errors(std::initializer_list<Case> cases) {
  for (const Case& c : cases)
    EXPECT_EQ(errors(std::string(c.source)), c.expected) << "source: " << c.source;
}

inline std::string repeated(std::string_view text, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += text;
  return out;
}

// What a parse of anything promises: a tree, or errors of the user with places inside the text, in its order. What of it
// does not hold; empty if all does.
inline std::string complaint_of_parse(const std::string& text) {
  is_incomplete(text);
  Parsed p = parsed(text);
  if (p.result) {
    ast::dump(*p.result);
    for (const ast::Expr& expr : p.result->exprs)
      if (expr.span.end > text.size()) return "an expression ends beyond the text";
    return "";
  }
  if (p.result.error().empty()) return "refused without a word";
  std::uint32_t last = 0;
  for (const Diagnostic& d : p.result.error()) {
    if (d.kind == DiagnosticKind::internal) return "a bug: " + d.message;
    if (d.span.begin > d.span.end || d.span.end > text.size()) return "nowhere in the text: " + d.message;
    if (last > d.span.begin) return "out of order: " + d.message;
    if (d.message.find("<EOF>") != std::string::npos) return "in words of ANTLR: " + d.message;
    last = d.span.begin;
  }
  render(p.result.error(), p.sources);
  return "";
}

inline constexpr std::string_view kRecipe = R"roux(# soup.merge
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

}  // namespace roux::testing
