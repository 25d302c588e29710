#include "api/explanations.h"

#include <algorithm>
#include <cctype>

#include "api/roux.h"
#include "base/text.h"

namespace roux {
namespace {

Explanation explanation_on(std::string_view page) {
  const std::size_t end = page.find('\n');
  const std::string_view heading = page.substr(2, end - 2);  // behind "# "
  const std::size_t space = heading.find(' '), colon = heading.find(": ");
  ROUX_CHECK(page.starts_with("# ") && space < colon && colon != heading.npos);
  std::string_view text = page.substr(end);
  text.remove_prefix(std::min(text.find_first_not_of('\n'), text.size()));
  return {.code = std::string(heading.substr(0, space)),
          .kind = std::string(heading.substr(space + 1, colon - space - 1)),
          .title = std::string(heading.substr(colon + 2)),
          .text = std::string(text)};
}

// What people paste: `error[E0201]`, `e0201`, `unknown-name`.
std::string plain_word(std::string_view word) {
  if (const std::size_t bracket = word.find('['); bracket != word.npos)
    word = word.substr(bracket + 1, word.find(']') - bracket - 1);
  std::string plain;
  for (const char c : word) plain += c == '-' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return plain;
}

}  // namespace

const std::vector<Explanation>& explanations() {
  static const std::vector<Explanation> all = [] {
    std::vector<Explanation> pages;
    for (const ExplanationPage& page : embedded_pages()) pages.push_back(explanation_on(page.text));
    std::sort(pages.begin(), pages.end(), [](const auto& a, const auto& b) { return a.code < b.code; });
    return pages;
  }();
  return all;
}

Result<Explanation> explain(std::string_view code_or_kind) {
  const std::string wanted = plain_word(code_or_kind);
  std::vector<std::string> known;
  for (const Explanation& page : explanations()) {
    if (plain_word(page.code) == wanted || page.kind == wanted) return page;
    known.push_back(page.kind);
    known.push_back(page.code);
  }
  Diagnostic unknown = error(DiagnosticKind::bad_option, {}, "there is no diagnostic " + quoted(code_or_kind))
                           .hint("`roux explain` lists all of them");
  std::string upper = wanted;
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  for (const std::string& spelling : {wanted, upper})
    if (const auto near = nearest(spelling, known)) unknown.help = "nearest is " + quoted(*near);
  return unknown;
}

}  // namespace roux
