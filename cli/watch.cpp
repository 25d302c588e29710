#include "cli/watch.h"

#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <ctime>
#include <filesystem>
#include <map>
#include <system_error>
#include <thread>
#include <tuple>

#include "cli/signals.h"

namespace roux::cli {
namespace {

namespace fs = std::filesystem;

constexpr auto kInterval = std::chrono::milliseconds(300);
constexpr auto kClockGrain = std::chrono::milliseconds(20);  // times of files lag behind the clock

using Mark = std::tuple<bool, ino_t, off_t, time_t, long>;  // whether it is there, and which version of it

Mark mark_of(const std::string& path) {
  struct stat info = {};
  if (::stat(path.c_str(), &info) != 0) return {};
  return {true, info.st_ino, info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec};
}

using Marks = std::map<std::string, Mark>;

// A folder stands for itself and the files in it.
Marks marks_of(const std::vector<std::string>& paths) {
  Marks marks;
  for (const std::string& path : paths) {
    marks[path] = mark_of(path);
    std::error_code failed;
    for (auto at = fs::directory_iterator(path, failed); !failed && at != fs::end(at); at.increment(failed))
      marks[at->path().string()] = mark_of(at->path().string());
  }
  return marks;
}

bool is_younger(const Mark& mark, std::chrono::system_clock::time_point time) {
  return std::chrono::seconds(std::get<3>(mark)) + std::chrono::nanoseconds(std::get<4>(mark)) >=
         time.time_since_epoch();
}

std::string clock_time() {
  const std::time_t now = std::time(nullptr);
  struct tm local = {};
  ::localtime_r(&now, &local);
  char text[16];
  return {text, std::strftime(text, sizeof text, "%H:%M:%S", &local)};
}

}  // namespace

int watch(Terminal& terminal, const std::string& first, const Check& check) {
  const InterruptScope interrupts;
  const bool clears = ::isatty(STDOUT_FILENO) == 1;
  std::vector<std::string> paths = {first};
  while (!interrupts.cancelled()) {
    const Marks before = marks_of(paths);
    const auto start = std::chrono::system_clock::now() - kClockGrain;
    if (clears) terminal.print("\x1b[H\x1b[2J");
    terminal.print_line("[" + clock_time() + "]");
    paths = check();
    Marks marks = marks_of(paths);
    // What may have changed while it was checked is checked again.
    for (auto& [path, mark] : marks) {
      const auto known = before.find(path);
      if (known != before.end())
        mark = known->second;
      else if (is_younger(mark, start))
        mark = {};
    }
    while (!interrupts.cancelled() && marks_of(paths) == marks) std::this_thread::sleep_for(kInterval);
  }
  return terminal.finish();
}

}  // namespace roux::cli
