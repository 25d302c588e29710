// What signals mean to `roux`: while a recipe runs, the first interrupt asks it to stop and take
// its temporary files away, the second ends the process. Handlers do nothing but set a flag.
#pragma once

#include <atomic>
#include <csignal>

namespace roux::cli {

// Writing to a closed pipe is an error of the write, not the end of the process. Commands that a
// recipe starts are not affected: handlers, unlike ignored signals, are not inherited.
void survive_closed_pipes();

// An interrupt while nothing runs and nothing is read is not the end of the process either.
void survive_interrupts();

// From construction to destruction SIGINT, SIGTERM and SIGHUP set `cancelled`; what the second one does is up to
// whoever makes it. One at a time.
class InterruptScope {
 public:
  enum class Second { ends_process, is_ignored };
  explicit InterruptScope(Second second = Second::ends_process);
  ~InterruptScope();
  InterruptScope(const InterruptScope&) = delete;
  InterruptScope& operator=(const InterruptScope&) = delete;

  const std::atomic<bool>& cancelled() const;
  // Whether the process is to end when it has stopped: by all of them but an interrupt.
  bool ends_process() const;

 private:
  static constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP};
  struct sigaction previous_[3];
};

}  // namespace roux::cli
