// Which checkpoints the elements of one tensor of a value come from: of a value chosen by name, those of the
// choice. The answer is the same for all tensors in the same parts, and remembered for them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "compiler/lower/fuse.h"

namespace roux {

class TensorOperands {
 public:
  TensorOperands(const Graph& graph, NodeId root);
  // Sources, in order of first use. The reference stays good.
  const std::vector<std::uint32_t>& of(const std::string& tensor);

 private:
  std::vector<std::uint32_t> find(const TensorClass& tensor_class) const;

  const Graph& graph_;
  NodeId root_;
  std::vector<DomainId> parts_;  // that the value was put together from, ascending
  std::map<std::vector<DomainId>, std::vector<std::uint32_t>> known_;
};

}  // namespace roux
