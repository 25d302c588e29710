// Checkpoints without a recipe: their tensors, read one by one, and the recipe that is inside those that Roux wrote.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/host_model.h"
#include "base/result.h"

namespace roux {

struct TensorSummary {
  std::string name;
  std::string dtype;                  // "bf16"
  std::vector<std::int64_t> shape;
  std::uint64_t byte_count = 0;
};

// A safetensors file, a checkpoint folder or a model in memory, opened for reading. Headers are checked at once,
// tensors read on demand. Thread-safe, cheap to copy.
class CheckpointReader {
 public:
  struct State;
  static Result<CheckpointReader> open(const std::string& path);
  // `name` is what it says to be its path.
  static Result<CheckpointReader> open(const std::string& name, const HostModel& model);
  explicit CheckpointReader(std::shared_ptr<const State> state) : state_(std::move(state)) {}

  const std::string& path() const;                         // "memory:NAME" where no file holds it
  const std::vector<TensorSummary>& tensors() const;       // by name
  const std::map<std::string, std::string>& metadata() const;
  std::optional<std::string> config() const;               // the text of config.json
  std::vector<std::string> files() const;
  // Values in row-major order, converted from whatever the tensor is stored in.
  Result<std::vector<float>> read_f32(const std::string& name) const;
  Result<std::vector<double>> read_f64(const std::string& name) const;

 private:
  std::shared_ptr<const State> state_;
};

struct StoredInput {
  std::string name;    // the last part of its path
  std::string digest;  // XXH3-128 of its contents
  bool whole = true;   // else of its header: it was not read whole
};

// How a file or folder that Roux wrote was made.
struct StoredRecipe {
  std::string version;               // of Roux
  std::string text;
  std::map<std::string, std::string> parameters;
  std::vector<StoredInput> inputs;
  std::map<std::string, std::string> imports;  // texts of imported files, by path from the recipe
};
// An error where it holds none.
Result<StoredRecipe> stored_recipe(const std::string& path);
// The same as text that can be run again: the recipe, with the rest as comments.
Result<std::string> recipe_inside(const std::string& path);
// Writes that recipe and the files that it imports into a folder, ready to be run; the paths written.
Result<std::vector<std::string>> extract_recipe(const std::string& path, const std::string& folder);

}  // namespace roux
