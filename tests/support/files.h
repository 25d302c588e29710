// Small files for tests: text, and safetensors files written by hand, so that what reads and writes
// them in Roux is tested against something that is not Roux.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace roux::testing {

inline void write_file(const std::filesystem::path& path, std::string_view bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!file.flush()) throw std::runtime_error("cannot write " + path.string());
}

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path.string());
  return {std::istreambuf_iterator<char>(file), {}};
}

struct F32Tensor {
  std::string name;
  std::vector<std::int64_t> shape;
  std::vector<float> values;
};

// A safetensors file of these bytes: length of the header, header, data.
inline std::string safetensors_bytes(std::string_view header, std::string_view data) {
  static_assert(std::endian::native == std::endian::little);
  const std::uint64_t size = header.size();
  std::string out(sizeof size, '\0');
  std::memcpy(out.data(), &size, sizeof size);
  out += header;
  out += data;
  return out;
}

inline std::string f32_safetensors(const std::vector<F32Tensor>& tensors) {
  std::string header = R"({"__metadata__":{"format":"pt"})";
  std::string data;
  for (const F32Tensor& tensor : tensors) {
    std::string shape;
    for (const std::int64_t extent : tensor.shape) {
      if (!shape.empty()) shape += ',';
      shape += std::to_string(extent);
    }
    const std::size_t begin = data.size();
    data.append(reinterpret_cast<const char*>(tensor.values.data()),
                tensor.values.size() * sizeof(float));
    header += ",\"" + tensor.name + R"(":{"dtype":"F32","shape":[)" + shape +
              R"(],"data_offsets":[)" + std::to_string(begin) + "," + std::to_string(data.size()) +
              "]}";
  }
  header += '}';
  header.append((8 - header.size() % 8) % 8, ' ');
  return safetensors_bytes(header, data);
}

}  // namespace roux::testing
