// Sorts what one phase makes into launches: by how each goes through a tensor, and so by what it may make and
// how fine numbers reach it. In: outputs and made nodes of one moment; out: what each launch makes.
#pragma once

#include <unordered_map>
#include <vector>

#include "compiler/graph/graph.h"
#include "compiler/lower/fuse.h"
#include "compiler/lower/schedule.h"
#include "compiler/lower/slots.h"

namespace roux {

class RootSorter {
 public:
  RootSorter(const Graph& graph, SlotBuilder& slots, Moment moment)
      : graph_(graph), slots_(slots), moment_(moment) {}

  void add_output(NodeId node, std::uint32_t output);
  void add(NodeId made);
  // Those that make anything; selections first.
  std::vector<LaunchRoots> take();

 private:
  // Over the model or tensors everything is flat, unless numbers of rows are better off as scalars.
  LaunchShape shape_for(NodeId value);
  LaunchRoots& launch(std::vector<LaunchRoots>& launches, LaunchShape shape);
  bool uses_rows(NodeId value);
  void add_selection(NodeId node);

  const Graph& graph_;
  SlotBuilder& slots_;
  Moment moment_;
  std::vector<LaunchRoots> row_orders_, offered_, made_;
  std::unordered_map<NodeId, bool> uses_rows_;
};

}  // namespace roux
