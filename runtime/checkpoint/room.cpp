#include "runtime/checkpoint/room.h"

#include <sys/stat.h>

#include <optional>

#include "base/text.h"
#include "runtime/checkpoint/file.h"
#include "runtime/checkpoint/temporary.h"

namespace roux {
namespace {

// The folder nearest above that exists already.
std::string standing_folder(const std::string& path) {
  std::string folder = folder_of_path(without_trailing_slashes(path));
  while (kind_of_path(folder) == PathKind::missing && folder != folder_of_path(folder))
    folder = folder_of_path(folder);
  return folder;
}

std::optional<dev_t> disk_of(const std::string& folder) {
  struct stat about = {};
  if (::stat(folder.c_str(), &about) != 0) return std::nullopt;
  return about.st_dev;
}

}  // namespace

Status check_room(const std::vector<WantedRoom>& outputs) {
  if (outputs.size() < 2) return ok();  // one alone is checked by itself
  const WantedRoom& last = outputs.back();
  const std::string folder = standing_folder(last.path);
  const std::optional<dev_t> disk = disk_of(folder);
  std::optional<std::uint64_t> free = free_bytes(folder);
  if (!disk || !free) return ok();
  std::uint64_t needed = 0, sharing = 0;
  for (const WantedRoom& output : outputs) {
    if (disk_of(standing_folder(output.path)) != disk) continue;
    needed += output.bytes;
    *free += bytes_of_dead_temporaries(without_trailing_slashes(output.path));
    ++sharing;
  }
  if (sharing < 2 || needed <= *free) return ok();
  return error(DiagnosticKind::disk_full, last.span,
               quoted(last.path) + " and what is saved before it need " + format_bytes(needed) +
                   " together, but their disk has " + format_bytes(*free) + " free")
      .hint("free some room, save to another disk, or choose a smaller `dtype`");
}

}  // namespace roux
