#include "base/text.h"
#include "compiler/graph/graph.h"

namespace roux {

const char* name_of(NodeKind kind) {
  switch (kind) {
    case NodeKind::constant: return "constant";
    case NodeKind::unknown: return "unknown";
    case NodeKind::fact: return "fact";
    case NodeKind::source: return "source";
    case NodeKind::operation: return "operation";
    case NodeKind::linear: return "linear";
    case NodeKind::uniform: return "uniform";
    case NodeKind::normal: return "normal";
    case NodeKind::bernoulli: return "bernoulli";
    case NodeKind::reduction: return "reduction";
    case NodeKind::largest: return "largest";
    case NodeKind::top: return "top";
    case NodeKind::named: return "named";
    case NodeKind::member: return "member";
    case NodeKind::by_name: return "by name";
    case NodeKind::ordinal: return "ordinal";
  }
  return "";
}

const char* name_of(ReduceOp op) {
  switch (op) {
    case ReduceOp::sum: return "sum";
    case ReduceOp::dot: return "dot";
    case ReduceOp::count: return "count";
    case ReduceOp::min: return "min";
    case ReduceOp::max: return "max";
  }
  return "";
}

const char* name_of(TensorFact fact) {
  constexpr const char* kNames[kTensorFacts] = {"layer", "layer_count", "depth", "ndim", "numel", "rows", "columns"};
  return kNames[static_cast<std::size_t>(fact)];
}

namespace {

}  // namespace

std::string dump(const Graph& graph, NodeId root) {
  const Node& node = graph[root];
  switch (node.kind) {
    case NodeKind::constant: return format_number(node.constant);
    case NodeKind::unknown: return "?" + std::to_string(node.attribute);
    case NodeKind::fact: return name_of(static_cast<TensorFact>(node.attribute));
    case NodeKind::source: return "s" + std::to_string(node.attribute);
    case NodeKind::named: return "named " + string_literal(graph.pattern(node.attribute).text);
    case NodeKind::linear: {
      std::string out = "(linear";
      if (node.operands[0] != kNone) out += " " + dump(graph, node.operands[0]);
      for (std::size_t i = 1; i < node.operands.size(); i += 2)
        out += (out.size() > 7 ? ", " : " ") + dump(graph, node.operands[i]) + " " +
               dump(graph, node.operands[i + 1]);
      return out + ")";
    }
    default: break;
  }
  std::string out = "(";
  if (node.kind == NodeKind::operation) {
    out += name_of(node.op);
  } else if (node.kind == NodeKind::reduction) {
    out += std::string(name_of(static_cast<ReduceOp>(node.attribute))) + " over " + std::string(scope_name(node.scope));
  } else {
    out += name_of(node.kind);
    if (node.kind == NodeKind::largest || node.kind == NodeKind::top || node.kind == NodeKind::ordinal)
      out += " over " + std::string(scope_name(node.scope));
    else if (node.kind != NodeKind::by_name && node.kind != NodeKind::member)
      out += " seed " + format_number(node.constant);
  }
  for (std::uint32_t operand : node.operands) out += " " + dump(graph, operand);
  return out + ")";
}

}  // namespace roux
