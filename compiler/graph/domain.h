// The tensors that a value ranges over, and what can be done with such lists: take a part, join two, compare.
// Lists are in canonical order (by name, bytewise). A part remembers that it is one, and what its tensors'
// names told in the whole: `layer_count` and `depth` do not change when a model is taken apart.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/kernel/plan.h"

namespace roux {

struct Domain {
  struct Tensor {
    std::string name;
    std::vector<std::int64_t> shape;
    std::uint64_t element_count = 0;
    std::array<double, kTensorFacts> facts{};  // by TensorFact
    bool operator==(const Tensor& other) const { return name == other.name && shape == other.shape; }
  };
  std::vector<Tensor> tensors;
  std::uint64_t element_count = 0;  // of all of them
  bool is_part = false;             // taken out of a model by name
  bool facts_told = false;
  bool operator==(const Domain& other) const { return tensors == other.tensors; }
};

// Null: no tensor of that name.
const Domain::Tensor* find_tensor(const Domain& domain, std::string_view name);

// The tensors that `wanted` says yes to.
Domain part_of(const Domain& whole, const std::function<bool(const Domain::Tensor&)>& wanted);

// All tensors of both; nothing where one name has two shapes.
std::optional<Domain> join(const Domain& a, const Domain& b);

// Whether every tensor of `part` is in `whole`, in the same shape.
bool includes(const Domain& whole, const Domain& part);

}  // namespace roux
