#include "base/source.h"

#include <algorithm>

#include "base/text.h"
#include "base/utf8.h"

namespace roux {

Span cover(Span first, Span last) {
  if (!first.valid()) return last;
  if (!last.valid() || last.source != first.source) return first;
  return {first.source, std::min(first.begin, last.begin), std::max(first.end, last.end)};
}

SourceId SourceMap::add(std::string name, std::string text) {
  files_.push_back({std::move(name), std::move(text)});
  return static_cast<SourceId>(files_.size() - 1);
}

std::string_view SourceMap::text(Span span) const {
  if (!span.valid()) return {};
  std::string_view whole = files_[span.source].text;
  const std::size_t begin = std::min<std::size_t>(span.begin, whole.size());
  return whole.substr(begin, span.end - begin);
}

std::string_view SourceMap::line_at(SourceId id, std::uint32_t offset,
                                    std::uint32_t* line_begin) const {
  std::string_view whole = files_[id].text;
  std::size_t at = std::min<std::size_t>(offset, whole.size());
  std::size_t begin = at == 0 ? std::string_view::npos : whole.rfind('\n', at - 1);
  begin = begin == std::string_view::npos ? 0 : begin + 1;
  std::size_t end = std::min(whole.find('\n', at), whole.size());
  *line_begin = static_cast<std::uint32_t>(begin);
  return whole.substr(begin, end - begin);
}

LineColumn SourceMap::locate(SourceId id, std::uint32_t offset) const {
  std::string_view before = std::string_view(files_[id].text).substr(0, offset);
  LineColumn place;
  for (char c : before) {
    if (c == '\n') {
      ++place.line;
      place.column = 1;
    } else if (!is_utf8_continuation(c)) {
      ++place.column;
    }
  }
  return place;
}

Place SourceMap::place_of(Span span) const {
  const LineColumn begin = locate(span.source, span.begin), end = locate(span.source, span.end);
  return {std::string(name(span.source)), begin.line, begin.column, end.line, end.column};
}

}  // namespace roux
