// Where text came from: a SourceMap owns every recipe, library file and REPL line of an engine, and a
// Span names a byte range in one of them. Spans are plain values and travel through every stage, so that
// anything found wrong later can point at the text that caused it. Positions are bytes; lines and columns
// (1-based, columns in code points) are computed only when a diagnostic is rendered.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace roux {

using SourceId = std::uint32_t;
inline constexpr SourceId kNoSource = ~SourceId{0};

struct Span {
  SourceId source = kNoSource;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;

  bool valid() const { return source != kNoSource; }
  bool operator==(const Span&) const = default;
};

// The smallest span that covers both; either may be invalid.
Span cover(Span first, Span last);

struct LineColumn {
  std::uint32_t line = 1;
  std::uint32_t column = 1;
};

// A span for people and editors. 1-based; columns count Unicode code points; the end is exclusive, so that an
// empty span ends where it begins.
struct Place {
  std::string file;
  std::uint32_t line = 1, column = 1;
  std::uint32_t end_line = 1, end_column = 1;

  bool operator==(const Place&) const = default;
};

class SourceMap {
 public:
  // `name` is what diagnostics print (a path as the user wrote it, or `<eval>`).
  SourceId add(std::string name, std::string text);

  // Whether a span points into one of these texts: those of other maps need not.
  bool holds(Span span) const {
    return span.source < files_.size() && span.begin <= span.end && span.end <= files_[span.source].text.size();
  }

  std::string_view name(SourceId id) const { return files_[id].name; }
  std::string_view text(SourceId id) const { return files_[id].text; }
  std::string_view text(Span span) const;
  LineColumn locate(SourceId id, std::uint32_t offset) const;
  Place place_of(Span span) const;  // of one that it holds
  // The whole line (without its newline) that holds the byte `offset`, and where it begins.
  std::string_view line_at(SourceId id, std::uint32_t offset, std::uint32_t* line_begin) const;

 private:
  struct File {
    std::string name;
    std::string text;
  };
  std::deque<File> files_;  // deque: views into texts stay valid as files are added
};

}  // namespace roux
