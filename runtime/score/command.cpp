#include "runtime/score/command.h"

#include <cmath>
#include <utility>

#include "base/limits.h"
#include "base/text.h"
#include "runtime/score/process.h"

namespace roux {
namespace {

constexpr std::string_view kPlaceholder = "{model}";
constexpr std::size_t kShownLines = 20;
constexpr std::size_t kShownLineBytes = 300;

// Leaves harmless texts as they are, so that `"{model}"` in quotes of the user's own works for
// them.
std::string shell_quoted(const std::string& text) {
  constexpr std::string_view kHarmless =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
  if (!text.empty() && text.find_first_not_of(kHarmless) == std::string::npos) return text;
  std::string quoted_text = "'";
  for (char c : text) {
    if (c == '\'') {
      quoted_text += "'\\''";
    } else {
      quoted_text += c;
    }
  }
  return quoted_text + "'";
}

Result<std::string> with_model(const std::string& text, const std::string& model_path, Span span) {
  if (text.find(kPlaceholder) == std::string::npos)
    return error(DiagnosticKind::missing_argument, span,
                 "the scorer's command does not say where the model goes")
        .hint("write `{model}` where the command expects the model's path");
  if ((text + model_path).find('\0') != std::string::npos)
    return error(DiagnosticKind::bad_literal, span, "the scorer's command contains a zero byte");
  // A path that begins with a dash would be taken for an option.
  const std::string path =
      shell_quoted(model_path.starts_with('-') ? "./" + model_path : model_path);
  std::string command;
  std::size_t at = 0;
  for (std::size_t found; (found = text.find(kPlaceholder, at)) != std::string::npos;
       at = found + kPlaceholder.size())
    command += text.substr(at, found - at) + path;
  return command + text.substr(at);
}

// The last lines of a text for a message: control characters (colours, bells) do not reach the
// terminal.
std::string last_lines(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  std::size_t begin = text.size();
  for (std::size_t lines = 0; lines < kShownLines && begin > 0; ++lines) {
    const std::size_t newline = text.rfind('\n', begin - 1);
    begin = newline == std::string_view::npos ? 0 : newline;
  }
  std::string shown;
  std::size_t line_bytes = 0;
  for (char c : text.substr(begin)) {
    const auto byte = static_cast<unsigned char>(c);
    line_bytes = c == '\n' ? 0 : line_bytes + 1;
    const bool starts_text = shown.empty() && c == '\n';
    if (starts_text || line_bytes > kShownLineBytes) continue;
    if (c == '\n' || c == '\t' || (byte >= 0x20 && byte != 0x7F)) shown += c;
  }
  return shown;
}

Diagnostic with_output(Diagnostic diagnostic, const ProcessOutput& output) {
  const std::pair<std::string_view, const std::string*> streams[] = {
      {"standard error", &output.standard_error}, {"standard output", &output.standard_output}};
  for (const auto& [name, text] : streams)
    if (const std::string shown = last_lines(*text); !shown.empty())
      diagnostic.notes.push_back({Span{}, "the end of its " + std::string(name) + ":\n" + shown});
  return diagnostic;
}

Diagnostic failed(Span span, std::string message) {
  return error(DiagnosticKind::scorer_failed, span, std::move(message));
}

Diagnostic exit_failure(Span span, const ProcessOutput& output) {
  if (output.signal != 0)
    return failed(span, "the scorer was ended by signal " + std::to_string(output.signal))
        .hint(output.signal == 9 ? "signal 9 often means that the machine ran out of memory"
                                 : "run the command by hand to see what is wrong");
  std::string help = "run the command by hand to see what is wrong";
  if (output.exit_status == 127) help = "the shell did not find the program; give its full path";
  if (output.exit_status == 126) help = "the shell may not run the program; is it executable?";
  return failed(span, "the scorer exited with status " + std::to_string(output.exit_status))
      .hint(help);
}

}  // namespace

Result<double> run_command(const ScoreCommand& command, const std::string& model_path, Span span,
                           const std::atomic<bool>* cancel) {
  ROUX_TRY(const std::string text, with_model(command.text, model_path, span));
  const ProcessLimits bounds{command.timeout_seconds, limits::kScorerOutputBytes, cancel};
  ROUX_TRY(ProcessOutput output, run_process(text, bounds, span));
  switch (output.end) {
    case ProcessEnd::exited: break;
    case ProcessEnd::cancelled:
      return error(DiagnosticKind::cancelled, span, "cancelled while the scorer was running");
    case ProcessEnd::timed_out:
      return with_output(failed(span, "the scorer took longer than its timeout of " +
                                          format_number(*command.timeout_seconds) + " s")
                             .hint("raise `timeout`, or score on fewer samples"),
                         output);
    case ProcessEnd::too_much_output:
      return with_output(
          failed(span, "the scorer printed more than " + format_bytes(limits::kScorerOutputBytes))
              .hint("send its log to a file, and print the score alone"),
          output);
  }
  if (output.signal != 0 || output.exit_status != 0)
    return with_output(exit_failure(span, output), output);
  Result<double> score = read_score(output.standard_output, command.metric, span);
  if (score) return score;
  Diagnostics errors = std::move(score).error();
  errors.front() = with_output(std::move(errors.front()), output);
  return errors;
}

}  // namespace roux
