// Tensors that a checkpoint stores twice although its config ties them to one: a language model's head that
// is its embedding. Told by the config (`tie_word_embeddings`), names, shapes and dtypes; contents are not
// compared.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/checkpoint/checkpoint.h"

namespace roux {

// Heads and embeddings by their names: tensors with one row for each token.
bool is_vocabulary(std::string_view name);

struct TiedTensor {
  std::string copy;      // the head: left out where a statistic counts each weight once
  std::string original;  // the embedding
};

// What the config says; nothing where it, or the checkpoint as a whole, says nothing of it.
std::optional<bool> ties_embeddings(const Checkpoint& checkpoint);

// In canonical order of the copies; none where the config does not tie, or nothing is stored twice.
std::vector<TiedTensor> tied_tensors(const Checkpoint& checkpoint);

// Why checkpoints cannot be combined: the config of one ties what that of another keeps apart, and the result
// would have one of these configs. Nothing where they agree or do not say.
std::optional<Diagnostic> tie_conflict(std::span<const Checkpoint::Ptr> checkpoints, Span span);

}  // namespace roux
