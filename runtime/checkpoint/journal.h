// Which tensors of an output are complete, in a small file beside its temporary, so that a later run can go on where
// this one was ended. Its key says what is being made from what; of a journal of another key nothing counts. What was
// complete but not yet flushed to the device counts as long as the machine has not been started anew.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/checkpoint/file.h"
#include "runtime/checkpoint/writer.h"

namespace roux {

struct JournalKey {
  std::string work, inputs;  // words
};

// Of a temporary.
std::string journal_path(const std::string& temporary);

class Journal {
 public:
  // Begins a new one, locked while it lives, with what is complete already. Nothing where it cannot be written: a run
  // does without.
  static std::optional<Journal> create(const std::string& temporary, const JournalKey& key,
                                       const std::vector<std::uint32_t>& complete);

  Journal(Journal&& other) noexcept;
  Journal& operator=(Journal&&) = delete;
  ~Journal();  // removes it, unless it was kept

  // Whether that could be written; if not, it is no use any more.
  bool add(std::uint32_t tensor);
  // All that was added is on the device, and now the journal is, too.
  bool flushed();
  void keep() { path_.clear(); }

 private:
  Journal(std::string path, Fd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
  bool append(const std::string& lines);

  std::string path_;  // empty: nothing to remove
  Fd fd_;
};

// How near what is in this temporary comes to what the key says, and the tensors that are complete, by number.
struct JournalContents {
  Leftover found = Leftover::no_tensor;
  std::vector<std::uint32_t> complete = {};
};
JournalContents read_journal(const std::string& temporary, const JournalKey& key);

}  // namespace roux
