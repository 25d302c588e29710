// A recipe that is written while it runs: statements are entered one by one and see the names of those before.
// An entry is rehearsed against headers first, over a copy of what the session knows, then performed; where
// either fails, the session stays as it was. Names may be bound again: what was made with the old meaning
// keeps it. Models stay expressions until they are saved, scored or measured. What an entry saves is in place
// when it ends.
//
//   roux::Session session = engine.interact({});
//   session.enter("base = load(\"base\")", {});
//   for (const std::string& line : session.enter("norm(base)", {})->shown) std::puts(line.c_str());
//
// Like the engine, a session prints nothing and is used from one thread at a time.
#pragma once

#include "api/roux.h"

namespace roux {

// What an entry did. (What it printed and was told on the way came as events.)
struct Outcome {
  std::vector<std::string> shown;  // the lines of its values; empty if it has none
  std::vector<std::string> bound;  // the names that it bound, without `_`
  Report report;                   // what it saved, scored and read
};

struct NameInScope {
  std::string name;
  std::string type;   // "model", "list[model]", "number", ...
  std::string shown;  // its value in one line
};

struct Candidate {
  std::string text;   // what may stand in place of the text that was begun: "models", "k = ", "examples/"
  std::string label;  // the same for a list of them
};

struct Completion {
  std::size_t begin = 0;  // where the text that was begun begins; it ends at the cursor
  std::vector<Candidate> candidates;
};

class Session {
 public:
  struct State;
  explicit Session(std::unique_ptr<State> state);
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;
  ~Session();

  // Carries out statements. Values of expressions are shown, and the last of them is bound to `_`.
  // `events.cancel` ends the entry and keeps the session.
  Result<Outcome> enter(const std::string& text, const Events& events);
  // The same with a name for diagnostics to print, such as that of the file that the text is from.
  Result<Outcome> enter(std::string name, const std::string& text, const Events& events);

  // Without carrying anything out, from headers alone:
  Result<std::string> type_of(const std::string& text);     // "model", "list[delta]", "number per tensor"
  Result<std::string> plan_of(const std::string& text);     // what saving, scoring or showing it would take
  Result<std::string> formula_of(const std::string& text);  // "0.6·a + 0.4·b", in the session's names

  // The last value that an entry showed, as JSON; "null" where there is none. docs/diagnostics.md says how.
  std::string last_as_json() const;

  std::vector<NameInScope> names() const;  // what entries have bound, by name

  // What may stand at the cursor: names and methods, parameters of the call around it, choices of a parameter, files
  // in strings that are paths, tensors in `a["..."]` and the patterns of `match`.
  Completion complete(std::string_view text, std::size_t cursor) const;
  // Of the session's own methods, those of imported files (`m.f`) and the library's; nothing where there is none.
  std::optional<MethodDocument> documentation(const std::string& name) const;

  // "threads" and "memory" are options of the engine that the session has for itself; every other name is a
  // value for a later `param NAME`.
  Status set(const std::string& name, const std::string& text);

  Settings settings() const;  // all of them, by name

  // The entries that succeeded, as a recipe. Names that were bound again are told apart by numbers.
  std::string recipe() const;

 private:
  std::unique_ptr<State> state_;
};

// Files with this ending, and folders, that a path may go on with.
std::vector<Candidate> complete_path(const std::string& typed, std::string_view suffix);

// Whether a text goes on in the next line: inside brackets, after an operator.
bool is_incomplete(std::string_view text);

}  // namespace roux
