#include "compiler/lower/schedule.h"

#include <algorithm>

namespace roux {

bool is_made(const Node& node) {
  return node.kind == NodeKind::reduction || node.kind == NodeKind::largest || node.kind == NodeKind::top ||
         node.kind == NodeKind::ordinal;
}

bool is_made_fine(const Node& node) {
  if (node.kind == NodeKind::ordinal) return node.scope != Level::recipe;
  return is_made(node) && is_fine(node.scope);
}

Schedule::Schedule(const Graph& graph, const std::vector<NodeId>& roots)
    : graph_(graph), nodes_(reachable(graph, roots)) {
  for (NodeId id : nodes_) {
    const Node& node = graph_[id];
    Moment moment;
    for (NodeId operand : node.operands)
      if (operand != kNone) moment.stage = std::max(moment.stage, known_.at(operand).stage);
    moment.phase = phase_of_operands(moment.stage, node);
    if (is_made(node)) {
      if (!is_made_fine(node)) made_.push_back({id, moment});
      moment = node.scope == Level::recipe ? Moment{moment.stage + 1, 0} : Moment{moment.stage, moment.phase + 1};
    }
    known_[id] = moment;
  }
  // A number that nothing is computed from needs no stage of its own: only sweeps count.
  for (const Made& coarse : made_) {
    count(coarse.when);
    for (NodeId operand : graph_[coarse.node].operands) need_fine(coarse.when.stage, operand);
  }
  for (NodeId root : roots) {
    if (graph_[root].level != Level::element) continue;
    count(known(root));
    need_fine(known(root).stage, root);
  }
  for (const auto& [stage, id] : needed_) {
    if (is_made_fine(graph_[id])) made_.push_back({id, {stage, phase_of_operands(stage, graph_[id])}});
  }
  std::sort(made_.begin(), made_.end(), [](const Made& a, const Made& b) {
    return std::pair(a.node, a.when) < std::pair(b.node, b.when);
  });
  for (const Made& each : made_) count(each.when);
}

Moment Schedule::known(NodeId node) const {
  const std::uint32_t stage = known_.at(node).stage;
  return {stage, phase_in(stage, node)};
}

std::uint32_t Schedule::phase_in(std::uint32_t stage, NodeId node) const {
  find_phases(stage, node);
  return phases_[stage].of(node);
}

std::uint32_t Schedule::Phases::of(NodeId node) const {
  const auto found_later = later.find(node);
  return found_later == later.end() ? 0 : found_later->second;
}

std::uint32_t Schedule::phase_of_operands(std::uint32_t stage, const Node& node) const {
  std::uint32_t phase = 0;
  for (NodeId operand : node.operands)
    if (operand != kNone) phase = std::max(phase, phase_in(stage, operand));
  return phase;
}

// Up to `last`; operands come before their uses.
void Schedule::find_phases(std::uint32_t stage, NodeId last) const {
  Phases& phases = phases_[stage];
  for (; phases.found < nodes_.size() && nodes_[phases.found] <= last; ++phases.found) {
    const NodeId id = nodes_[phases.found];
    const Node& node = graph_[id];
    const Moment known = known_.at(id);
    std::uint32_t phase = known.stage == stage ? known.phase : 0;
    if (is_fine(node.level)) {
      std::uint32_t operands = is_made_fine(node) ? 1 : 0;
      for (NodeId operand : node.operands)
        if (operand != kNone) operands = std::max(operands, phases.of(operand) + (is_made_fine(node) ? 1 : 0));
      phase = std::max(phase, operands);
    }
    if (phase > 0) phases.later[id] = phase;
  }
}

std::span<const Schedule::Made> Schedule::made_of(NodeId node) const {
  const auto [first, last] = std::equal_range(made_.begin(), made_.end(), Made{node, {}},
                                              [](const Made& a, const Made& b) { return a.node < b.node; });
  return {first, last};
}

// All fine numbers that an element or a fine number is computed from in this stage.
void Schedule::need_fine(std::uint32_t stage, NodeId root) {
  std::vector<NodeId> pending = {root};
  while (!pending.empty()) {
    const NodeId id = pending.back();
    pending.pop_back();
    if (id == kNone || !is_fine(graph_[id].level) || !needed_.emplace(stage, id).second) continue;
    const std::vector<NodeId>& operands = graph_[id].operands;
    pending.insert(pending.end(), operands.begin(), operands.end());
  }
}

void Schedule::count(Moment moment) {
  if (phase_counts_.size() <= moment.stage) phase_counts_.resize(moment.stage + 1, 1);
  phase_counts_[moment.stage] = std::max(phase_counts_[moment.stage], moment.phase + 1);
}

}  // namespace roux
