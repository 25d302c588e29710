// What signals mean to `roux`: while a recipe runs, the first interrupt asks it to stop and take
// its temporary files away, the second ends the process. Handlers do nothing but set a flag.
#pragma once

#include <atomic>
#include <csignal>

namespace roux::cli {

// Writing to a closed pipe is an error of the write, not the end of the process. Commands that a
// recipe starts are not affected: handlers, unlike ignored signals, are not inherited.
void survive_closed_pipes();

// From construction to destruction SIGINT, SIGTERM and SIGHUP set `cancelled`, each once. One at a
// time.
class InterruptScope {
 public:
  InterruptScope();
  ~InterruptScope();
  InterruptScope(const InterruptScope&) = delete;
  InterruptScope& operator=(const InterruptScope&) = delete;

  const std::atomic<bool>& cancelled() const;

 private:
  static constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP};
  struct sigaction previous_[3];
};

}  // namespace roux::cli
