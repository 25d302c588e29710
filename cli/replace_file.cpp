#include "cli/replace_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "base/text.h"

namespace roux::cli {
namespace {

Diagnostic unwritable(const std::string& path, int error_number) {
  return error(DiagnosticKind::io, Span{}, "cannot write " + quoted(path) + ": " + std::strerror(error_number));
}

// errno of what went wrong, or 0.
int write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return ::fsync(file) == 0 ? 0 : errno;
}

}  // namespace

Status replace_file(const std::string& path, std::string_view text) {
  std::error_code failed;
  const std::filesystem::path target = std::filesystem::canonical(path, failed);
  if (failed) return unwritable(path, failed.value());
  struct stat old = {};
  if (::stat(target.c_str(), &old) != 0) return unwritable(path, errno);
  if (::access(target.c_str(), W_OK) != 0) return unwritable(path, errno);

  const std::filesystem::path fresh =
      target.parent_path() / ("." + target.filename().string() + ".roux-" + std::to_string(::getpid()));
  const int file = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, old.st_mode & 07777);
  if (file < 0) return unwritable(fresh.string(), errno);
  int problem = ::fchmod(file, old.st_mode & 07777) == 0 ? 0 : errno;
  if (problem == 0) problem = write_all(file, text);
  if (::close(file) != 0 && problem == 0) problem = errno;
  if (problem == 0 && ::rename(fresh.c_str(), target.c_str()) != 0) problem = errno;
  if (problem == 0) return ok();
  ::unlink(fresh.c_str());
  return unwritable(path, problem);
}

}  // namespace roux::cli
