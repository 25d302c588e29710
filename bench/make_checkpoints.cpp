// make_checkpoints FOLDER COUNT [GB]: writes COUNT Llama-shaped bf16 checkpoints of about GB (default 1.07) each,
// FOLDER/base.safetensors and FOLDER/a.safetensors, b, ...: the base with small changes. Equal arguments give equal
// bytes; files that are there already with the right size stay.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

namespace {

struct Tensor {
  std::string name;
  std::uint64_t rows, columns;  // columns 0: a vector
  std::uint64_t count() const { return rows * (columns == 0 ? 1 : columns); }
};

std::vector<Tensor> llama(std::uint64_t layers) {
  constexpr std::uint64_t kHidden = 2048, kInner = 5504, kWords = 32000;
  std::vector<Tensor> tensors = {{"lm_head.weight", kWords, kHidden}, {"model.embed_tokens.weight", kWords, kHidden}};
  for (std::uint64_t i = 0; i < layers; ++i) {
    const std::string at = "model.layers." + std::to_string(i) + ".";
    tensors.push_back({at + "input_layernorm.weight", kHidden, 0});
    tensors.push_back({at + "mlp.down_proj.weight", kHidden, kInner});
    tensors.push_back({at + "mlp.gate_proj.weight", kInner, kHidden});
    tensors.push_back({at + "mlp.up_proj.weight", kInner, kHidden});
    tensors.push_back({at + "post_attention_layernorm.weight", kHidden, 0});
    for (const char* part : {"k", "o", "q", "v"})
      tensors.push_back({at + "self_attn." + part + "_proj.weight", kHidden, kHidden});
  }
  tensors.push_back({"model.norm.weight", kHidden, 0});
  return tensors;
}

std::string header_of(const std::vector<Tensor>& tensors) {
  std::string text = "{\"__metadata__\":{\"format\":\"pt\"}";
  std::uint64_t at = 0;
  for (const Tensor& tensor : tensors) {
    text += ",\"" + tensor.name + "\":{\"dtype\":\"BF16\",\"shape\":[" + std::to_string(tensor.rows);
    if (tensor.columns > 0) text += "," + std::to_string(tensor.columns);
    text += "],\"data_offsets\":[" + std::to_string(at) + ",";
    at += tensor.count() * 2;
    text += std::to_string(at) + "]}";
  }
  text += "}";
  text.resize((text.size() + 7) / 8 * 8, ' ');
  std::string header(8, '\0');
  const std::uint64_t size = text.size();
  std::memcpy(header.data(), &size, 8);
  return header + text;
}

// Nearly normal with deviation 1, of a seed and an index (SplitMix64).
float normal(std::uint64_t seed, std::uint64_t index) {
  std::uint64_t z = seed * 0xd1342543de82ef95u + (index + 1) * 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  z ^= z >> 31;
  const auto part = [&](int shift) { return static_cast<float>(z >> shift & 0xffff); };
  return (part(0) + part(16) + part(32) + part(48) - 131070.f) * (1.f / 37837.f);
}

std::uint16_t to_bf16(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, 4);
  return static_cast<std::uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

// Model 0 is the base; the others move every weight a little.
void write_model(const std::string& path, std::uint64_t model, const std::vector<Tensor>& tensors) {
  const std::string header = header_of(tensors);
  std::uint64_t total = 0;
  for (const Tensor& tensor : tensors) total += tensor.count();
  std::error_code none;
  if (std::filesystem::file_size(path, none) == header.size() + total * 2) return;
  std::ofstream file(path, std::ios::binary);
  file << header;
  std::vector<std::uint16_t> values(1u << 20);
  for (std::uint64_t first = 0; first < total; first += values.size()) {
    const std::uint64_t count = std::min<std::uint64_t>(values.size(), total - first);
    for (std::uint64_t i = 0; i < count; ++i) {
      const float start = 0.02f * normal(1, first + i);
      values[i] = to_bf16(model == 0 ? start : start + 0.002f * normal(model + 1, first + i));
    }
    file.write(reinterpret_cast<const char*>(values.data()), static_cast<std::streamsize>(count * 2));
  }
  file.close();
  if (!file) {
    std::fprintf(stderr, "make_checkpoints: cannot write %s\n", path.c_str());
    std::exit(1);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: make_checkpoints FOLDER COUNT [GB]\n");
    return 2;
  }
  const std::string folder = argv[1];
  const int count = std::atoi(argv[2]);
  const double gigabytes = argc > 3 ? std::atof(argv[3]) : 1.07;
  std::filesystem::create_directories(folder);
  const auto layers = static_cast<std::uint64_t>(std::max(1.0, std::round((gigabytes * 1e9 - 262.2e6) / 101.2e6)));
  const std::vector<Tensor> tensors = llama(layers);
  std::vector<std::thread> threads;
  for (int model = 0; model < count; ++model) {
    const std::string name = model == 0 ? "base" : std::string(1, static_cast<char>('a' + model - 1));
    threads.emplace_back([=, &tensors] { write_model(folder + "/" + name + ".safetensors", model, tensors); });
  }
  for (std::thread& thread : threads) thread.join();
}
