// Values for people. A model is one line, `model: 68 tensors, 42.7 K, f32, llama; 0.6·a + 0.4·b`; so are deltas,
// tensors and numbers finer than the recipe. Lists of such and records are tables, everything else is as `print`
// has it. Reads headers only: numbers that only tensors tell are to be computed before.
#pragma once

#include <string>
#include <vector>

#include "api/formula.h"

namespace roux {

struct ShowContext {
  const Graph& graph;
  const Inputs& inputs;
  const Environment& scope;  // whose names formulas use
};

std::vector<std::string> show(const Value& value, const ShowContext& context);
// At most `columns` wide.
std::string show_line(const Value& value, const ShowContext& context, std::size_t columns);

// "model", "delta", "list[model]", "number per tensor", `ties(models: list[model], …) -> model`.
std::string type_text(const Value& value, const Graph& graph, const SourceMap& sources);

}  // namespace roux
