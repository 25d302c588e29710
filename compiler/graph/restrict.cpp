// Values taken apart and put together by the names of tensors.
#include <algorithm>
#include <regex>

#include "base/text.h"
#include "compiler/graph/graph.h"

namespace roux {

std::optional<NameTest> test_of(const NamePattern& pattern) {
  if (pattern.kind == NamePattern::Kind::glob)
    return [text = pattern.text](const std::string& name) { return glob_matches(text, name); };
  try {
    return [compiled = std::regex(pattern.text)](const std::string& name) { return std::regex_search(name, compiled); };
  } catch (const std::regex_error&) {
    return std::nullopt;
  }
}

NodeId Graph::named(const NamePattern& pattern) {
  auto at = std::find(patterns_.begin(), patterns_.end(), pattern);
  const auto index = static_cast<std::uint32_t>(at - patterns_.begin());
  if (at == patterns_.end()) patterns_.push_back(pattern);
  return add_node({.kind = NodeKind::named, .type = ValueType::mask, .level = Level::tensor, .attribute = index});
}

NodeId Graph::member(DomainId part) {
  return add_node({.kind = NodeKind::member, .type = ValueType::mask, .level = Level::tensor, .parts = {part}});
}

NodeId Graph::by_name(std::vector<NodeId> values, std::vector<DomainId> parts, DomainId whole) {
  ROUX_CHECK(values.size() == parts.size() && !values.empty());
  if (values.size() == 1 && nodes_[values[0]].domain == whole) return values[0];
  const bool masks = std::all_of(values.begin(), values.end(),
                                 [&](NodeId id) { return nodes_[id].type == ValueType::mask; });
  if (!masks)
    for (NodeId& value : values) value = number(value);
  Node node{.kind = NodeKind::by_name, .type = masks ? ValueType::mask : ValueType::number, .level = Level::tensor,
            .domain = whole};
  for (NodeId id : values) node.level = roux::join(node.level, nodes_[id].level);
  node.operands = std::move(values);
  node.parts = std::move(parts);
  return add_node(std::move(node));
}

NodeId Graph::rebuilt(const Node& like, std::vector<NodeId> operands) {
  Node node = like;
  node.operands = std::move(operands);
  return add_node(std::move(node));
}

NodeId Graph::restrict(NodeId value, DomainId part) {
  std::unordered_map<NodeId, NodeId> done;  // in order of the ids: operands come first
  for (NodeId id : reachable(*this, {value})) {
    const NodeId taken = restricted(id, part, done);
    if (taken != id && origins_[taken] == taken) origins_[taken] = origins_[id];
    done[id] = taken;
  }
  return done.at(value);
}

NodeId Graph::restricted(NodeId id, DomainId part, const std::unordered_map<NodeId, NodeId>& done) {
  const Node node = nodes_[id];  // a copy: the graph grows below
  if (node.level == Level::recipe || node.domain == part) return id;
  const auto all_taken = [&] {
    std::vector<NodeId> operands;
    for (NodeId operand : node.operands) operands.push_back(operand == kNone ? kNone : done.at(operand));
    return operands;
  };
  const auto within = [&](std::vector<NodeId> operands) {
    Node taken = node;
    taken.operands = std::move(operands);
    if (taken.domain != kNone) taken.domain = part;
    return add_node(std::move(taken));
  };
  switch (node.kind) {
    case NodeKind::operation: return operation(node.op, all_taken());
    case NodeKind::linear: {
      const std::vector<NodeId> operands = all_taken();
      std::vector<Term> terms;
      for (std::size_t i = 1; i < operands.size(); i += 2) terms.push_back({operands[i], operands[i + 1]});
      return linear_as_given(operands[0], terms);
    }
    case NodeKind::by_name: {
      std::vector<NodeId> values;
      std::vector<DomainId> parts;
      for (std::size_t i = 0; i < node.operands.size(); ++i) {
        const Domain& wanted = domains_[part];
        Domain common = part_of(domains_[node.parts[i]],
                                [&](const Domain::Tensor& tensor) { return find_tensor(wanted, tensor.name); });
        if (common.tensors.empty()) continue;
        parts.push_back(intern(std::move(common)));
        values.push_back(restrict(node.operands[i], parts.back()));
      }
      return by_name(std::move(values), std::move(parts), part);
    }
    case NodeKind::top:  // which elements of the whole model are the largest was settled there
    case NodeKind::ordinal:
      return within(node.scope == Level::recipe ? node.operands : all_taken());
    default: return within(all_taken());
  }
}

}  // namespace roux
