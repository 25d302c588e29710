#include "compiler/format/lines.h"

#include <algorithm>

#include "compiler/format/layout.h"

namespace roux::typeset {
namespace {

constexpr std::uint32_t kMostPadding = 8;      // before the `=` of a binding
constexpr std::uint32_t kMostArmPadding = 24;  // before the `=>` of an arm, which `_` often ends
constexpr std::uint32_t kMostCommentPadding = 24;

struct Columns {
  std::uint32_t least, most;
};

// Runs of neighbours that `fits` lets be padded to one column: `column(line)` is where the padding goes in.
template <class Belongs, class Column, class Fits, class Pad>
void align_runs(std::vector<Line>& lines, Belongs belongs, Column column, Fits fits, Pad pad) {
  for (std::size_t first = 0; first < lines.size();) {
    std::size_t last = first;
    Columns range{~0u, 0};
    for (; last < lines.size() && belongs(lines[first], lines[last]); ++last) {
      const std::uint32_t at = column(lines[last]);
      const Columns wider{std::min(range.least, at), std::max(range.most, at)};
      const auto padded_fits = [&](const Line& line) { return fits(line, wider.most - column(line)); };
      if (!fits(lines[last], wider.most - wider.least)) break;
      if (!std::all_of(lines.begin() + static_cast<std::ptrdiff_t>(first),
                       lines.begin() + static_cast<std::ptrdiff_t>(last) + 1, padded_fits))
        break;
      range = wider;
    }
    for (std::size_t i = first; i < last; ++i) pad(lines[i], range.most - column(lines[i]));
    first = std::max(last, first + 1);
  }
}

void align_signs(std::vector<Line>& lines) {
  align_runs(
      lines,
      [](const Line& first, const Line& line) {
        return !first.sign.empty() && line.sign == first.sign && line.indentation == first.indentation;
      },
      [](const Line& line) { return columns(std::string_view(line.code).substr(0, line.sign_at)); },
      [](const Line& line, std::uint32_t padding) {
        const std::uint32_t most = line.sign == "=>" ? kMostArmPadding : kMostPadding;
        return padding <= most && columns(line.code) + padding <= kColumns;
      },
      [](Line& line, std::uint32_t padding) { line.code.insert(line.sign_at, padding, ' '); });
}

void align_comments(std::vector<Line>& lines) {
  align_runs(
      lines,
      [](const Line& first, const Line& line) {
        return !first.comment.empty() && !line.comment.empty() && line.indentation == first.indentation;
      },
      [](const Line& line) { return columns(line.code); },
      [](const Line&, std::uint32_t padding) { return padding <= kMostCommentPadding; },
      [](Line& line, std::uint32_t padding) { line.code.append(padding, ' '); });
}

}  // namespace

void align(std::vector<Line>& lines) {
  align_signs(lines);
  align_comments(lines);
}

std::string join(const std::vector<Line>& lines, std::string_view newline) {
  std::string text;
  for (const Line& line : lines) {
    text += line.code;
    if (!line.comment.empty()) {
      text += "  ";
      text += line.comment;
    }
    text += newline;
  }
  return text;
}

}  // namespace roux::typeset
