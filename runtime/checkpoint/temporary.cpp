#include "runtime/checkpoint/temporary.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <filesystem>
#include <utility>

#include "base/text.h"
#include "runtime/checkpoint/journal.h"

namespace roux {
namespace {

constexpr int kAttempts = 1000;

std::string prefix_of(const std::string& destination) {
  std::string prefix = ".";
  return prefix.append(name_in_path(destination)).append(".roux-");
}

std::string path_of(const std::string& destination, long process, int attempt) {
  // Several writers of one process may aim at one destination: only the first has the plain name.
  std::string name = prefix_of(destination) + std::to_string(process);
  if (attempt > 0) name.append("-").append(std::to_string(attempt));
  return join_path(folder_of_path(destination), name);
}

std::string temporary_path(const std::string& destination, int attempt) {
  return path_of(destination, ::getpid(), attempt);
}

void remove_tree(const std::string& path) {
  std::error_code ignored;  // what cannot be removed now is left to the next run
  std::filesystem::remove_all(path, ignored);
}

// What a process leaves on purpose belongs to none, so that it can be gone on with while that process lives.
constexpr long kNobody = 0;

// The process that made `1234`, `1234-2`, `1234-2-0` or a journal of these.
std::optional<long> process_of(std::string_view suffix) {
  const std::string journal = journal_path("");
  if (suffix.ends_with(journal)) suffix.remove_suffix(journal.size());
  if (suffix.find_first_not_of("0123456789-") != std::string_view::npos) return std::nullopt;
  long pid = 0;
  const auto parsed = std::from_chars(suffix.data(), suffix.data() + suffix.size(), pid);
  if (parsed.ec != std::errc() || pid < 0) return std::nullopt;
  return pid;
}

bool is_abandoned(const std::string& path, long pid) {
  const bool may_live = anything_at("/proc/" + std::to_string(pid)) || !anything_at("/proc/self");
  if (pid != kNobody && may_live) return false;
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  return !fd.valid() || ::flock(fd.get(), LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
}

// Whether an open file or folder is (still) the one at this path.
bool is_at(const Fd& fd, const std::string& path) {
  struct stat opened, there;
  return ::fstat(fd.get(), &opened) == 0 && ::lstat(path.c_str(), &there) == 0 && opened.st_dev == there.st_dev &&
         opened.st_ino == there.st_ino;
}

std::uint64_t bytes_on_disk(const std::string& path) {
  struct stat about;
  return ::lstat(path.c_str(), &about) == 0 ? static_cast<std::uint64_t>(about.st_blocks) * 512 : 0;
}

// Gives back those that were not there, outermost first.
Result<std::vector<std::string>> make_folders(const std::string& path, Span span) {
  std::vector<std::string> missing;
  for (std::string at = path; kind_of_path(at) == PathKind::missing; at = folder_of_path(at)) {
    missing.push_back(at);
    if (at == folder_of_path(at)) break;  // the working directory itself is gone
  }
  std::vector<std::string> made;
  for (auto at = missing.rbegin(); at != missing.rend(); ++at) {
    if (::mkdir(at->c_str(), 0777) == 0) {
      made.push_back(*at);
    } else if (errno != EEXIST) {
      const int error_number = errno;
      while (!made.empty()) {
        ::rmdir(made.back().c_str());
        made.pop_back();
      }
      return io_error(span, "create folder", *at, error_number);
    }
  }
  return made;
}

bool is_unsupported(int error_number) {
  return error_number == EINVAL || error_number == ENOSYS || error_number == EOPNOTSUPP;
}

int rename_with(const std::string& from, const std::string& to, unsigned flags) {
  return ::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), flags) == 0 ? 0 : errno;
}

Diagnostic already_there(const std::string& destination, Span span) {
  return error(DiagnosticKind::output_exists, span, quoted(destination) + " exists already")
      .hint("write `overwrite = true` to replace it, or save to another path");
}

}  // namespace

int rename_in_two_steps(const std::string& from, const std::string& to, const std::string& aside,
                        bool overwrite) {
  if (!anything_at(to)) return ::rename(from.c_str(), to.c_str()) == 0 ? 0 : errno;
  if (!overwrite) return EEXIST;
  if (::rename(to.c_str(), aside.c_str()) != 0) return errno;
  if (::rename(from.c_str(), to.c_str()) == 0) return 0;
  const int error_number = errno;
  ::rename(aside.c_str(), to.c_str());
  return error_number;
}

std::vector<std::string> dead_temporaries(const std::string& destination) {
  const std::string folder = folder_of_path(destination);
  const std::string prefix = prefix_of(destination);
  std::vector<std::string> dead;
  const auto names = list_folder(folder, {});
  if (!names) return dead;
  for (const std::string& name : *names) {
    if (!name.starts_with(prefix)) continue;
    const std::optional<long> pid = process_of(std::string_view(name).substr(prefix.size()));
    const std::string path = join_path(folder, name);
    if (pid && is_abandoned(path, *pid)) dead.push_back(path);
  }
  return dead;
}

std::uint64_t bytes_of_dead_temporaries(const std::string& destination) {
  std::uint64_t bytes = 0;
  for (const std::string& path : dead_temporaries(destination)) {
    bytes += bytes_on_disk(path);
    if (kind_of_path(path) != PathKind::folder) continue;
    if (const auto names = list_folder(path, {}))
      for (const std::string& name : *names) bytes += bytes_on_disk(join_path(path, name));
  }
  return bytes;
}

void remove_dead_temporaries(const std::string& destination) {
  for (const std::string& path : dead_temporaries(destination)) remove_tree(path);
}

std::optional<Temporary> Temporary::take_over(const std::string& destination, Kind kind,
                                              const std::function<bool(const std::string&)>& fits) {
  const int flags = kind == Kind::file ? O_RDWR : O_RDONLY | O_DIRECTORY;
  for (const std::string& path : dead_temporaries(destination)) {
    Fd fd(::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW));
    // Somebody else may be about to do the same.
    if (!fd.valid() || ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0 || !is_at(fd, path) || !fits(path)) continue;
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      const std::string ours = temporary_path(destination, attempt);
      if (anything_at(ours) || ::rename(path.c_str(), ours.c_str()) != 0) continue;
      Temporary temporary;
      temporary.destination_ = destination;
      temporary.path_ = ours;
      temporary.fd_ = std::move(fd);
      return temporary;
    }
  }
  return std::nullopt;
}

Result<Temporary> Temporary::create(const std::string& destination, Kind kind, Span span) {
  Temporary temporary;
  temporary.destination_ = destination;
  ROUX_TRY(temporary.made_folders_, make_folders(folder_of_path(destination), span));
  remove_dead_temporaries(destination);
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const std::string path = temporary_path(destination, attempt);
    if (kind == Kind::file) {
      temporary.fd_ = Fd(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    } else if (::mkdir(path.c_str(), 0777) == 0) {
      temporary.path_ = path;
      temporary.fd_ = Fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    }
    if (!temporary.fd_.valid() && errno == EEXIST) continue;
    if (!temporary.fd_.valid()) return io_error(span, "create", path, errno);
    temporary.path_ = path;
    ::flock(temporary.fd_.get(), LOCK_EX | LOCK_NB);  // a courtesy to others: may be unsupported
    return temporary;
  }
  return io_error(span, "create", temporary_path(destination, 0), EEXIST);
}

Temporary::Temporary(Temporary&& other) noexcept
    : destination_(std::move(other.destination_)),
      path_(std::exchange(other.path_, {})),
      old_(std::exchange(other.old_, {})),
      in_place_(std::exchange(other.in_place_, false)),
      fd_(std::move(other.fd_)),
      made_folders_(std::exchange(other.made_folders_, {})) {}

Temporary::~Temporary() {
  if (in_place_) (void)take_back({});  // whoever asked for it has gone: the old is the better state
  if (!path_.empty()) remove_tree(path_);
  while (!made_folders_.empty()) {  // those that hold something else by now stay
    ::rmdir(made_folders_.back().c_str());
    made_folders_.pop_back();
  }
}

Status Temporary::move_into_place(bool overwrite, Span span) {
  ROUX_CHECK(!path_.empty() && !in_place_);
  int failed = rename_with(path_, destination_, RENAME_NOREPLACE);
  if (failed == EEXIST && overwrite) {
    failed = rename_with(path_, destination_, RENAME_EXCHANGE);
    if (failed == 0) old_ = path_;
  }
  if (is_unsupported(failed)) {
    const std::string aside = path_ + "-0";  // process_of reads it, so the next run would remove it
    const bool is_taken = anything_at(destination_);
    failed = rename_in_two_steps(path_, destination_, aside, overwrite);
    if (failed == 0 && is_taken) old_ = aside;
  }
  if (failed == EEXIST) return already_there(destination_, span);
  if (failed != 0) return io_error(span, "rename " + quoted(path_) + " to", destination_, failed);
  in_place_ = true;
  return ok();
}

Status Temporary::take_back(Span span) {
  if (!in_place_) return ok();
  const auto move = [](const std::string& from, const std::string& to) {
    return ::rename(from.c_str(), to.c_str()) == 0 ? 0 : errno;
  };
  int failed = 0;
  if (old_.empty()) {
    failed = move(destination_, path_);
  } else if (old_ != path_ || is_unsupported(failed = rename_with(old_, destination_, RENAME_EXCHANGE))) {
    failed = move(destination_, path_);
    if (failed == 0) failed = move(old_, destination_);
  }
  in_place_ = false;
  if (failed == 0) return ok();
  Diagnostic lost = io_error(span, "undo the renaming of", destination_, failed);
  if (!old_.empty()) {
    const std::string kept = path_ + ".kept";  // no run removes it
    lost.help = "what was there is " + quoted(move(old_, kept) == 0 ? kept : old_) + " now";
  }
  path_.clear();
  made_folders_.clear();
  return lost;
}

void Temporary::keep() {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const std::string path = path_of(destination_, kNobody, attempt);
    const int failed = rename_with(path_, path, RENAME_NOREPLACE);
    if (failed == EEXIST) continue;
    if (failed == 0) ::rename(journal_path(path_).c_str(), journal_path(path).c_str());
    break;  // otherwise it can be gone on with once this process has ended
  }
  path_.clear();
  made_folders_.clear();
}

void Temporary::settle() {
  if (!in_place_) return;
  in_place_ = false;
  path_.clear();
  made_folders_.clear();
  if (!old_.empty()) remove_tree(old_);
}

}  // namespace roux
