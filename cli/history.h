// What was entered in earlier sessions: a file with one entry a line, the newest last, kept under a limit and
// without repetitions. It is `$ROUX_HISTORY`, or `roux/history` in the folder for state (XDG_STATE_HOME); empty
// `$ROUX_HISTORY`: none is kept. A file that cannot be read or written is done without.
#pragma once

#include <string>
#include <vector>

namespace roux::cli {

class History {
 public:
  static constexpr std::size_t kLimit = 2000;

  // Reads the file; `path` may be empty.
  explicit History(std::string path);
  static std::string default_path();

  const std::vector<std::string>& entries() const { return entries_; }
  // As the newest; an earlier one that is equal goes. At once in the file, too, so that nothing is lost.
  void add(const std::string& entry);

 private:
  bool put(const std::string& entry);  // whether an equal one had to go
  void rewrite() const;

  std::string path_;
  std::vector<std::string> entries_;
};

}  // namespace roux::cli
