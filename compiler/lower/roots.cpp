#include "compiler/lower/roots.h"

#include <algorithm>

namespace roux {

namespace {

// Parts of one mask, and masks of one amount, share what is offered.
void add_offer(std::vector<std::pair<NodeId, std::uint32_t>>& offers, std::pair<NodeId, std::uint32_t> offer) {
  if (std::find(offers.begin(), offers.end(), offer) == offers.end()) offers.push_back(offer);
}

}  // namespace

LaunchRoots& RootSorter::launch(std::vector<LaunchRoots>& launches, LaunchShape shape) {
  for (LaunchRoots& roots : launches)
    if (roots.shape == shape) return roots;
  LaunchRoots roots;
  roots.shape = shape;
  roots.stage = moment_.stage;
  launches.push_back(std::move(roots));
  return launches.back();
}

// Whether a kernel that computes this value takes numbers of rows.
bool RootSorter::uses_rows(NodeId root) {
  std::vector<NodeId> pending = {root};
  while (!pending.empty()) {
    const NodeId id = pending.back();
    const Node& node = graph_[id];
    if (uses_rows_.contains(id)) {
      pending.pop_back();
      continue;
    }
    if (node.level == Level::row) {
      uses_rows_[id] = true;
      continue;
    }
    // Positions are fed as they are; what they were found from is not computed here.
    bool uses = node.kind == NodeKind::top && node.scope == Level::row, ready = true;
    if (node.level == Level::element && node.kind != NodeKind::ordinal)
      for (NodeId operand : node.operands) {
        if (operand == kNone) continue;
        const auto found = uses_rows_.find(operand);
        if (found == uses_rows_.end()) {
          pending.push_back(operand);
          ready = false;
        } else {
          uses = uses || found->second;
        }
      }
    if (ready) uses_rows_[id] = uses;
  }
  return uses_rows_.at(root);
}

LaunchShape RootSorter::shape_for(NodeId value) {
  return uses_rows(value) ? LaunchShape::rows : LaunchShape::flat;
}

void RootSorter::add_output(NodeId node, std::uint32_t output) {
  launch(made_, shape_for(node)).outputs.emplace_back(node, output);
}

void RootSorter::add(NodeId id) {
  const Node& node = graph_[id];
  const NodeId value = node.operands[0];
  if (node.kind == NodeKind::ordinal) {
    const std::uint32_t ordering = slots_.ordering(id, moment_.stage).ordering;
    add_offer(launch(offered_, shape_for(value)).orderings, {value, ordering});
  } else if (node.kind != NodeKind::reduction) {
    add_selection(id);
  } else if (node.scope == Level::column) {
    launch(made_, LaunchShape::columns).reductions.push_back(id);
  } else {
    launch(made_, node.scope == Level::row ? LaunchShape::rows : LaunchShape::flat).reductions.push_back(id);
  }
}

void RootSorter::add_selection(NodeId id) {
  const Node& node = graph_[id];
  const NodeId value = node.operands[0];
  const std::uint32_t selection = slots_.selection(id, moment_.stage).selection;
  LaunchRoots& roots = node.scope == Level::row      ? launch(row_orders_, LaunchShape::rows)
                       : node.scope == Level::column ? launch(offered_, LaunchShape::columns)
                                                     : launch(offered_, shape_for(value));
  add_offer(roots.selections, {value, selection});
}

std::vector<LaunchRoots> RootSorter::take() {
  std::vector<LaunchRoots> launches = std::move(row_orders_);
  launches.insert(launches.end(), offered_.begin(), offered_.end());
  launches.insert(launches.end(), made_.begin(), made_.end());
  return launches;
}

}  // namespace roux
