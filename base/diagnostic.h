// A diagnostic is data: what kind of thing went wrong, where, what was seen, what was expected, one hint.
// A kind has a name and a code, of which people and programs may rely on the code.
// Three classes (the table is diagnostic_kinds.def): the user's (recipe or inputs), the environment's
// (files, disk, scorer), ours (a bug in Roux). The class decides the exit code of the command.
// Wording: lower case, no full stop, names in backticks, one hint. Nothing here prints.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/source.h"

namespace roux {

enum class Fault : unsigned char { user, environment, internal };
enum class Severity : unsigned char { error, warning, note };

enum class DiagnosticKind : unsigned short {
#define ROUX_DIAGNOSTIC(name, code, fault) name,
#include "base/diagnostic_kinds.def"
};

std::string_view name_of(DiagnosticKind kind);  // `unknown_name`
std::string_view code_of(DiagnosticKind kind);  // `E0201`: stable, see the table
std::string_view name_of(Severity severity);    // `error`
Fault fault_of(DiagnosticKind kind);

struct Label {
  Span span;  // may be invalid: then the text stands alone
  std::string text;
};

struct Diagnostic {
  DiagnosticKind kind;
  Severity severity = Severity::error;
  Span span;
  std::string message;
  std::vector<Label> notes;
  std::string help;
  // What of the inputs it is about, as data: a tensor, and the checkpoints that lack it or disagree on it. Where
  // they were loaded is added to the notes as the finding leaves the evaluator.
  std::string tensor;
  std::vector<std::string> checkpoints;

  Diagnostic&& note(Span where, std::string text) && {
    notes.push_back({where, std::move(text)});
    return std::move(*this);
  }
  Diagnostic&& hint(std::string text) && {
    help = std::move(text);
    return std::move(*this);
  }
  Diagnostic&& about(std::string tensor_name, std::vector<std::string> paths) && {
    tensor = std::move(tensor_name);
    checkpoints = std::move(paths);
    return std::move(*this);
  }
};

Diagnostic error(DiagnosticKind kind, Span span, std::string message);
Diagnostic warning(DiagnosticKind kind, Span span, std::string message);
Diagnostic note(DiagnosticKind kind, Span span, std::string message);

using Diagnostics = std::vector<Diagnostic>;

bool has_errors(const Diagnostics& diagnostics);

// Human-readable text:  FILE:LINE:COLUMN: error[CODE]: message / source line / caret line / notes / help.
std::string render(const Diagnostic& diagnostic, const SourceMap& sources);
std::string render(const Diagnostics& diagnostics, const SourceMap& sources);

}  // namespace roux
