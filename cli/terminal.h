// What all commands print through: results to standard output, everything else to standard error,
// and the progress bar out of the way first. Output is flushed line by line, so that both streams
// stay in order. With `--json`, results, prints and diagnostics are gathered and leave as one document on
// standard output at the end (docs/diagnostics.md). Also the one place where diagnostics become an exit code.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "cli/command.h"
#include "cli/progress.h"

namespace roux::cli {

using Json = nlohmann::ordered_json;

class Terminal {
 public:
  explicit Terminal(const Arguments& arguments, bool show_progress = false);

  // Whether the command tells its result by `document` and not by printing it.
  bool is_json() const { return json_; }
  Json& document() { return document_; }

  void print(std::string_view text);  // to standard output, as it is
  void print_line(std::string_view text);  // what a recipe prints; a line of the result
  void note(std::string_view text);  // to standard error, as it is
  void say(const Engine& engine, const Diagnostics& diagnostics);  // notes and warnings
  void progress(const RunProgress& progress) { bar_.show(progress); }

  // Prints errors that point at no recipe, or those of an engine; their exit code.
  ExitCode fail(const Diagnostics& errors);
  ExitCode fail(const Engine& engine, const Diagnostics& errors);

  // The same where the command goes on with what else there is to do; `finish` comes later.
  ExitCode report(const Diagnostics& errors);
  ExitCode report(const Engine& engine, const Diagnostics& errors);

  // The end of a command: `kDone`, unless standard output could not be written (a reader that left early is no
  // failure).
  ExitCode finish();

  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

 private:
  void add(const std::string& diagnostics);
  ExitCode leave(ExitCode code);

  bool json_;
  Json document_, diagnostics_ = Json::array();
  ProgressBar bar_;
  int write_error_ = 0;  // errno of the first write that failed
};

// The gravest fault among the errors decides.
ExitCode exit_code_of(const Diagnostics& errors);

// Control characters, which a file may have put there, as `\x1b`; UTF-8 is left alone.
std::string printable(std::string_view text);

}  // namespace roux::cli
