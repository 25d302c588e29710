// The hidden place beside its destination where an output grows: `.NAME.roux-PID`, a file or a
// folder, locked while it lives. It is removed when it is destroyed unless it was moved to the
// destination and settled there, and with it the folders above that were made for it. Temporaries of the same NAME
// whose process is gone (and whose lock is free: it may belong to another host or container) are
// removed when a new one is made, unless one of them is taken over.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/checkpoint/file.h"

namespace roux {

class Temporary {
 public:
  enum class Kind : unsigned char { file, folder };
  // Makes the folders above `destination` where they are missing.
  static Result<Temporary> create(const std::string& destination, Kind kind, Span span);
  // One that a dead process left and that fits, now locked and under the name of this process; its journal (see
  // journal.h) stays where it was. `fits` gets its path. Nothing where there is none.
  static std::optional<Temporary> take_over(const std::string& destination, Kind kind,
                                            const std::function<bool(const std::string& path)>& fits);

  Temporary(Temporary&& other) noexcept;
  Temporary& operator=(Temporary&&) = delete;
  ~Temporary();

  const std::string& path() const { return path_; }
  const Fd& fd() const { return fd_; }  // of the file, open for writing; of the folder

  // Renames it to the destination. What is there already is an error of kind `output_exists`, or
  // with `overwrite` swapped with it in one step and kept.
  Status move_into_place(bool overwrite, Span span);
  // Undoes that: what was there is there again.
  Status take_back(Span span);
  // It stays in its place; what was there before is deleted.
  void settle();
  // It stays beside the destination, with its journal, for `take_over` in this process or another.
  void keep();

 private:
  Temporary() = default;

  std::string destination_;
  std::string path_;  // empty: nothing to remove
  std::string old_;   // where what was at the destination is, once it is in place
  bool in_place_ = false;
  Fd fd_;
  std::vector<std::string> made_folders_;  // outermost first
};

// What dead processes left for this destination: paths of temporaries and their journals; the room that they take.
std::vector<std::string> dead_temporaries(const std::string& destination);
std::uint64_t bytes_of_dead_temporaries(const std::string& destination);
void remove_dead_temporaries(const std::string& destination);

// For file systems that know neither RENAME_EXCHANGE nor RENAME_NOREPLACE: what is at `to` goes
// `aside` first, and back if the second step fails. 0, or an errno; EEXIST if `to` is taken and not
// to be overwritten.
int rename_in_two_steps(const std::string& from, const std::string& to, const std::string& aside,
                        bool overwrite);

}  // namespace roux
