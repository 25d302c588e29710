// Codes that are for good, places in the units that people and editors count in, and the text form.
#include "base/diagnostic.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <regex>
#include <set>

namespace roux {
namespace {

const std::vector<DiagnosticKind> kAllKinds = {
#define ROUX_DIAGNOSTIC(name, code, fault) DiagnosticKind::name,
#include "base/diagnostic_kinds.def"
};

TEST(DiagnosticCodes, AreDistinctAndAscendWithinTheirGroup) {
  std::set<std::string> seen;
  std::map<std::string, std::string> last;  // of the group
  for (const DiagnosticKind kind : kAllKinds) {
    const std::string code(code_of(kind));
    EXPECT_TRUE(std::regex_match(code, std::regex("(E0[1-59]|N06)[0-9]{2}"))) << code;
    EXPECT_TRUE(seen.insert(code).second) << code << " is given twice";
    EXPECT_LT(last[code.substr(0, 3)], code) << "rows of a group stand in the order of their codes";
    last[code.substr(0, 3)] = code;
  }
}

// Codes that are in the world. A row goes only into this list, never out of it or to another name.
TEST(DiagnosticCodes, StayWhatTheyAre) {
  const std::map<std::string, std::string> published = {
      {"E0101", "syntax"},           {"E0201", "unknown_name"},  {"E0204", "unknown_argument"},
      {"E0301", "wrong_type"},       {"E0305", "total_weight"},  {"E0306", "no_base"},
      {"E0401", "no_such_file"},     {"E0406", "missing_tensor"}, {"E0407", "shape_mismatch"},
      {"E0501", "output_exists"},    {"E0507", "scorer_failed"}, {"N0601", "shadowed"},
      {"E0901", "internal"},
  };
  std::map<std::string, std::string> now;
  for (const DiagnosticKind kind : kAllKinds) now[std::string(code_of(kind))] = name_of(kind);
  for (const auto& [code, name] : published) EXPECT_EQ(now[code], name);
}

TEST(Places, CountLinesAndCodePointsFromOne) {
  SourceMap sources;
  const std::string text = "a = 1\nb = \"\xC3\xA9\xF0\x9F\x98\x80\" + x\n";  // é and an emoji: 2 and 4 bytes
  const SourceId id = sources.add("r.merge", text);
  const auto at = static_cast<std::uint32_t>(text.find('x'));
  EXPECT_EQ(sources.place_of({id, at, at + 1}), (Place{"r.merge", 2, 12, 2, 13}));
  EXPECT_EQ(sources.place_of({id, 0, 5}), (Place{"r.merge", 1, 1, 1, 6}));
  EXPECT_EQ(sources.place_of({id, 4, 7}), (Place{"r.merge", 1, 5, 2, 2})) << "over the end of a line";
  EXPECT_EQ(sources.place_of({id, 2, 2}), (Place{"r.merge", 1, 3, 1, 3})) << "empty";
}

TEST(Rendering, ShowsSeverityCodeAndEveryPlace) {
  SourceMap sources;
  const SourceId id = sources.add("r.merge", "a = 1\na = 2\n");
  const Diagnostic twice = error(DiagnosticKind::rebound, {id, 6, 7}, "`a` is bound twice")
                               .note({id, 0, 1}, "first bound here")
                               .hint("choose another name");
  EXPECT_EQ(render(twice, sources),
            "r.merge:2:1: error[E0202]: `a` is bound twice\n"
            "  a = 2\n"
            "  ^\n"
            "r.merge:1:1: note: first bound here\n"
            "  a = 1\n"
            "  ^\n"
            "help: choose another name\n");
  EXPECT_EQ(render(note(DiagnosticKind::no_output, {}, "nothing is saved"), sources),
            "note[N0605]: nothing is saved\n");
}

}  // namespace
}  // namespace roux
