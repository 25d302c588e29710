#include "api/candidates.h"

#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>

#include "base/text.h"

namespace roux {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSharedMemory = "/dev/shm";
constexpr std::string_view kPrefix = ".candidate.roux-";

bool is_alive(pid_t process) { return kill(process, 0) == 0 || errno == EPERM; }

void remove_of_dead_processes(const std::string& parent) {
  std::error_code failed;
  for (const fs::directory_entry& entry : fs::directory_iterator(parent, failed)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(kPrefix)) continue;
    const long process = std::strtol(name.c_str() + kPrefix.size(), nullptr, 10);
    if (process > 0 && !is_alive(static_cast<pid_t>(process))) fs::remove_all(entry.path(), failed);
  }
}

bool has_room(const std::string& folder, std::uint64_t bytes) {
  std::error_code failed;
  const fs::space_info space = fs::space(folder, failed);
  return !failed && space.available > bytes + bytes / 8;
}

}  // namespace

CandidateFolder::~CandidateFolder() { clear(); }

void CandidateFolder::clear() {
  std::error_code failed;
  if (!path_.empty()) fs::remove_all(path_, failed);
  path_.clear();
}

Status CandidateFolder::make(const std::string& parent, Span span) {
  remove_of_dead_processes(parent);
  std::error_code failed;
  const auto own = reinterpret_cast<std::uintptr_t>(this);  // engines of one process keep apart
  const std::string path =
      parent + "/" + std::string(kPrefix) + std::to_string(getpid()) + "-" + std::to_string(own);
  fs::create_directories(path, failed);
  if (failed)
    return error(DiagnosticKind::io, span, "cannot make " + quoted(path) + ": " + failed.message());
  path_ = path;
  return ok();
}

Result<std::string> CandidateFolder::place(std::uint64_t bytes, std::uint64_t free_memory, bool folder,
                                           const std::string& beside, Span span) {
  clear();
  const bool in_memory = bytes <= free_memory && has_room(kSharedMemory, bytes);
  ROUX_DO(make(in_memory ? kSharedMemory : beside, span));
  return path_ + (folder ? "/candidate" : "/candidate.safetensors");
}

}  // namespace roux
