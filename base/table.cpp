#include "base/table.h"

#include <algorithm>

#include "base/text.h"
#include "base/utf8.h"

namespace roux {

std::size_t columns_of(std::string_view text) {
  return text.size() - static_cast<std::size_t>(std::count_if(text.begin(), text.end(), is_utf8_continuation));
}

std::string shortened(std::string_view text, std::size_t columns) {
  if (columns_of(text) <= columns) return std::string(text);
  std::string out;
  std::size_t used = 0;
  for (char c : text) {
    if (!is_utf8_continuation(c) && ++used >= columns) break;
    out += c;
  }
  while (out.ends_with(' ')) out.pop_back();
  return columns == 0 ? out : out + "…";
}

std::vector<std::string> in_columns(const std::vector<std::vector<std::string>>& rows,
                                    const std::vector<Align>& aligned) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], columns_of(row[i]));
  }
  std::vector<std::string> lines;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string space(widths[i] - columns_of(row[i]), ' ');
      const bool to_the_right = i < aligned.size() && aligned[i] == Align::right;
      line += (i == 0 ? "" : "  ") + (to_the_right ? space + row[i] : row[i] + space);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace roux
