#include "compiler/format/format.h"

#include <algorithm>
#include <vector>

#include "compiler/format/arrange.h"
#include "compiler/format/lines.h"
#include "compiler/format/set_lines.h"
#include "compiler/syntax/lexer.h"
#include "compiler/syntax/parse.h"

namespace roux {
namespace {

// Comments that move to other lines may make room, or take it: then another pass finds more to do.
constexpr int kPasses = 4;

std::string_view newline_of(std::string_view text) {
  const std::size_t at = text.find('\n');
  return at != std::string_view::npos && at > 0 && text[at - 1] == '\r' ? "\r\n" : "\n";
}

std::string pass(std::string_view text, std::string_view newline) {
  typeset::Layout layout;
  typeset::Reader reader(text);
  typeset::Arranger arranger(reader, layout);
  std::vector<typeset::Line> lines = typeset::set_lines(layout, arranger.file());
  typeset::align(lines);
  return typeset::join(lines, newline);
}

std::vector<std::string_view> comments_of(const syntax::Words& words) {
  std::vector<std::string_view> comments;
  for (const syntax::Token& token : words.tokens)
    if (token.kind == syntax::TokenKind::comment || token.kind == syntax::TokenKind::documentation)
      comments.push_back(token.text.substr(0, token.text.find_last_not_of(" \t\r\f") + 1));
  std::sort(comments.begin(), comments.end());
  return comments;
}

// A bug of ours if not: what is formatted means what it meant, and holds the same comments.
void check_keeps(const SourceMap& sources, SourceId source, const std::string& dump, const std::string& text) {
  SourceMap fresh;
  const Result<ast::Module> tree = parse(fresh, fresh.add({}, text));
  ROUX_CHECK(tree.ok());
  ROUX_CHECK(ast::dump(*tree) == dump);
  ROUX_CHECK(comments_of(syntax::lex(text)) == comments_of(syntax::lex(sources.text(source))));
}

}  // namespace

Result<std::string> format(const SourceMap& sources, SourceId source) {
  ROUX_TRY(const ast::Module tree, parse(sources, source));
  const std::string dump = ast::dump(tree);
  const std::string_view newline = newline_of(sources.text(source));
  std::string text(sources.text(source));
  for (int i = 0; i < kPasses; ++i) {
    std::string next = pass(text, newline);
    if (next == text) return text;
    text = std::move(next);
    check_keeps(sources, source, dump, text);
  }
  throw InternalError("formatting does not come to an end");
}

}  // namespace roux
