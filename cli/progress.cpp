#include "cli/progress.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "base/table.h"
#include "base/text.h"
#include "base/utf8.h"
#include "cli/window.h"

namespace roux::cli {
namespace {

constexpr auto kRedrawInterval = std::chrono::milliseconds(100);
constexpr std::size_t kMinimalBar = 4;
constexpr std::size_t kMaximalBar = 40;

std::string clock_text(double seconds) {
  const auto whole = static_cast<long long>(std::clamp(seconds, 0.0, 359999.0));
  char text[32];
  if (whole >= 3600) {
    std::snprintf(text, sizeof text, "%lld:%02lld:%02lld", whole / 3600, whole / 60 % 60,
                  whole % 60);
  } else {
    std::snprintf(text, sizeof text, "%02lld:%02lld", whole / 60, whole % 60);
  }
  return text;
}

// 1.44G: three digits, so that the line keeps its width.
std::string size_text(double bytes) {
  constexpr std::array<const char*, 6> kUnits = {"", "k", "M", "G", "T", "P"};
  std::size_t unit = 0;
  while (bytes >= 999.5 && unit + 1 < kUnits.size()) {
    bytes /= 1000;
    ++unit;
  }
  const int decimals = unit == 0 || bytes >= 99.95 ? 0 : bytes >= 9.995 ? 1 : 2;
  char text[32];
  std::snprintf(text, sizeof text, "%.*f%s", decimals, bytes, kUnits[unit]);
  return text;
}

// The first `columns` characters; control characters (names come from files) become `?`.
std::string shown(std::string_view text, std::size_t columns) {
  std::string out;
  std::size_t used = 0;
  for (char c : text) {
    if (!is_utf8_continuation(c) && ++used > columns) break;
    out += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c;
  }
  return out;
}

std::string bar_of(double fraction, std::size_t columns, bool unicode) {
  constexpr std::array<std::string_view, 8> kEighths = {" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const auto eighths = static_cast<std::size_t>(fraction * static_cast<double>(columns) * 8);
  std::string out;
  for (std::size_t i = 0; i < columns; ++i) {
    const std::size_t filled = std::min<std::size_t>(eighths - std::min(eighths, i * 8), 8);
    if (!unicode) {
      out += filled == 8 ? '#' : ' ';
    } else {
      out += filled == 8 ? "█" : kEighths[filled];
    }
  }
  return out;
}

bool terminal_speaks_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') continue;
    std::string text = value;
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return std::tolower(c); });
    return text.find("utf-8") != std::string::npos || text.find("utf8") != std::string::npos;
  }
  return false;
}

}  // namespace

std::string bar_line(const RunProgress& progress, double seconds, std::uint64_t bytes,
                     BarStyle style) {
  const double rate = seconds > 0 ? static_cast<double>(bytes) / seconds : 0;
  const std::string speed = (rate > 0 ? size_text(rate) : "?") + "B/s";
  const std::string head = progress.activity.empty() ? "" : progress.activity + ": ";
  const auto total = static_cast<double>(progress.bytes_total);
  if (progress.bytes_total == 0 && progress.bytes_done == 0)
    return shown(progress.activity + (style.unicode ? " …" : " ..."), style.columns);
  if (progress.bytes_total == 0) {
    const std::string done = size_text(static_cast<double>(progress.bytes_done));
    return shown(head + done + "B [" + clock_text(seconds) + ", " + speed + "]", style.columns);
  }

  const auto done = static_cast<double>(std::min(progress.bytes_done, progress.bytes_total));
  const std::string remaining = rate > 0 ? clock_text((total - done) / rate) : "?";
  char percent[8];
  std::snprintf(percent, sizeof percent, "%3d%%", static_cast<int>(100 * done / total));
  const std::string tail = "| " + size_text(done) + "/" + size_text(total) + " [" +
                           clock_text(seconds) + "<" + remaining + ", " + speed + "]";
  // The activity yields before the numbers do.
  const std::size_t fixed = std::string_view(percent).size() + 1 + tail.size();
  const std::size_t room = style.columns > fixed ? style.columns - fixed : 0;
  const std::string title = shown(head, room > kMinimalBar ? room - kMinimalBar : 0);
  const std::size_t bar = std::min(kMaximalBar, room - std::min(room, columns_of(title)));
  return shown(title + percent + "|" + bar_of(done / total, bar, style.unicode) + tail,
               style.columns);
}

bool ProgressBar::can_show() {
  const char* terminal = std::getenv("TERM");
  return isatty(STDERR_FILENO) != 0 && terminal != nullptr && std::string_view(terminal) != "dumb";
}

void ProgressBar::show(const RunProgress& progress) {
  if (!enabled_) return;
  const bool another = !started_ || progress.activity != first_.activity ||
                       progress.bytes_total != first_.bytes_total ||
                       progress.bytes_done < first_.bytes_done || progress.seconds < first_.seconds;
  if (another) first_ = progress;
  const Clock::time_point now = Clock::now();
  if (started_ && now - drawn_at_ < kRedrawInterval) return;
  started_ = true;
  drawn_at_ = now;

  // One column stays free: a full line would wrap on some terminals.
  const BarStyle style{columns_of_window(STDERR_FILENO) - 1, terminal_speaks_utf8()};
  const std::string line = bar_line(progress, progress.seconds - first_.seconds,
                                    progress.bytes_done - first_.bytes_done, style);
  const std::size_t columns = columns_of(line);
  const std::size_t leftover = drawn_columns_ > columns ? drawn_columns_ - columns : 0;
  std::fprintf(stderr, "\r%s%s", line.c_str(), std::string(leftover, ' ').c_str());
  std::fflush(stderr);
  drawn_columns_ = columns;
}

void ProgressBar::clear() {
  if (drawn_columns_ == 0) return;
  std::fprintf(stderr, "\r%s\r", std::string(drawn_columns_, ' ').c_str());
  std::fflush(stderr);
  drawn_columns_ = 0;
}

}  // namespace roux::cli
