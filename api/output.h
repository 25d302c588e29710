// From "save this value there" to a layout and a plan: dtypes, carried tensors, metadata, memory. Used by
// rehearsals and runs alike, so that what a rehearsal accepts is what a run does.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "api/inputs.h"
#include "api/roux.h"
#include "compiler/interpret/host.h"
#include "compiler/lower/lower.h"

namespace roux {

struct PreparedOutput {
  OutputLayout layout;
  std::uint64_t bytes = 0;  // of all its files
  Plan plan;
};

struct OutputWish {
  const Data* value = nullptr;
  std::string path;
  std::string dtype = "same";
  std::uint64_t shard_bytes = 5'000'000'000;
  bool overwrite = false;
  bool in_f64 = false;
  std::map<std::string, std::string> metadata;
  Span span;
};

// The value of a number over a whole model that has other tensors than the output.
using ForeignNumber = std::function<Result<double>(NodeId)>;

Result<PreparedOutput> prepare_output(Graph& graph, const Inputs& inputs, const OutputWish& wish,
                                      const Options& options, const ForeignNumber& foreign_number);

// Gives the plan buffers that fit the budget; an error where even the smallest do not.
Status fit_memory(Plan& plan, const Options& options, Span span);

// The checkpoints of a plan's sources.
std::vector<Checkpoint::Ptr> sources_of_plan(const Plan& plan, const Inputs& inputs);

}  // namespace roux
