// Values taken apart by the names of their tensors, and put together again: `a["*.mlp.*"]` and the arms of
// `match name`. Everything is told from headers.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "compiler/interpret/spaces.h"

namespace roux {

// Calls f for each model, delta and so on inside a value.
void for_each_data(const Graph& graph, const Value& value, const std::function<void(const Data&)>& f);

// The tensors that an arm of a `match` is about. The values in it may have them in other shapes.
struct ArmTensors {
  std::vector<std::string> names;  // in canonical order
  DomainId usual = kNone;          // with the shapes that the first value has; for numbers, which have none
  Span span;                       // of the arm's value

  bool contains(const std::string& name) const;
};

// What a value has of these tensors: models, deltas, tensors, soups, and what lists and records hold of them.
// Everything else stays as it is.
Value restricted(SpaceContext& context, const Value& value, const ArmTensors& tensors);

// The part of a model, delta or tensors whose names match; an error where none does.
Value part_by_glob(SpaceContext& context, const Value& value, const std::string& glob);

// One value that is values[i] at the tensors of arms[i]. Lists, tuples and records of one shape are joined item
// by item; whatever is no data must be the same in all. `is_part`: the arms cover no whole model.
Value joined(SpaceContext& context, std::span<const Value> values, std::span<const ArmTensors> arms, bool is_part);

// The same of values whose tensors are not known yet: `choose` makes one number of one for each arm.
using ChooseNumber = std::function<Value(std::span<const Value>)>;
Value joined(SpaceContext& context, std::span<const Value> values, const ChooseNumber& choose);

// The integer tensor of these sources that fits first, as words that end a sentence on what fits nothing; empty:
// none does.
std::string carried_instead(const Host& host, std::span<const std::uint32_t> sources, const NameTest& test);

}  // namespace roux
