// Reads lines from a terminal, with editing, history and completion by TAB: libedit behind four functions. Ctrl-C
// clears the line, Ctrl-D on an empty one ends. One at a time.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/session.h"

namespace roux::cli {

class LineEditor {
 public:
  enum class Event { line, interrupted, closed };
  // What may stand at the end of `text`, the line up to the cursor.
  using Complete = std::function<Completion(const std::string& text)>;

  explicit LineEditor(Complete complete);
  ~LineEditor();
  LineEditor(const LineEditor&) = delete;

  // `line` without its newline.
  Event read(const std::string& prompt, bool coloured, std::string& line);
  // What the arrow keys go through, the newest last.
  void set_history(const std::vector<std::string>& entries);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace roux::cli
