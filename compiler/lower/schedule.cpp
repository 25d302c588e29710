#include "compiler/lower/schedule.h"

#include <algorithm>

namespace roux {
namespace {

bool makes_number(const Node& node) {
  return node.kind == NodeKind::reduction || node.kind == NodeKind::largest || node.kind == NodeKind::top;
}

}  // namespace

Schedule schedule(const Graph& graph, const std::vector<NodeId>& roots) {
  Schedule result;
  result.nodes = reachable(graph, roots);
  Moment last;
  std::vector<Moment> moments;
  for (NodeId id : result.nodes) {
    const Node& node = graph[id];
    Moment moment;
    for (NodeId operand : node.operands)
      if (operand != kNone) moment = std::max(moment, result.known.at(operand));
    if (makes_number(node)) {
      result.made[id] = moment;
      moment = node.scope == Level::tensor ? Moment{moment.stage, moment.phase + 1} : Moment{moment.stage + 1, 0};
    }
    result.known[id] = moment;
    moments.push_back(moment);
    last = std::max(last, moment);
  }
  // A number that nothing is computed from needs no stage of its own: only sweeps count.
  const auto count = [&](Moment moment) {
    result.stage_count = std::max(result.stage_count, moment.stage + 1);
    result.phase_counts.resize(result.stage_count, 1);
    result.phase_counts[moment.stage] = std::max(result.phase_counts[moment.stage], moment.phase + 1);
  };
  result.phase_counts.assign(1, 1);
  for (const auto& [id, moment] : result.made) count(moment);
  for (NodeId root : roots)
    if (graph[root].level == Level::element) count(result.known.at(root));
  return result;
}

}  // namespace roux
