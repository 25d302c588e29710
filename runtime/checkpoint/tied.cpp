#include "runtime/checkpoint/tied.h"

#include <algorithm>
#include <string_view>

#include "base/text.h"
#include "runtime/checkpoint/config.h"

namespace roux {
namespace {

// The ends of names by which architectures call their heads and their embeddings.
constexpr std::string_view kHeads[] = {"lm_head.weight", "embed_out.weight", "predictions.decoder.weight",
                                       "output.weight"};
constexpr std::string_view kEmbeddings[] = {"embed_tokens.weight", "embed_in.weight", "wte.weight", "shared.weight",
                                            "word_embeddings.weight", "tok_embeddings.weight"};

constexpr std::string_view kHeadBiases[] = {"lm_head.bias", "embed_out.bias", "predictions.bias",
                                            "predictions.decoder.bias"};

// Whole words: `lm_head.weight` and `x.lm_head.weight`, not `my_lm_head.weight`.
template <std::size_t N>
bool ends_in_any(std::string_view name, const std::string_view (&ends)[N]) {
  return std::any_of(std::begin(ends), std::end(ends), [&](std::string_view end) {
    return name == end || (name.ends_with(end) && name[name.size() - end.size() - 1] == '.');
  });
}

// A head and an embedding of one shape and dtype, whatever the config says.
std::vector<TiedTensor> tieable_tensors(const Checkpoint& checkpoint) {
  std::vector<TiedTensor> pairs;
  const std::vector<TensorInfo>& tensors = checkpoint.tensors();
  for (const TensorInfo& head : tensors) {
    if (head.shape.size() != 2 || !is_floating(head.dtype) || !ends_in_any(head.name, kHeads)) continue;
    const auto embedding = std::find_if(tensors.begin(), tensors.end(), [&](const TensorInfo& tensor) {
      return tensor.shape == head.shape && tensor.dtype == head.dtype && ends_in_any(tensor.name, kEmbeddings);
    });
    if (embedding != tensors.end()) pairs.push_back({head.name, embedding->name});
  }
  return pairs;
}

}  // namespace

bool is_vocabulary(std::string_view name) {
  return ends_in_any(name, kHeads) || ends_in_any(name, kEmbeddings) || ends_in_any(name, kHeadBiases);
}

std::optional<bool> ties_embeddings(const Checkpoint& checkpoint) {
  if (!checkpoint.config()) return std::nullopt;
  const Result<ConfigFacts> facts = read_config(*checkpoint.config(), checkpoint.path(), {});
  ROUX_CHECK(facts.ok());  // it was read when the checkpoint was opened
  return facts->ties_embeddings;
}

std::vector<TiedTensor> tied_tensors(const Checkpoint& checkpoint) {
  if (ties_embeddings(checkpoint) != true) return {};
  return tieable_tensors(checkpoint);
}

std::optional<Diagnostic> tie_conflict(std::span<const Checkpoint::Ptr> checkpoints, Span span) {
  const Checkpoint *tying = nullptr, *untying = nullptr;
  for (const Checkpoint::Ptr& checkpoint : checkpoints) {
    const std::optional<bool> ties = ties_embeddings(*checkpoint);
    if (ties == true && !tying) tying = checkpoint.get();
    if (ties == false && !untying && !tieable_tensors(*checkpoint).empty()) untying = checkpoint.get();
  }
  if (!tying || !untying) return std::nullopt;
  const TiedTensor pair = tieable_tensors(*untying).front();
  return error(DiagnosticKind::tied_mismatch, span,
               "the config of " + quoted(tying->path()) + " ties " + quoted(pair.copy) + " to " +
                   quoted(pair.original) + ", that of " + quoted(untying->path()) + " keeps them apart")
      .hint("what is saved has one of these configs: set `tie_word_embeddings` alike in both `config.json`");
}

}  // namespace roux
