// Files of the system as the checkpoint code needs them: a descriptor that closes itself, whole
// transfers at an offset (short and interrupted ones are continued), listings, and errno as a
// diagnostic of kind `io`. Nothing here knows what is in the files.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace roux {

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd() { reset(); }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  void reset();

 private:
  int fd_ = -1;
};

// "cannot ACTION `PATH`: No space left on device"; a full disk gets the kind `disk_full`.
Diagnostic io_error(Span span, const std::string& action, const std::string& path,
                    int error_number);

// The same of a path that was given to be read: where the path itself is at fault (no permission,
// links in a circle), not the disk, the kind is `unreadable`.
Diagnostic open_error(Span span, const std::string& action, const std::string& path,
                      int error_number);

// What a path leads to, links followed. `unreachable`: errno says why (links in a circle, no
// permission).
enum class PathKind : unsigned char { missing, file, folder, other, unreachable };
PathKind kind_of_path(const std::string& path);
bool anything_at(const std::string& path);  // links not followed: also a link that leads nowhere

std::string join_path(const std::string& folder, const std::string& name);
std::string name_in_path(const std::string& path);    // "c" of "a/b/c"
std::string folder_of_path(const std::string& path);  // "a/b" of "a/b/c", "." of "c", "/" of "/c"
std::string without_trailing_slashes(std::string path);

// Regular files only; never waits for the other end of a pipe.
Result<Fd> open_to_read(const std::string& path, Span span);
Result<std::uint64_t> size_of_file(const Fd& fd, const std::string& path, Span span);
// Another one once the file was written to, or if another stands in its place; empty if the system does not say.
std::string stamp_of_file(const Fd& fd);
std::string stamp_of_file_at(const std::string& path);
Result<std::vector<std::string>> list_folder(const std::string& path,
                                             Span span);  // sorted bytewise
Result<std::string> read_text(const std::string& path, std::uint64_t limit, Span span);

// How far a transfer came: all of it, or up to the end of the file (error 0), or up to an error.
struct Transfer {
  std::uint64_t done = 0;
  int error_number = 0;
};
Transfer read_at(const Fd& fd, void* to, std::uint64_t size, std::uint64_t offset);
// The same for whoever goes on reading behind it: what is not at hand yet is asked for with much that follows.
Transfer read_onwards(const Fd& fd, void* to, std::uint64_t size, std::uint64_t offset);
Transfer write_at(const Fd& fd, const void* from, std::uint64_t size, std::uint64_t offset);

Status flush_to_device(const Fd& fd, const std::string& path, Span span);
Status flush_folder(const std::string& path, Span span);

// Bytes that may still be written on the disk that holds `path` (which exists).
std::optional<std::uint64_t> free_bytes(const std::string& path);

}  // namespace roux
