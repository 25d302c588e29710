#include "compiler/interpret/pending.h"

#include <algorithm>

#include "compiler/interpret/domains.h"

namespace roux {
namespace {

constexpr std::size_t kLookedAt = 20'000;  // values and nodes, each time that control needs a number
constexpr std::size_t kRiders = 64;    // a sweep that computes more is no longer bound by reading

bool is_measured(const Node& node) { return node.kind == NodeKind::reduction || node.kind == NodeKind::largest; }

bool is_over_model(const Node& node) { return is_measured(node) && node.scope == Level::recipe; }

}  // namespace

void for_each_item(const Value& value, const std::function<void(const Value&)>& visit) {
  const auto visit_all = [&](const std::vector<Value>& items) {
    for (const Value& item : items) for_each_item(item, visit);
  };
  if (auto* list = value.get<List>()) return visit_all(list->items);
  if (auto* tuple = value.get<Tuple>()) return visit_all(tuple->items);
  if (auto* record = value.get<Record>())
    for (const auto& [name, item] : record->fields) for_each_item(item, visit);
  else
    visit(value);
}

std::vector<NodeId> deferred_numbers(const Value& value, const Graph& graph) {
  std::vector<NodeId> deferred;
  for_each_item(value, [&](const Value& item) {
    auto* data = item.get<Data>();
    if (data && data->space == Space::number && graph.is_deferred(data->node)) deferred.push_back(data->node);
  });
  return deferred;
}

Riders::Riders(const Graph& graph, const Host& host, const std::vector<NodeId>& needed)
    : graph_(graph), host_(host), seen_(graph.size()) {
  for (NodeId id : reachable(graph, needed)) {
    if (!is_over_model(graph[id]) || host.is_known(id)) continue;
    seen_[id] = true;  // it is computed as it is
    if (looked_at_ >= kLookedAt || !is_ready(id)) continue;
    const std::vector<std::uint32_t> sources = sources_below(id);
    read_[graph[id].domain].insert(sources.begin(), sources.end());
  }
  looked_at_ = 0;
}

bool Riders::look_into(const Value& value) {
  for_each_item(value, [&](const Value& item) {
    ++looked_at_;
    if (auto* data = item.get<Data>()) look_below(data->node);
    if (auto* soup = item.get<Soup>())
      for (const Data& ingredient : soup->ingredients) look_below(ingredient.node);
  });
  return looked_at_ < kLookedAt && found_.size() < kRiders;
}

void Riders::look_below(NodeId root) {
  std::vector<NodeId> pending = {root};
  while (!pending.empty() && looked_at_ < kLookedAt && found_.size() < kRiders) {
    const NodeId id = pending.back();
    pending.pop_back();
    if (id == kNone || seen_[id] || host_.is_known(id)) continue;
    seen_[id] = true;
    ++looked_at_;
    const Node& node = graph_[id];
    pending.insert(pending.end(), node.operands.begin(), node.operands.end());
    if (!is_over_model(node) || node.kind != NodeKind::reduction || !is_ready(id)) continue;
    const auto read = read_.find(node.domain);
    if (read == read_.end()) continue;
    const std::vector<std::uint32_t> sources = sources_below(id);
    const auto is_read = [&](std::uint32_t source) { return read->second.contains(source); };
    if (std::all_of(sources.begin(), sources.end(), is_read)) found_.push_back(id);
  }
}

// Whether nothing below has to be measured first.
bool Riders::is_ready(NodeId measured) {
  const std::vector<NodeId> operands(graph_[measured].operands.begin(), graph_[measured].operands.end());
  const std::vector<NodeId> below = reachable(graph_, operands);
  looked_at_ += below.size();
  return std::none_of(below.begin(), below.end(), [&](NodeId id) {
    const Node& node = graph_[id];
    return (is_measured(node) || node.kind == NodeKind::top) && !host_.is_known(id);
  });
}

std::vector<std::uint32_t> Riders::sources_below(NodeId node) const {
  const NodeId roots[] = {node};
  return sources_of(graph_, roots);
}

}  // namespace roux
