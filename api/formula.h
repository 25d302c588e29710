// What a value is computed from, as people would write it: `0.6·a + 0.4·b`, `base + trim(…)`. Values that have a
// name in a scope are written by it, checkpoints that have none by their file's. It is for reading, not for running:
// deep parts become `…`.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "api/inputs.h"
#include "compiler/interpret/evaluator.h"

namespace roux {

// What the nodes of a graph are called by those who use it.
class NodeNames {
 public:
  NodeNames(const Graph& graph, const Inputs& inputs, const Environment& scope);

  const std::string* of(NodeId node) const;
  // The name of a list that has exactly these items, in any order.
  const std::string* of_list(std::set<NodeId> nodes) const;
  // Of a checkpoint without a name: `"ft-3"`.
  std::string of_source(std::uint32_t source) const;

 private:
  void add(const std::string& name, const Value& value, const Graph& graph);
  void add_items(const std::string& name, const std::vector<Value>& items, const Graph& graph);

  const Inputs& inputs_;
  std::map<NodeId, std::string> names_;
  std::map<std::set<NodeId>, std::string> lists_;
};

enum class Digits : unsigned char { all, few };

// `depth`: how many operations inside each other are written out. A name of the node itself is not used.
std::string formula(const Graph& graph, NodeId node, const NodeNames& names, int depth, Digits digits);

}  // namespace roux
