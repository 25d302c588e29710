#include "compiler/graph/domain.h"

#include <algorithm>

namespace roux {
namespace {

bool before(const Domain::Tensor& tensor, std::string_view name) { return tensor.name < name; }

}  // namespace

const Domain::Tensor* find_tensor(const Domain& domain, std::string_view name) {
  auto at = std::lower_bound(domain.tensors.begin(), domain.tensors.end(), name, before);
  return at == domain.tensors.end() || at->name != name ? nullptr : &*at;
}

Domain part_of(const Domain& whole, const std::function<bool(const Domain::Tensor&)>& wanted) {
  Domain part{.is_part = whole.is_part, .facts_told = whole.facts_told};
  for (const Domain::Tensor& tensor : whole.tensors)
    if (wanted(tensor)) part.tensors.push_back(tensor);
  if (part.tensors.size() < whole.tensors.size()) part.is_part = true;
  return part;
}

std::optional<Domain> join(const Domain& a, const Domain& b) {
  Domain both{.is_part = a.is_part && b.is_part, .facts_told = a.facts_told && b.facts_told};
  auto left = a.tensors.begin(), right = b.tensors.begin();
  while (left != a.tensors.end() || right != b.tensors.end()) {
    if (right == b.tensors.end() || (left != a.tensors.end() && left->name < right->name)) {
      both.tensors.push_back(*left++);
    } else if (left == a.tensors.end() || right->name < left->name) {
      both.tensors.push_back(*right++);
    } else {
      if (left->shape != right->shape) return std::nullopt;
      both.tensors.push_back(*left++);
      ++right;
    }
  }
  return both;
}

bool includes(const Domain& whole, const Domain& part) {
  return std::all_of(part.tensors.begin(), part.tensors.end(), [&](const Domain::Tensor& tensor) {
    const Domain::Tensor* own = find_tensor(whole, tensor.name);
    return own && own->shape == tensor.shape;
  });
}

}  // namespace roux
