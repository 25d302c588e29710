// What an editor asks of a recipe while it is being written: what is wrong with it, what a name at some place is
// and where it was bound, what may be written next. A recipe is rehearsed against the headers of its inputs, as
// `check` does; nothing is computed, scored or written. Places are byte offsets into the text. Where the text does
// not parse, what can be told from its words and from the library still is.
#pragma once

#include "api/session.h"

namespace roux {

// A stretch of some text: of the recipe, of a file that it imports, of a file of the library.
struct Stretch {
  std::string file;  // as it was named to `analyse`; "stdlib/ties.merge" of the library
  std::string text;  // of the whole file
  std::size_t begin = 0, end = 0;
  bool in_library = false;
};

struct Hover {
  std::size_t begin = 0, end = 0;  // of the name
  std::string markdown;
};

// Of the call that the cursor is in.
struct Signature {
  struct Parameter {
    std::size_t begin = 0, end = 0;  // in the label
    std::string documentation;
  };
  std::string label;  // in one line
  std::string documentation;
  std::vector<Parameter> parameters;
  std::size_t active = 0;  // the parameter that is being given; past the last: none
};

struct Symbol {
  enum class Kind : unsigned char { method, parameter, value };
  std::string name;
  Kind kind = Kind::value;
  std::string detail;                        // its type
  std::size_t begin = 0, end = 0;            // of the statement
  std::size_t name_begin = 0, name_end = 0;
};

class Analysis {
 public:
  struct State;
  explicit Analysis(std::unique_ptr<State> state);
  Analysis(Analysis&&) noexcept;
  Analysis& operator=(Analysis&&) noexcept;
  ~Analysis();

  const Diagnostics& findings() const;  // errors, warnings and notes, in the order of the text
  const std::vector<Symbol>& symbols() const;
  std::optional<Stretch> stretch_of(Span span) const;  // of a finding or one of its notes

  std::optional<Hover> hover(std::size_t offset) const;
  std::optional<Stretch> definition(std::size_t offset) const;
  Completion complete(std::size_t offset) const;
  std::optional<Signature> signature(std::size_t offset) const;

 private:
  std::unique_ptr<State> state_;
};

}  // namespace roux
