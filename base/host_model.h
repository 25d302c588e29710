// Models in the memory of the program that embeds Roux. They go in (a recipe reads them by `load("memory:NAME")`)
// and come out (`save(model, "memory:NAME")`) in the same form. Plain data: who makes one says in each tensor's
// `data` how its memory is released. Nothing is copied, so values must stay as they are while a run reads them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace roux {

struct HostTensor {
  std::string name = {};
  std::string dtype = {};             // "bf16", "f32", "i64", ...; also "torch.bfloat16", "BF16"
  std::vector<std::int64_t> shape = {};    // empty: a scalar
  std::vector<std::int64_t> strides = {};  // in elements, one for each dimension; empty: row-major without gaps
  // Of the element at [0, 0, ...]; elements need no alignment. The deleter is the release: it is called when
  // nothing of Roux needs the tensor any more, on the thread that lets go of it, and must not throw. Null where a
  // shape has no elements.
  std::shared_ptr<const void> data = nullptr;
};

struct HostModel {
  std::vector<HostTensor> tensors = {};         // in any order; no name twice
  std::optional<std::string> config = {};       // the text of a config.json
  // As in the header of a safetensors file. Of it only `roux.space` counts: "model", "delta" or "tensors".
  std::map<std::string, std::string> metadata = {};
};

// Memory that somebody else releases: it has to stay until all bindings, sessions and readers that hold it are gone.
inline std::shared_ptr<const void> borrowed(const void* data) { return {std::shared_ptr<const void>(), data}; }

}  // namespace roux
