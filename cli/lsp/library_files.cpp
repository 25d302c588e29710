#include "cli/lsp/library_files.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "api/roux.h"

namespace roux::cli::lsp {
namespace {

namespace fs = std::filesystem;

fs::path cache_folder() {
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache && *cache == '/') return cache;
  if (const char* home = std::getenv("HOME"); home && *home == '/') return fs::path(home) / ".cache";
  return fs::temp_directory_path();
}

bool holds(const fs::path& path, const std::string& text) {
  std::ifstream file(path, std::ios::binary);
  return file && std::string(std::istreambuf_iterator<char>(file), {}) == text;
}

}  // namespace

std::string path_of_library_file(const std::string& name, const std::string& text) {
  const fs::path path = cache_folder() / "roux" / std::string(version()) / name;
  if (holds(path, text)) return path.string();
  std::error_code failed;
  fs::create_directories(path.parent_path(), failed);
  const fs::path fresh = path.string() + ".new";
  std::ofstream(fresh, std::ios::binary) << text;
  fs::permissions(fresh, fs::perms::owner_read | fs::perms::group_read | fs::perms::others_read, failed);
  fs::rename(fresh, path, failed);
  return path.string();
}

}  // namespace roux::cli::lsp
