// `roux explain`: what a diagnostic means, as a page; without a subject, all of them as a list.
#include "cli/terminal.h"

namespace roux::cli {
namespace {

// `[text](address)` is its text.
std::string without_links(std::string line) {
  for (std::size_t at = 0; (at = line.find("](", at)) != line.npos;) {
    const std::size_t open = line.rfind('[', at), close = line.find(')', at);
    if (open == line.npos || close == line.npos) break;
    line = line.substr(0, open) + line.substr(open + 1, at - open - 1) + line.substr(close + 1);
    at = open;
  }
  return line;
}

// Markdown as plain text: blocks are indented instead of fenced.
std::string plain_text(const std::string& markdown) {
  std::string out;
  bool fenced = false;
  for (std::size_t at = 0; at < markdown.size();) {
    const std::size_t end = std::min(markdown.find('\n', at), markdown.size());
    std::string line = markdown.substr(at, end - at);
    at = end + 1;
    if (line.starts_with("```")) {
      fenced = !fenced;
      if (fenced && !out.ends_with("\n\n")) out += '\n';
      continue;
    }
    if (fenced) {
      out += line.empty() ? "\n" : "    " + line + '\n';
      continue;
    }
    for (std::size_t mark; (mark = line.find("**")) != line.npos;) line.erase(mark, 2);
    out += without_links(line) + '\n';
  }
  return out;
}

Json json_of(const Explanation& page) {
  return {{"code", page.code}, {"kind", page.kind}, {"title", page.title}, {"text", page.text}};
}

void list_all(Terminal& terminal) {
  for (const Explanation& page : explanations()) {
    const std::string padding(std::max<std::size_t>(20, page.kind.size()) - page.kind.size(), ' ');
    terminal.print(page.code + "  " + page.kind + padding + page.title + '\n');
  }
}

}  // namespace

int explain_diagnostic(const Arguments& arguments) {
  Terminal terminal(arguments);
  std::vector<Explanation> pages = explanations();
  if (!arguments.subject.empty()) {
    const Result<Explanation> page = explain(arguments.subject);
    if (!page) return terminal.fail(page.error());
    pages = {*page};
  }
  if (terminal.is_json()) {
    Json& all = terminal.document()["explanations"] = Json::array();
    for (const Explanation& page : pages) all.push_back(json_of(page));
  } else if (arguments.subject.empty()) {
    list_all(terminal);
  } else {
    terminal.print(pages[0].code + ' ' + pages[0].kind + ": " + pages[0].title + "\n\n" + plain_text(pages[0].text));
  }
  return terminal.finish();
}

}  // namespace roux::cli
