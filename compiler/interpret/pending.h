// Numbers that only tensors tell, and which of them are computed together. Where control needs some, others
// ride along that cost no sweep of their own: reductions over the whole model that values in scope lead to,
// whose operands can be computed at once, and that read nothing but what the first sweep for those needed
// reads anyway.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <vector>

#include "compiler/interpret/host.h"
#include "compiler/interpret/value.h"

namespace roux {

// Calls `visit` for every item inside a value, whatever it is in, the value itself if it is no list.
void for_each_item(const Value& value, const std::function<void(const Value&)>& visit);

// The recipe-level numbers inside a value that only tensors tell.
std::vector<NodeId> deferred_numbers(const Value& value, const Graph& graph);

// The numbers that ride along.
class Riders {
 public:
  Riders(const Graph& graph, const Host& host, const std::vector<NodeId>& needed);

  // Looks for some below a value at hand; false once enough has been looked at.
  bool look_into(const Value& value);
  const std::vector<NodeId>& found() const { return found_; }

 private:
  bool is_ready(NodeId measured);
  std::vector<std::uint32_t> sources_below(NodeId node) const;
  void look_below(NodeId root);

  const Graph& graph_;
  const Host& host_;
  std::map<DomainId, std::set<std::uint32_t>> read_;  // the sources of the first sweep over each list of tensors
  std::vector<bool> seen_;  // by node
  std::size_t looked_at_ = 0;
  std::vector<NodeId> found_;
};

}  // namespace roux
