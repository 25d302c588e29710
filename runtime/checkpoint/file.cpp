#include "runtime/checkpoint/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <system_error>

#include "base/text.h"

namespace roux {
namespace {

std::string errno_text(int error_number) {
  return std::error_code(error_number, std::generic_category()).message();
}

std::string hint_for(int error_number) {
  switch (error_number) {
    case EACCES:
    case EPERM: return "check the permissions of the file and of the folders above it";
    case EMFILE:
    case ENFILE: return "too many files are open at once: raise the limit with `ulimit -n`";
    case ELOOP: return "links lead in a circle: replace them with the files they should lead to";
    case ENOSPC:
    case EDQUOT: return "free some room, or save to another disk";
    case EROFS: return "the disk is mounted read-only: save to another place";
    case EIO: return "the disk or the network drive failed: copy the file again from its source";
    default: return "";
  }
}

// Linux moves at most 2 GiB less a page per call.
constexpr std::uint64_t kBytesPerCall = 1u << 30;

template <class Call>
Transfer transfer_all(std::uint64_t size, Call call) {
  Transfer transfer;
  while (transfer.done < size) {
    const ssize_t moved = call(transfer.done, std::min(size - transfer.done, kBytesPerCall));
    if (moved < 0 && errno == EINTR) continue;
    if (moved < 0) transfer.error_number = errno;
    if (moved <= 0) break;
    transfer.done += static_cast<std::uint64_t>(moved);
  }
  return transfer;
}

// The time of the last change, not that of the last writing, which tools set as they like.
std::string stamp_of(const struct stat& info) {
  return std::to_string(info.st_ino) + ' ' + std::to_string(info.st_size) + ' ' + std::to_string(info.st_ctim.tv_sec) +
         '.' + std::to_string(info.st_ctim.tv_nsec) + '\n';
}

}  // namespace

void Fd::reset() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

Diagnostic io_error(Span span, const std::string& action, const std::string& path,
                    int error_number) {
  const bool full = error_number == ENOSPC || error_number == EDQUOT;
  return error(full ? DiagnosticKind::disk_full : DiagnosticKind::io, span,
               "cannot " + action + " " + quoted(path) + ": " + errno_text(error_number))
      .hint(hint_for(error_number));
}

Diagnostic open_error(Span span, const std::string& action, const std::string& path,
                      int error_number) {
  Diagnostic found = io_error(span, action, path, error_number);
  constexpr int kOfThePath[] = {EACCES, EPERM, ELOOP, ENAMETOOLONG, ENOTDIR};
  if (std::find(std::begin(kOfThePath), std::end(kOfThePath), error_number) != std::end(kOfThePath))
    found.kind = DiagnosticKind::unreadable;
  return found;
}

PathKind kind_of_path(const std::string& path) {
  struct stat info;
  if (::stat(path.c_str(), &info) != 0) {
    const bool absent = errno == ENOENT || errno == ENOTDIR;
    return absent ? PathKind::missing : PathKind::unreachable;
  }
  if (S_ISDIR(info.st_mode)) return PathKind::folder;
  return S_ISREG(info.st_mode) ? PathKind::file : PathKind::other;
}

bool anything_at(const std::string& path) {
  struct stat info;
  return ::lstat(path.c_str(), &info) == 0;
}

std::string join_path(const std::string& folder, const std::string& name) {
  return folder.ends_with('/') ? folder + name : folder + '/' + name;
}

std::string name_in_path(const std::string& path) { return path.substr(path.rfind('/') + 1); }

std::string folder_of_path(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : without_trailing_slashes(path.substr(0, slash));
}

std::string without_trailing_slashes(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

Result<Fd> open_to_read(const std::string& path, Span span) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd.valid()) return open_error(span, "open", path, errno);
  struct stat info;
  if (::fstat(fd.get(), &info) != 0) return io_error(span, "open", path, errno);
  if (!S_ISREG(info.st_mode)) {
    const std::string seen = S_ISDIR(info.st_mode) ? "a folder" : "a pipe, socket or device";
    return error(DiagnosticKind::unreadable, span,
                 quoted(path) + " is " + seen + ", expected a regular file")
        .hint("give the path of a file");
  }
  return fd;
}

Result<std::uint64_t> size_of_file(const Fd& fd, const std::string& path, Span span) {
  struct stat info;
  if (::fstat(fd.get(), &info) != 0) return io_error(span, "read", path, errno);
  return static_cast<std::uint64_t>(info.st_size);
}

std::string stamp_of_file(const Fd& fd) {
  struct stat info;
  return ::fstat(fd.get(), &info) == 0 ? stamp_of(info) : "";
}

std::string stamp_of_file_at(const std::string& path) {
  struct stat info;
  return ::stat(path.c_str(), &info) == 0 ? stamp_of(info) : "";
}

Result<std::vector<std::string>> list_folder(const std::string& path, Span span) {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(path.c_str()), &::closedir);
  if (!folder) return open_error(span, "list", path, errno);
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = ::readdir(folder.get())) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
    errno = 0;
  }
  if (errno != 0) return io_error(span, "list", path, errno);
  std::sort(names.begin(), names.end());
  return names;
}

Result<std::string> read_text(const std::string& path, std::uint64_t limit, Span span) {
  ROUX_TRY(const Fd fd, open_to_read(path, span));
  ROUX_TRY(const std::uint64_t size, size_of_file(fd, path, span));
  if (size > limit) {
    return error(DiagnosticKind::limit, span,
                 quoted(path) + " has " + format_bytes(size) + ", expected at most " +
                     format_bytes(limit))
        .hint("is it the file that its name says?");
  }
  std::string text(size, '\0');
  const Transfer transfer = read_at(fd, text.data(), size, 0);
  if (transfer.error_number != 0) return io_error(span, "read", path, transfer.error_number);
  text.resize(transfer.done);
  return text;
}

Transfer read_at(const Fd& fd, void* to, std::uint64_t size, std::uint64_t offset) {
  return transfer_all(size, [&](std::uint64_t done, std::uint64_t count) {
    return ::pread(fd.get(), static_cast<char*>(to) + done, count,
                   static_cast<off_t>(offset + done));
  });
}

Transfer read_onwards(const Fd& fd, void* to, std::uint64_t size, std::uint64_t offset) {
  // Far enough that a disk has work while this is computed with. The system's own read-ahead follows one reader of a
  // file, not several that are at different places.
  constexpr off_t kAhead = 16 << 20;
  const iovec target{to, size};
  const ssize_t at_hand = ::preadv2(fd.get(), &target, 1, static_cast<off_t>(offset), RWF_NOWAIT);
  if (at_hand == static_cast<ssize_t>(size)) return {size, 0};
  const std::uint64_t done = at_hand > 0 ? static_cast<std::uint64_t>(at_hand) : 0;
  ::posix_fadvise(fd.get(), static_cast<off_t>(offset + done), kAhead, POSIX_FADV_WILLNEED);
  Transfer rest = read_at(fd, static_cast<char*>(to) + done, size - done, offset + done);
  rest.done += done;
  return rest;
}

Transfer write_at(const Fd& fd, const void* from, std::uint64_t size, std::uint64_t offset) {
  return transfer_all(size, [&](std::uint64_t done, std::uint64_t count) {
    return ::pwrite(fd.get(), static_cast<const char*>(from) + done, count,
                    static_cast<off_t>(offset + done));
  });
}

Status flush_to_device(const Fd& fd, const std::string& path, Span span) {
  int result = 0;
  do {
    result = ::fsync(fd.get());
  } while (result != 0 && errno == EINTR);
  // Some file systems cannot flush a folder, and say so with EINVAL: nothing is lost by it.
  if (result != 0 && errno != EINVAL) return io_error(span, "flush", path, errno);
  return ok();
}

Status flush_folder(const std::string& path, Span span) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return io_error(span, "flush", path, errno);
  return flush_to_device(fd, path, span);
}

std::optional<std::uint64_t> free_bytes(const std::string& path) {
  struct statvfs info;
  if (::statvfs(path.c_str(), &info) != 0) return std::nullopt;
  return static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
}

}  // namespace roux
