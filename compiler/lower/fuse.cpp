#include "compiler/lower/fuse.h"

#include <algorithm>
#include <map>
#include <unordered_map>

namespace roux {
namespace {

using Kind = Instruction::Kind;

class KernelBuilder {
 public:
  KernelBuilder(const Graph& graph, const LaunchRoots& roots, const TensorClass& tensor_class,
                std::span<const std::uint32_t> source_index, SlotBuilder& slots)
      : graph_(graph), stage_(roots.stage), class_(tensor_class), source_index_(source_index), slots_(slots) {
    fused_.kernel.lane = tensor_class.lane;
    fused_.kernel.starts_anywhere = roots.shape != LaunchShape::flat;
    fused_.launch.shape = roots.shape;
  }

  ValueId number(NodeId id) {
    const ValueId value = emit(id);
    return type_of(fused_.kernel, value) == ValueType::number
               ? value
               : append({.kind = Kind::op, .op = Op::to_number, .a = value});
  }

  ValueId mask(NodeId id) {
    const ValueId value = emit(id);
    if (type_of(fused_.kernel, value) == ValueType::mask) return value;
    return append({.kind = Kind::op, .op = Op::ne, .a = value, .b = scalar(slots_.constant(0))});
  }

  // A plain weighted sum of sources of one dtype, as a run-time table: one kernel for any number of them.
  bool is_table(NodeId id) const {
    const Node& node = graph_[id];
    if (node.kind != NodeKind::linear || node.operands[0] != kNone || node.operands.size() < 5) return false;
    for (std::size_t i = 1; i < node.operands.size(); i += 2) {
      const Node& value = at_hand(node.operands[i + 1]);
      if (value.kind != NodeKind::source || graph_.constant_value(node.operands[i]) == 0.0) return false;
      if (is_fine(graph_[node.operands[i]].level)) return false;
      if (dtype_of(value) != dtype_of(at_hand(node.operands[2]))) return false;
    }
    return true;
  }

  ValueId table(NodeId id) {
    const Node& node = graph_[id];
    const NodeId factor = common_factor(node);
    std::vector<TableSource> entries;
    for (std::size_t i = 1; i < node.operands.size(); i += 2)
      entries.push_back({source_index_[at_hand(node.operands[i + 1]).attribute], coefficient(node, i, factor)});
    Kernel& kernel = fused_.kernel;
    kernel.tables.push_back(dtype_of(at_hand(node.operands[2])));
    fused_.launch.tables.push_back(std::move(entries));
    const auto first = static_cast<std::uint32_t>(kernel.terms.size());
    kernel.terms.push_back({LinearTerm::Kind::table, static_cast<std::uint32_t>(kernel.tables.size() - 1), kNone});
    Instruction sum{.kind = Kind::linear, .a = kNone, .b = first, .c = 1};
    if (factor != kNone) sum.d = argument(slot(factor));
    return append(sum);
  }

  // The coefficient that all terms of a sum share: then they are added first and multiplied once, so that a
  // mean is the sum of the values (exact in f64, but for extremes) divided. Constants only: a coefficient that
  // turns out to be 0 must not meet a value.
  NodeId common_factor(const Node& node) const {
    if (node.operands[0] != kNone || node.operands.size() < 5) return kNone;
    if (graph_.constant_value(node.operands[1]).value_or(0) == 0) return kNone;
    for (std::size_t i = 3; i < node.operands.size(); i += 2)
      if (node.operands[i] != node.operands[1]) return kNone;
    return node.operands[1];
  }

  SlotId coefficient(const Node& node, std::size_t i, NodeId factor) {
    return factor == kNone ? slot(node.operands[i]) : slots_.constant(1);
  }

  void store(DType dtype, ValueId value, StoreTarget target) {
    fused_.kernel.stores.push_back({dtype, value});
    fused_.launch.stores.push_back(target);
  }

  void reduce(NodeId id) {
    const Node& node = graph_[id];
    const auto op = static_cast<ReduceOp>(node.attribute);
    Reduction reduction{.op = op};
    reduction.a = op == ReduceOp::count ? mask(node.operands[0]) : number(node.operands[0]);
    if (op == ReduceOp::dot) reduction.b = number(node.operands[1]);
    fused_.kernel.reductions.push_back(reduction);
    fused_.launch.reductions.push_back(slot(id));
  }

  // The kernel stores what is reduced; the executor goes down the columns.
  void reduce_columns(NodeId id) {
    const Node& node = graph_[id];
    ColumnReduction reduction{.a = operand(node.operands[0]), .b = kNone, .slot = slot(id)};
    if (node.operands.size() > 1) reduction.b = operand(node.operands[1]);
    fused_.launch.column_reductions.push_back(reduction);
  }

  Fused take() { return std::move(fused_); }

 private:
  const Node& at_hand(NodeId id) const { return graph_[class_.at_hand(graph_, id)]; }
  SlotId slot(NodeId number) { return slots_.slot(number, stage_); }

  std::uint32_t operand(NodeId id) {
    auto [it, fresh] = operands_.emplace(id, static_cast<std::uint32_t>(fused_.kernel.stores.size()));
    const DType lane = class_.lane == LaneType::f64 ? DType::f64 : DType::f32;
    if (fresh) store(lane, number(id), {StoreTarget::Kind::operand, 0});
    return it->second;
  }

  DType dtype_of(const Node& source) const { return class_.sources[source_index_[source.attribute]]; }

  ValueId append(Instruction instruction) {
    fused_.kernel.body.push_back(instruction);
    return static_cast<ValueId>(fused_.kernel.body.size() - 1);
  }

  ScalarId argument(SlotId slot) { return argument(slot, arguments_); }

  // Arguments of `top` are its own: the executor rounds them to the lanes of the tensor at hand.
  ScalarId edge(SlotId slot) { return argument(slot, edges_); }

  // Row by row, numbers of rows stay the same for a call.
  bool is_scalar(SlotId slot) const {
    const Level finest = fused_.launch.shape == LaunchShape::flat ? Level::tensor : Level::row;
    return is_no_finer(slots_.level(slot), finest);
  }

  ScalarId argument(SlotId slot, std::map<SlotId, ScalarId>& known) {
    const bool scalar = is_scalar(slot);
    std::uint32_t& count = scalar ? fused_.kernel.scalar_count : fused_.kernel.spread_count;
    auto [it, fresh] = known.emplace(slot, scalar ? count : count | kSpread);
    if (fresh) {
      ++count;
      (scalar ? fused_.launch.scalars : fused_.launch.spreads).push_back(slot);
    }
    return it->second;
  }

  ValueId scalar(SlotId slot) {
    auto [it, fresh] = scalars_.emplace(slot, 0);
    if (fresh) it->second = append({.kind = Kind::scalar, .a = argument(slot)});
    return it->second;
  }

  ValueId emit(NodeId id) {
    id = class_.at_hand(graph_, id);
    if (auto found = values_.find(id); found != values_.end()) return found->second;
    const Node& node = graph_[id];
    const ValueId value = node.level == Level::element ? emit_element(id, node) : emit_number(id, node);
    values_[id] = value;
    return value;
  }

  // A number coarser than elements; slots hold masks as 0 and 1.
  ValueId emit_number(NodeId id, const Node& node) {
    const ValueId value = scalar(slot(id));
    if (node.type == ValueType::number) return value;
    return append({.kind = Kind::op, .op = Op::ne, .a = value, .b = scalar(slots_.constant(0))});
  }

  ValueId emit_element(NodeId id, const Node& node) {
    switch (node.kind) {
      case NodeKind::source: return emit_source(node);
      case NodeKind::linear: return emit_linear(node);
      case NodeKind::operation: return emit_operation(node);
      case NodeKind::uniform: return emit_random(node, Kind::uniform);
      case NodeKind::normal: return emit_random(node, Kind::normal);
      case NodeKind::bernoulli: return emit_random(node, Kind::bernoulli);
      case NodeKind::top: {
        const ValueId x = number(node.operands[0]);
        const SlotBuilder::SelectionSlots selection = slots_.selection(id, stage_);
        return append({.kind = Kind::top, .a = x, .b = edge(selection.threshold), .c = edge(selection.cut)});
      }
      case NodeKind::ordinal: return scalar(slots_.ordering(id, stage_).ordinal);
      default: break;
    }
    ROUX_CHECK(!"an element that no kernel computes");
    return kNone;
  }

  ValueId emit_source(const Node& node) {
    Kernel& kernel = fused_.kernel;
    kernel.inputs.push_back(dtype_of(node));
    fused_.launch.inputs.push_back(source_index_[node.attribute]);
    return append({.kind = Kind::input, .a = static_cast<std::uint32_t>(kernel.inputs.size() - 1)});
  }

  ValueId emit_linear(const Node& node) {
    const NodeId factor = common_factor(node);
    std::vector<LinearTerm> terms;
    for (std::size_t i = 1; i < node.operands.size(); i += 2) {
      if (graph_.constant_value(node.operands[i]) == 0.0) continue;  // holds a domain, adds nothing
      terms.push_back({LinearTerm::Kind::value, number(node.operands[i + 1]), argument(coefficient(node, i, factor))});
    }
    const NodeId constant = node.operands[0];
    if (terms.empty()) return scalar(constant == kNone ? slots_.constant(0) : slot(constant));
    Instruction instruction{.kind = Kind::linear};
    if (constant != kNone) instruction.a = argument(slot(constant));
    instruction.b = static_cast<std::uint32_t>(fused_.kernel.terms.size());
    instruction.c = static_cast<std::uint32_t>(terms.size());
    if (factor != kNone) instruction.d = argument(slot(factor));
    fused_.kernel.terms.insert(fused_.kernel.terms.end(), terms.begin(), terms.end());
    return append(instruction);
  }

  ValueId emit_operation(const Node& node) {
    const OpFacts& facts = facts_of(node.op);
    std::uint32_t operands[3] = {kNone, kNone, kNone};
    for (int i = 0; i < facts.arity; ++i)
      operands[i] = facts.operands[i] == ValueType::mask ? mask(node.operands[i]) : number(node.operands[i]);
    return append({.kind = Kind::op, .op = node.op, .a = operands[0], .b = operands[1], .c = operands[2]});
  }

  ValueId emit_random(const Node& node, Kind kind) {
    const auto [low, high] = slots_.key(node.constant);
    Instruction instruction{.kind = kind, .a = argument(low), .b = argument(high),
                            .c = argument(slot(node.operands[0]))};
    if (kind == Kind::bernoulli) instruction.d = argument(slot(node.operands[1]));
    return append(instruction);
  }

  const Graph& graph_;
  std::uint32_t stage_;
  const TensorClass& class_;
  std::span<const std::uint32_t> source_index_;
  SlotBuilder& slots_;
  Fused fused_;
  std::unordered_map<NodeId, ValueId> values_;
  std::map<SlotId, ScalarId> arguments_, edges_;
  std::map<SlotId, ValueId> scalars_;
  std::map<NodeId, std::uint32_t> operands_;  // of reductions over columns: the store
};

}  // namespace

NodeId TensorClass::at_hand(const Graph& graph, NodeId id) const {
  while (graph[id].kind == NodeKind::by_name && graph[id].level == Level::element) {
    const Node& node = graph[id];
    const auto part = std::find_if(node.parts.begin(), node.parts.end(), [&](DomainId d) { return is_in(d); });
    ROUX_CHECK(part != node.parts.end());
    id = node.operands[static_cast<std::size_t>(part - node.parts.begin())];
  }
  return id;
}

Fused fuse(const Graph& graph, const LaunchRoots& roots, const TensorClass& tensor_class,
           std::span<const std::uint32_t> source_index, LaneType selection_lane, SlotBuilder& slots) {
  KernelBuilder builder(graph, roots, tensor_class, source_index, slots);
  const bool alone = roots.outputs.size() == 1 && roots.reductions.empty() && roots.selections.empty() &&
                     roots.orderings.empty();
  for (const auto& [root, output] : roots.outputs) {
    const NodeId node = tensor_class.at_hand(graph, root);
    const ValueId value = alone && builder.is_table(node) ? builder.table(node) : builder.number(node);
    builder.store(tensor_class.outputs[output], value, {StoreTarget::Kind::output, output});
  }
  for (NodeId reduction : roots.reductions)
    roots.shape == LaunchShape::columns ? builder.reduce_columns(reduction) : builder.reduce(reduction);
  const DType lane = selection_lane == LaneType::f64 ? DType::f64 : DType::f32;
  for (const auto& [node, selection] : roots.selections)
    builder.store(lane, builder.number(node), {StoreTarget::Kind::selection, selection});
  for (const auto& [node, ordering] : roots.orderings)
    builder.store(lane, builder.number(node), {StoreTarget::Kind::ordering, ordering});
  return builder.take();
}

}  // namespace roux
