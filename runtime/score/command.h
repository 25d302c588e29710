// Scores a checkpoint by an external command: runs the text through /bin/sh with `{model}` replaced by the
// shell-quoted path, and reads a number from what it prints: the field `metric` of the last JSON object on
// standard output, or (no metric) the last line that is nothing but a number. A non-zero exit, a signal, a
// timeout, NaN, or no number is an error that shows the end of the output. Knows nothing of models.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>

#include "base/result.h"

namespace roux {

struct ScoreCommand {
  std::string text;
  std::optional<std::string> metric;
  std::optional<double> timeout_seconds;
};

// `span`: the scorer's place in the recipe. Runs the command in its own process group, so that a timeout or
// a cancel ends whatever it started. Blocks the calling thread.
Result<double> run_command(const ScoreCommand& command, const std::string& model_path, Span span,
                           const std::atomic<bool>* cancel);

// What `run_command` would read in this text; a message of what is missing otherwise.
Result<double> read_score(const std::string& output, const std::optional<std::string>& metric, Span span);

}  // namespace roux
