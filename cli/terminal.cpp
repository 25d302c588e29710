#include "cli/terminal.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

namespace roux::cli {

Terminal::Terminal(const Arguments& arguments, bool show_progress)
    : json_(arguments.json), bar_(show_progress && ProgressBar::can_show()) {
  document_ = {{"command", arguments.command}, {"ok", true}};
}

void Terminal::print(std::string_view text) {
  bar_.clear();
  if (write_error_ != 0) return;
  const bool written =
      std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  if (!written) write_error_ = errno;
}

void Terminal::print_line(std::string_view text) {
  if (json_)
    document_["printed"].push_back(text);
  else
    print(std::string(text) + '\n');
}

void Terminal::note(std::string_view text) {
  bar_.clear();
  std::fwrite(text.data(), 1, text.size(), stderr);
}

void Terminal::add(const std::string& diagnostics) {
  for (Json& diagnostic : Json::parse(diagnostics)) diagnostics_.push_back(std::move(diagnostic));
}

void Terminal::say(const Engine& engine, const Diagnostics& diagnostics) {
  if (json_)
    add(engine.to_json(diagnostics));
  else
    note(engine.render(diagnostics));
}

ExitCode Terminal::report(const Diagnostics& errors) {
  if (!json_) note(render(errors));
  if (json_) add(to_json(errors));
  document_["ok"] = false;
  return exit_code_of(errors);
}

ExitCode Terminal::report(const Engine& engine, const Diagnostics& errors) {
  say(engine, errors);
  document_["ok"] = false;
  return exit_code_of(errors);
}

ExitCode Terminal::fail(const Diagnostics& errors) { return leave(report(errors)); }
ExitCode Terminal::fail(const Engine& engine, const Diagnostics& errors) { return leave(report(engine, errors)); }

ExitCode Terminal::leave(ExitCode code) {
  if (!json_) return code;
  const ExitCode written = finish();
  return written == kDone ? code : written;
}

ExitCode Terminal::finish() {
  if (json_) {
    document_["diagnostics"] = std::exchange(diagnostics_, Json::array());
    json_ = false;  // it has left; what comes now is about standard output itself
    print(document_.dump(2, ' ', false, Json::error_handler_t::replace) + '\n');
  }
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
