#include "cli/history.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string_view>

namespace roux::cli {
namespace {

namespace fs = std::filesystem;

// Entries may have several lines; in the file each takes one.
std::string written(std::string_view entry) {
  std::string line;
  for (char c : entry) {
    if (c == '\n')
      line += "\\n";
    else if (c == '\\')
      line += "\\\\";
    else
      line += c;
  }
  return line + '\n';
}

std::string read_back(std::string_view line) {
  std::string entry;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] != '\\' || i + 1 == line.size())
      entry += line[i];
    else
      entry += line[++i] == 'n' ? '\n' : line[i];
  }
  return entry;
}

// One write, so that sessions at the same time do not mix their lines.
void write_text(const std::string& path, const std::string& text, int flags) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);
  if (file < 0) return;
  if (write(file, text.data(), text.size()) < 0) {
    // Nothing depends on it.
  }
  close(file);
}

}  // namespace

std::string History::default_path() {
  if (const char* given = std::getenv("ROUX_HISTORY")) return given;
  const char* state = std::getenv("XDG_STATE_HOME");
  const char* home = std::getenv("HOME");
  if (state && *state) return (fs::path(state) / "roux" / "history").string();
  if (home && *home) return (fs::path(home) / ".local" / "state" / "roux" / "history").string();
  return "";
}

History::History(std::string path) : path_(std::move(path)) {
  if (path_.empty()) return;
  std::error_code failed;
  if (fs::path(path_).has_parent_path()) fs::create_directories(fs::path(path_).parent_path(), failed);
  std::ifstream file(path_);
  bool repeated = false;
  for (std::string line; std::getline(file, line);)
    if (!line.empty()) repeated |= put(read_back(line));
  if (repeated) rewrite();
}

bool History::put(const std::string& entry) {
  const std::size_t before = entries_.size();
  std::erase(entries_, entry);
  entries_.push_back(entry);
  const bool is_over = entries_.size() > kLimit;
  if (is_over) entries_.erase(entries_.begin());
  return entries_.size() <= before || is_over;
}

void History::add(const std::string& entry) {
  put(entry);
  if (!path_.empty()) write_text(path_, written(entry), O_APPEND);
}

void History::rewrite() const {
  std::string text;
  for (const std::string& entry : entries_) text += written(entry);
  write_text(path_, text, O_TRUNC);
}

}  // namespace roux::cli
