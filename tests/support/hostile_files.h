// Makes safetensors files, right and wrong ones, for tests: a header is given as text and need not
// be true.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/files.h"
#include "tests/support/paths.h"

namespace roux::testing {

// A TemporaryFolder whose paths are strings, as the checkpoint code takes them.
class ScratchFolder {
 public:
  explicit ScratchFolder(const std::filesystem::path& parent = std::filesystem::temp_directory_path())
      : folder_(parent) {}
  std::string path() const { return folder_.path().string(); }
  std::string operator/(std::string_view name) const { return path() + '/' + std::string(name); }

 private:
  TemporaryFolder folder_;
};

// Makes the folders above too, and gives back the path.
inline std::string put_file(const std::string& path, std::string_view bytes) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  write_file(path, bytes);
  return path;
}

inline std::string little_endian(std::uint64_t value) {
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xFF);
  return bytes;
}

inline std::string put_safetensors(const std::string& path, std::string_view header,
                                   std::string_view data) {
  return put_file(path, safetensors_bytes(header, data));
}

// `"NAME":{"dtype":"DTYPE","shape":SHAPE,"data_offsets":[BEGIN,END]}`
inline std::string entry(std::string_view name, std::string_view dtype, std::string_view shape,
                         std::uint64_t begin, std::uint64_t end) {
  std::string text = "\"";
  text.append(name).append("\":{\"dtype\":\"").append(dtype).append("\",\"shape\":").append(shape);
  text.append(",\"data_offsets\":[").append(std::to_string(begin)).append(",");
  return text.append(std::to_string(end)).append("]}");
}

// One F32 tensor of `count` elements whose bytes are all `fill`.
inline std::string one_tensor(std::string_view name, std::uint64_t count, char fill = 0) {
  const std::string shape = "[" + std::to_string(count) + "]";
  return safetensors_bytes("{" + entry(name, "F32", shape, 0, 4 * count) + "}",
                           std::string(4 * count, fill));
}

inline std::string index_of(const std::vector<std::pair<std::string, std::string>>& places) {
  std::string text = "{\"metadata\":{\"total_size\":1},\"weight_map\":{";
  for (const auto& [tensor, file] : places) {
    if (!text.ends_with('{')) text += ',';
    text.append("\"").append(tensor).append("\":\"").append(file).append("\"");
  }
  return text + "}}";
}

}  // namespace roux::testing
