// What evaluation needs of the outside world. Two hosts exist, both in api/: one rehearses (headers only,
// nothing is read, scored or written; numbers that tensors would tell stay unknown), one performs. The
// evaluator is the same for both, so whatever a rehearsal accepts means the same in a run.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "compiler/interpret/value.h"
#include "runtime/checkpoint/checkpoint.h"

namespace roux {

struct SaveRequest {
  Value value;                       // a model, delta or tensors
  std::string path;
  std::string dtype;                 // "same", "widest" or a dtype
  std::uint64_t shard_bytes;
  bool overwrite;
  bool refuse_nonfinite;             // a value that is not finite is an error, not a warning
  bool in_f64;                       // lanes are f64, whatever the inputs are stored in
  bool is_speculative;               // in a branch of a rehearsal that the run may not take
  Span span;
};

class Host {
 public:
  virtual ~Host() = default;

  virtual bool rehearsing() const = 0;
  // Opens (once) and registers a checkpoint as a `model`, `delta` or `tensors`, or (`auto`) as what the file
  // says it is; the index is that of its source node.
  virtual Result<std::uint32_t> open(const std::string& path, const std::string& space, Span span) = 0;
  virtual Result<std::vector<std::string>> glob(const std::string& pattern, Span span) = 0;
  virtual const Checkpoint& checkpoint(std::uint32_t source) const = 0;
  virtual Checkpoint::Ptr share(std::uint32_t source) const = 0;
  // Registers a view of opened checkpoints; equal ones once.
  virtual std::uint32_t add(Checkpoint::Ptr view, const std::string& space) = 0;
  // What a source was loaded as; only models have integer tensors to carry.
  virtual const std::string& space(std::uint32_t source) const = 0;
  // Where in the recipe the checkpoint at this path was loaded first; an invalid span if it was not.
  virtual Span loaded_at(const std::string& path) const = 0;
  // Whether two sources hold the same checkpoint.
  virtual Result<bool> same_checkpoint(std::uint32_t a, std::uint32_t b) = 0;

  // Whether a recipe-level node has been computed.
  virtual bool is_known(NodeId node) const = 0;
  // Computes recipe-level nodes together, in as few sweeps as they share; does nothing while rehearsing.
  virtual Status measure(const std::vector<NodeId>& nodes, Span span) = 0;
  // The value of a recipe-level node. Not called while rehearsing.
  virtual Result<double> number(NodeId node, Span span) = 0;
  // The scorer that the embedding program gave for the `param` of this name, if any.
  virtual std::optional<Scorer> scorer_for(const std::string& parameter) const = 0;
  // The score of a model, remembered per scorer and node; nothing while rehearsing.
  virtual Result<std::optional<double>> score(const Scorer& scorer, const Data& model, Span span) = 0;
  virtual Status save(const SaveRequest& request) = 0;

  virtual void print(const std::string& line) = 0;
  virtual void note(Diagnostic diagnostic) = 0;
  // Whether the user wants evaluation to end.
  virtual bool is_cancelled() const = 0;
  // A policy for checkpoints that do not match ("missing = base") made a difference for so many tensors.
  virtual void count(const std::string& policy, std::uint64_t tensors) = 0;
};

}  // namespace roux
