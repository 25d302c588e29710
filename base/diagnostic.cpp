#include "base/diagnostic.h"

#include <algorithm>

#include "base/table.h"
#include "base/text.h"
#include "base/utf8.h"

namespace roux {
namespace {

struct KindRow {
  std::string_view name;
  std::string_view code;
  Fault fault;
};

constexpr KindRow kKinds[] = {
#define ROUX_DIAGNOSTIC(name, code, fault) {#name, #code, Fault::fault},
#include "base/diagnostic_kinds.def"
};

Diagnostic make(DiagnosticKind kind, Severity severity, Span span, std::string message) {
  return {.kind = kind, .severity = severity, .span = span, .message = std::move(message)};
}

constexpr std::size_t kShownColumns = 100;

// The line, with the bytes [begin, end) marked below it; only the part around them where it is long.
void render_marked(std::string& out, std::string_view line, std::size_t begin, std::size_t end) {
  end = std::min(end, line.size());
  std::size_t first = 0;
  if (line.size() > kShownColumns && begin > kShownColumns / 2) first = begin - kShownColumns / 2;
  while (first > 0 && is_utf8_continuation(line[first])) --first;
  std::size_t last = std::min(line.size(), first + kShownColumns);
  while (last < line.size() && is_utf8_continuation(line[last])) ++last;

  const std::string_view before = line.substr(first, begin - first);
  const std::size_t width = columns_of(line.substr(begin, std::max(std::min(end, last), begin) - begin));
  const std::string_view lead = first > 0 ? "..." : "";
  out += "  ";
  out += lead;
  out += line.substr(first, last - first);
  out += last < line.size() ? "...\n  " : "\n  ";
  out.append(lead.size(), ' ');
  for (char c : before)  // keep tabs, so that the mark stands below its text
    if (!is_utf8_continuation(c)) out += c == '\t' ? '\t' : ' ';
  out += '^';
  out.append(width > 1 ? width - 1 : 0, '~');
  out += '\n';
}

// One `FILE:LINE:COLUMN: word: text` entry with its source line and the range marked below it.
void render_entry(std::string& out, Span span, std::string_view word, std::string_view text,
                  const SourceMap& sources) {
  if (sources.holds(span)) {
    const LineColumn at = sources.locate(span.source, span.begin);
    out += sources.name(span.source);
    out += ':' + std::to_string(at.line) + ':' + std::to_string(at.column) + ": ";
  }
  out += word;
  out += ": ";
  out += text;
  out += '\n';
  if (!sources.holds(span)) return;

  std::uint32_t line_begin = 0;
  const std::string_view line = sources.line_at(span.source, span.begin, &line_begin);
  if (!line.empty()) render_marked(out, line, span.begin - line_begin, span.end - line_begin);
}

}  // namespace

std::string_view name_of(DiagnosticKind kind) { return kKinds[static_cast<int>(kind)].name; }
std::string_view code_of(DiagnosticKind kind) { return kKinds[static_cast<int>(kind)].code; }
Fault fault_of(DiagnosticKind kind) { return kKinds[static_cast<int>(kind)].fault; }

std::string_view name_of(Severity severity) {
  switch (severity) {
    case Severity::error: return "error";
    case Severity::warning: return "warning";
    case Severity::note: return "note";
  }
  return "";
}

Diagnostic error(DiagnosticKind kind, Span span, std::string message) {
  return make(kind, Severity::error, span, std::move(message));
}
Diagnostic warning(DiagnosticKind kind, Span span, std::string message) {
  return make(kind, Severity::warning, span, std::move(message));
}
Diagnostic note(DiagnosticKind kind, Span span, std::string message) {
  return make(kind, Severity::note, span, std::move(message));
}

bool has_errors(const Diagnostics& diagnostics) {
  return std::any_of(diagnostics.begin(), diagnostics.end(),
                     [](const Diagnostic& d) { return d.severity == Severity::error; });
}

std::string render(const Diagnostic& diagnostic, const SourceMap& sources) {
  std::string out;
  const std::string word = std::string(name_of(diagnostic.severity)) + '[' + std::string(code_of(diagnostic.kind)) + ']';
  render_entry(out, diagnostic.span, word, diagnostic.message, sources);
  for (const Label& label : diagnostic.notes)
    render_entry(out, label.span, "note", label.text, sources);
  if (!diagnostic.help.empty()) out += "help: " + diagnostic.help + '\n';
  return out;
}

std::string render(const Diagnostics& diagnostics, const SourceMap& sources) {
  std::string out;
  for (const Diagnostic& diagnostic : diagnostics) out += render(diagnostic, sources);
  return out;
}

}  // namespace roux
