// Scorers that the embedding program gives for `param`s: as values of the language, and called.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "api/roux.h"
#include "compiler/interpret/value.h"
#include "runtime/checkpoint/checkpoint.h"

namespace roux {

CheckpointReader reader_of(Checkpoint::Ptr checkpoint);

std::optional<Scorer> host_scorer(const std::map<std::string, HostScorer>& scorers, const std::string& parameter);

// What it says of a model; an error at `span` where it says nothing, throws, or gives NaN.
Result<double> call_scorer(const HostScorer& scorer, const std::string& parameter, Checkpoint::Ptr model, Span span);

}  // namespace roux
