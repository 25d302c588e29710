// The small checkpoints that the recipes of this folder speak of, under `checkpoints/` of a folder:
// a base with three fine-tunes, and others of which each has one thing that does not fit.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/files.h"
#include "tests/support/hostile_files.h"

namespace roux::testing {

struct GoldenTensor {
  std::string name;
  std::string dtype;  // as in the header: "F32"
  std::vector<int> shape;
  std::string data;
};

inline std::string golden_checkpoint(const std::vector<GoldenTensor>& tensors) {
  std::string header, data;
  for (const GoldenTensor& tensor : tensors) {
    std::string shape;
    for (const int extent : tensor.shape)
      shape += (shape.empty() ? "" : ",") + std::to_string(extent);
    header += (header.empty() ? "{" : ",") + entry(tensor.name, tensor.dtype, "[" + shape + "]",
                                                   data.size(), data.size() + tensor.data.size());
    data += tensor.data;
  }
  return safetensors_bytes(header + "}", data);
}

// Small whole numbers: exact in every floating dtype that is used here.
inline GoldenTensor floats(const std::string& name, std::vector<int> shape, int seed) {
  int count = 1;
  for (const int extent : shape) count *= extent;
  std::vector<float> values;
  for (int i = 0; i < count; ++i)
    values.push_back(static_cast<float>((i * 7 + seed * 13) % 11 - 5));
  return {name, "F32", std::move(shape),
          std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float))};
}

inline GoldenTensor halves(const GoldenTensor& tensor) {
  GoldenTensor half{tensor.name, "BF16", tensor.shape, {}};
  for (std::size_t i = 0; i < tensor.data.size(); i += 4) half.data += tensor.data.substr(i + 2, 2);
  return half;
}

inline GoldenTensor whole(const std::string& name, const std::vector<int>& values) {
  GoldenTensor tensor{name, "I64", {static_cast<int>(values.size())}, {}};
  for (const int value : values) tensor.data += little_endian(static_cast<std::uint64_t>(value));
  return tensor;
}

inline std::vector<GoldenTensor> golden_model(int seed) {
  return {floats("model.embed_tokens.weight", {8, 4}, seed),
          floats("model.layers.0.mlp.up_proj.weight", {4, 4}, seed + 1),
          floats("model.layers.1.mlp.up_proj.weight", {4, 4}, seed + 2),
          floats("model.norm.weight", {4}, seed + 3)};
}

inline void write_golden_checkpoints(const std::filesystem::path& root) {
  const std::string at = (root / "checkpoints").string() + "/";
  const auto folder = [&](const std::string& name, const std::vector<GoldenTensor>& tensors,
                          const std::string& config = R"({"model_type": "llama"})") {
    put_file(at + name + "/model.safetensors", golden_checkpoint(tensors));
    put_file(at + name + "/config.json", config);
  };
  folder("base", golden_model(0));
  for (int i = 0; i < 3; ++i) folder("ft-" + std::to_string(i), golden_model(20 + i));
  folder("other-base", golden_model(50));

  auto model = golden_model(30);
  model.pop_back();
  folder("short", model);
  model = golden_model(31);
  model[0] = floats(model[0].name, {9, 4}, 31);
  folder("wide", model);
  model = golden_model(36);
  model.push_back(floats("model.rotary.scale", {2}, 36));
  folder("long", model);
  model = golden_model(37);
  model[1] = floats(model[1].name, {4, 6}, 37);
  folder("fat", model);
  model = golden_model(32);
  for (GoldenTensor& tensor : model) tensor = halves(tensor);
  folder("half", model);
  folder("quantized", golden_model(33),
         R"({"model_type": "llama", "quantization_config": {"quant_method": "gptq", "bits": 4}})");
  for (const char* tied : {"true", "false"}) {
    model = golden_model(35);
    model.insert(model.begin(), floats("lm_head.weight", {8, 4}, 35));
    folder(tied == std::string("true") ? "tied" : "untied", model,
           R"({"model_type": "llama", "tie_word_embeddings": )" + std::string(tied) + "}");
  }
  folder("bad-config", golden_model(34), "{\"model_type\": \"llama\",}");

  model = golden_model(35);
  for (GoldenTensor& tensor : model) tensor.name = tensor.name.substr(tensor.name.find('.') + 1);
  put_file(at + "bare.safetensors", golden_checkpoint(model));

  for (int i = 0; i < 2; ++i) {
    const std::string name = i == 0 ? "a" : "b";
    const GoldenTensor weight = floats("weight", {4}, i);
    put_file(at + "ids-" + name + ".safetensors",
             golden_checkpoint({weight, whole("position_ids", {0, 1, 2 + i})}));
    put_file(at + "counter-" + name + ".safetensors",
             golden_checkpoint({weight, whole("bn.num_batches_tracked", {7 + i})}));
  }
  put_file(at + "ids-only.safetensors", golden_checkpoint({whole("position_ids", {0, 1})}));
  const GoldenTensor zeros{"weight", "F32", {4}, std::string(16, '\0')};
  put_file(at + "zeros.safetensors", golden_checkpoint({zeros}));
  put_file(at + "four-bits.safetensors", golden_checkpoint({{"weight", "F4", {4}, "ab"}}));
  put_file(at + "cut.safetensors", golden_checkpoint({zeros}).substr(0, 70));
  put_file(at + "pickled.bin", std::string("PK\x03\x04 archive/data.pkl", 22));
  std::filesystem::create_symlink("circle.safetensors", at + "circle.safetensors");
  put_file((root / "score.py").string(), "print(0.5)\n");
}

}  // namespace roux::testing
