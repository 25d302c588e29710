// A progress bar on one line of a terminal, in the look of tqdm:
//   out/soup:  45%|████▌     | 1.44G/3.20G [00:03<00:04, 480MB/s]
// It is redrawn at most ten times a second and never scrolls. It uses no escape sequences, only
// carriage returns and spaces. Whoever prints anything else clears it first (see terminal.h).
#pragma once

#include <chrono>
#include <string>

#include "api/roux.h"

namespace roux::cli {

struct BarStyle {
  std::size_t columns = 80;
  bool unicode = true;
};

// One line of at most `style.columns` columns. `seconds` and `bytes` are what the activity took so
// far.
std::string bar_line(const RunProgress& progress, double seconds, std::uint64_t bytes,
                     BarStyle style);

class ProgressBar {
 public:
  // `enabled`: standard error is a terminal that can show it (see `can_show`).
  explicit ProgressBar(bool enabled) : enabled_(enabled) {}
  ~ProgressBar() { clear(); }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  static bool can_show();

  void show(const RunProgress& progress);
  void clear();

 private:
  using Clock = std::chrono::steady_clock;

  bool enabled_;
  std::size_t drawn_columns_ = 0;  // 0: nothing stands there
  Clock::time_point drawn_at_;
  RunProgress first_;  // of the present activity
  bool started_ = false;
};

}  // namespace roux::cli
