#include "cli/terminal.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace roux::cli {

void Terminal::print(std::string_view text) {
  bar_.clear();
  if (write_error_ != 0) return;
  const bool written =
      std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  if (!written) write_error_ = errno;
}

void Terminal::print_line(std::string_view text) { print(std::string(text) + '\n'); }

void Terminal::note(std::string_view text) {
  bar_.clear();
  std::fwrite(text.data(), 1, text.size(), stderr);
}

ExitCode Terminal::fail(const Diagnostics& errors) {
  note(render(errors));
  return exit_code_of(errors);
}

ExitCode Terminal::fail(const Engine& engine, const Diagnostics& errors) {
  note(engine.render(errors));
  return exit_code_of(errors);
}

ExitCode Terminal::finish() {
  bar_.clear();
  if (write_error_ == 0 || write_error_ == EPIPE) return kDone;
  return fail(
      {error(DiagnosticKind::io, Span{},
             std::string("cannot write to standard output: ") + std::strerror(write_error_))});
}

ExitCode exit_code_of(const Diagnostics& errors) {
  Fault gravest = Fault::user;  // the enumerators ascend: user, environment, internal
  for (const Diagnostic& diagnostic : errors) {
    if (diagnostic.severity == Severity::error)
      gravest = std::max(gravest, fault_of(diagnostic.kind));
  }
  switch (gravest) {
    case Fault::user: return kUserError;
    case Fault::environment: return kEnvironmentError;
    case Fault::internal: return kInternalError;
  }
  return kInternalError;
}

std::string printable(std::string_view text) {
  std::string out;
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7F) {
      out += c;
      continue;
    }
    char escape[8];
    std::snprintf(escape, sizeof escape, "\\x%02x", byte);
    out += escape;
  }
  return out;
}

}  // namespace roux::cli
