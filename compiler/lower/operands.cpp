#include "compiler/lower/operands.h"

#include <set>

namespace roux {

TensorOperands::TensorOperands(const Graph& graph, NodeId root) : graph_(graph), root_(root) {
  std::set<DomainId> parts;
  for (NodeId id : reachable(graph, {root})) parts.insert(graph[id].parts.begin(), graph[id].parts.end());
  parts_.assign(parts.begin(), parts.end());
}

const std::vector<std::uint32_t>& TensorOperands::of(const std::string& tensor) {
  TensorClass tensor_class;
  for (DomainId part : parts_)
    if (find_tensor(graph_.domain(part), tensor)) tensor_class.domains.push_back(part);
  auto [sources, fresh] = known_.try_emplace(tensor_class.domains);
  if (fresh) sources->second = find(tensor_class);
  return sources->second;
}

std::vector<std::uint32_t> TensorOperands::find(const TensorClass& tensor_class) const {
  std::vector<std::uint32_t> sources;
  std::set<NodeId> seen;
  std::vector<NodeId> pending = {root_};
  while (!pending.empty()) {
    const NodeId id = tensor_class.at_hand(graph_, pending.back());
    pending.pop_back();
    const Node& node = graph_[id];
    if (node.level == Level::recipe || !seen.insert(id).second) continue;
    if (node.kind == NodeKind::source) sources.push_back(node.attribute);
    for (auto operand = node.operands.rbegin(); operand != node.operands.rend(); ++operand)
      if (*operand != kNone) pending.push_back(*operand);
  }
  return sources;
}

}  // namespace roux
