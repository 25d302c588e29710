// Names that people bring along from other tools, and what to write here instead.
#pragma once

#include <string_view>

namespace roux {

struct ForeignName {
  std::string_view name;
  const char* hint;
};
constexpr ForeignName kForeignNames[] = {
    {"merge", "a merge method is called by its name: `mean(models)`, `ties(models, k = 0.2)`"},
    {"linear", "a linear merge is `mean(models, weights = [...])`, or plain arithmetic: `0.3*a + 0.7*b`"},
    {"average", "the average is `mean(models)`"},
    {"interpolate", "between two models is `lerp(a, b, t)`"},
    {"task_vector", "a task vector is a difference: `model - base`"},
    {"dare_ties", "`ties(models, k = ...)` and `dare(models, p = ...)` are methods of their own"},
    {"dare_linear", "it is `dare(models, p = ...)`"},
    {"passthrough", "a model that is not merged is saved as it is: `save(model, path)`"},
    {"torch", "checkpoints are opened by `load(\"path\")`"},
    {"safetensors", "checkpoints are opened by `load(\"path\")`"},
    {"AutoModelForCausalLM", "checkpoints are opened by `load(\"path\")`"},
    {"open", "checkpoints are opened by `load(\"path\")`"},
    {"glob", "all that match are opened by `load_all(\"ft-*\")`"},
    {"regex", "a part is taken by a glob, `m[\"*.mlp.*\"]`; by a regex in an arm: `match name { regex(\"...\") => m, _ => ... }`"},
    {"os", "paths are texts: `\"out/${name}\"`"},
    {"np", "arithmetic is there without an import: `sqrt(x)`, `norm(x, over = model)`"},
};

// Null: there is nothing to say about this name.
inline const char* hint_for_foreign_name(std::string_view name) {
  for (const ForeignName& row : kForeignNames)
    if (name == row.name) return row.hint;
  return nullptr;
}

}  // namespace roux
