#include "cli/difference.h"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace roux::cli {
namespace {

using Lines = std::vector<std::string_view>;  // each with its newline

Lines lines_of(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return lines;
}

struct Step {
  char sign;  // ' ', '-' or '+'
  std::string_view line;
};

// The shortest way from one text to the other: Myers' greedy search over diagonals, whose frontiers are kept to
// walk back. Gives up, with everything out and everything in, where the way is very long.
class ShortestEdit {
 public:
  ShortestEdit(const Lines& before, const Lines& after) : before_(before), after_(after) {}

  std::vector<Step> run() {
    const int longest = std::min<int>(static_cast<int>(before_.size() + after_.size()), kLongest);
    frontier_.assign(static_cast<std::size_t>(2 * longest + 3), 0);
    offset_ = longest + 1;
    for (int edits = 0; edits <= longest; ++edits) {
      history_.push_back(frontier_);
      if (advance(edits)) return walk_back(edits);
    }
    return replace_all();
  }

 private:
  static constexpr int kLongest = 1500;

  int& at(int diagonal) { return frontier_[static_cast<std::size_t>(diagonal + offset_)]; }
  int kept(int edits, int diagonal) const {
    return history_[static_cast<std::size_t>(edits)][static_cast<std::size_t>(diagonal + offset_)];
  }
  static bool is_insertion(int edits, int diagonal, int below, int above) {
    return diagonal == -edits || (diagonal != edits && below < above);
  }

  // Extends every diagonal by one edit and what is equal after it; whether the end was reached.
  bool advance(int edits) {
    const int rows = static_cast<int>(before_.size()), columns = static_cast<int>(after_.size());
    for (int diagonal = -edits; diagonal <= edits; diagonal += 2) {
      int x = is_insertion(edits, diagonal, at(diagonal - 1), at(diagonal + 1)) ? at(diagonal + 1)
                                                                               : at(diagonal - 1) + 1;
      while (x < rows && x - diagonal < columns && x - diagonal >= 0 &&
             before_[static_cast<std::size_t>(x)] == after_[static_cast<std::size_t>(x - diagonal)])
        ++x;
      at(diagonal) = x;
      if (x >= rows && x - diagonal >= columns) return true;
    }
    return false;
  }

  std::vector<Step> walk_back(int edits) const {
    std::vector<Step> steps;
    int x = static_cast<int>(before_.size()), y = static_cast<int>(after_.size());
    const auto step_back = [&](char sign) {
      x -= sign != '+';
      y -= sign != '-';
      steps.push_back({sign, sign == '+' ? after_[static_cast<std::size_t>(y)] : before_[static_cast<std::size_t>(x)]});
    };
    for (; edits > 0; --edits) {
      const int diagonal = x - y;
      const bool inserts = is_insertion(edits, diagonal, kept(edits, diagonal - 1), kept(edits, diagonal + 1));
      const int from = inserts ? diagonal + 1 : diagonal - 1;
      const int start = kept(edits, from) + (inserts ? 0 : 1);
      while (x > start) step_back(' ');
      step_back(inserts ? '+' : '-');
    }
    while (x > 0) step_back(' ');
    std::reverse(steps.begin(), steps.end());
    return steps;
  }

  std::vector<Step> replace_all() const {
    std::vector<Step> steps;
    for (const std::string_view line : before_) steps.push_back({'-', line});
    for (const std::string_view line : after_) steps.push_back({'+', line});
    return steps;
  }

  const Lines& before_;
  const Lines& after_;
  std::vector<int> frontier_;
  std::vector<std::vector<int>> history_;
  int offset_ = 0;
};

// A part of the steps that is shown: changes with what is around them.
struct Hunk {
  std::size_t first, last;
};

std::vector<Hunk> hunks_of(const std::vector<Step>& steps) {
  constexpr std::size_t kAround = 3;
  std::vector<Hunk> hunks;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (steps[i].sign == ' ') continue;
    const std::size_t first = i - std::min(i, kAround);
    const std::size_t last = std::min(i + kAround + 1, steps.size());
    if (!hunks.empty() && first <= hunks.back().last)
      hunks.back().last = last;
    else
      hunks.push_back({first, last});
  }
  return hunks;
}

std::string range_text(std::size_t first, std::size_t count) {
  return std::to_string(count == 0 ? first : first + 1) + "," + std::to_string(count);
}

}  // namespace

std::string unified_diff(std::string_view name, std::string_view before, std::string_view after) {
  const Lines old_lines = lines_of(before), new_lines = lines_of(after);
  const std::vector<Step> steps = ShortestEdit(old_lines, new_lines).run();
  std::string text;
  std::size_t at = 0, old_at = 0, new_at = 0;
  for (const Hunk& hunk : hunks_of(steps)) {
    for (; at < hunk.first; ++at) ++old_at, ++new_at;
    std::string body;
    const std::size_t old_first = old_at, new_first = new_at;
    for (; at < hunk.last; ++at) {
      const Step& step = steps[at];
      old_at += step.sign != '+';
      new_at += step.sign != '-';
      body += step.sign + std::string(step.line);
      if (!step.line.ends_with('\n')) body += "\n\\ No newline at end of file\n";
    }
    if (text.empty()) text = "--- " + std::string(name) + "\n+++ " + std::string(name) + "\n";
    text += "@@ -" + range_text(old_first, old_at - old_first) + " +" + range_text(new_first, new_at - new_first) +
            " @@\n" + body;
  }
  return text;
}

}  // namespace roux::cli
