// Where things are: the source tree, the build folder, the optional folder of real inputs beside
// the checkout (tests that read it skip where it is missing), and temporary folders that remove
// themselves.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <stdexcept>
#include <string>

namespace roux::testing {

inline std::filesystem::path source_dir() { return ROUX_SOURCE_DIR; }
inline std::filesystem::path binary_dir() { return ROUX_BINARY_DIR; }
inline std::filesystem::path shared_dir() { return ROUX_SHARED_DIR; }
inline bool has_shared_dir() { return std::filesystem::exists(shared_dir() / "data"); }

class TemporaryFolder {
 public:
  explicit TemporaryFolder(const std::filesystem::path& parent = std::filesystem::temp_directory_path()) {
    std::string name = (parent / "roux-test-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

}  // namespace roux::testing
