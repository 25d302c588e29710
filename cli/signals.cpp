#include "cli/signals.h"

namespace roux::cli {
namespace {

// A handler can reach nothing but a global.
std::atomic<bool> interrupted{false}, ended{false};
static_assert(std::atomic<bool>::is_always_lock_free);

void on_interrupt(int signal) {
  interrupted.store(true, std::memory_order_relaxed);
  if (signal != SIGINT) ended.store(true, std::memory_order_relaxed);
}
void on_ignored(int) {}

struct sigaction action_of(void (*handler)(int), int flags) {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  sigemptyset(&action.sa_mask);
  return action;
}

}  // namespace

void survive_closed_pipes() {
  const struct sigaction action = action_of(on_ignored, SA_RESTART);
  sigaction(SIGPIPE, &action, nullptr);
}

void survive_interrupts() {
  const struct sigaction action = action_of(on_ignored, SA_RESTART);
  sigaction(SIGINT, &action, nullptr);
}

InterruptScope::InterruptScope(Second second) {
  interrupted = ended = false;
  // SA_RESETHAND: the second one has its usual effect.
  const int once = second == Second::ends_process ? SA_RESETHAND : 0;
  const struct sigaction action = action_of(on_interrupt, SA_RESTART | once);
  for (std::size_t i = 0; i < std::size(kSignals); ++i) {
    sigaction(kSignals[i], nullptr, &previous_[i]);
    if (previous_[i].sa_handler != SIG_IGN)
      sigaction(kSignals[i], &action, nullptr);  // nohup stays so
  }
}

InterruptScope::~InterruptScope() {
  for (std::size_t i = 0; i < std::size(kSignals); ++i)
    sigaction(kSignals[i], &previous_[i], nullptr);
}

const std::atomic<bool>& InterruptScope::cancelled() const { return interrupted; }
bool InterruptScope::ends_process() const { return ended; }

}  // namespace roux::cli
