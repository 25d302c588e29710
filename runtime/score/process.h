// Runs a shell command in a process group of its own and captures what it prints. In: the text for
// `/bin/sh -c` and bounds on time and output; out: how it ended and both streams. Ends the whole
// group on timeout, cancel and too much output, and also if this process is killed meanwhile; once the
// shell is gone, background children that still hold the pipes are not waited for. Knows nothing of scores.
#pragma once

#include <atomic>
#include <cstddef>
#include <optional>
#include <string>

#include "base/result.h"

namespace roux {

struct ProcessLimits {
  std::optional<double> timeout_seconds;
  std::size_t output_bytes;  // of each stream
  const std::atomic<bool>* cancel = nullptr;
};

enum class ProcessEnd { exited, timed_out, cancelled, too_much_output };

struct ProcessOutput {
  ProcessEnd end = ProcessEnd::exited;
  int exit_status = 0;  // of the shell, if it exited
  int signal = 0;       // that ended the shell, or 0
  std::string standard_output, standard_error;
};

// Fails only where the command could not be started.
Result<ProcessOutput> run_process(const std::string& command, const ProcessLimits& bounds,
                                  Span span);

}  // namespace roux
