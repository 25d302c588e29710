#include "compiler/passes/simplify.h"

#include <unordered_map>

namespace roux {
namespace {

class Simplifier {
 public:
  Simplifier(Graph& graph, bool with_rules, const std::map<NodeId, double>& known)
      : graph_(graph), with_rules_(with_rules), known_(known) {}

  // Operands come before their uses, so one forward walk over what the roots need does it all.
  std::vector<NodeId> run(const std::vector<NodeId>& roots) {
    for (NodeId id : reachable(graph_, roots)) {
      const auto known = known_.find(id);
      done_[id] = known == known_.end() ? rewrite(id) : graph_.constant(known->second);
    }
    std::vector<NodeId> result;
    for (NodeId root : roots) result.push_back(done_.at(root));
    return result;
  }

 private:
  NodeId rewrite(NodeId id) {
    const Node node = graph_[id];  // a copy: the graph grows below
    switch (node.kind) {
      case NodeKind::constant:
      case NodeKind::unknown:
      case NodeKind::fact:
      case NodeKind::named:
      case NodeKind::member:
      case NodeKind::source: return id;
      case NodeKind::linear: return linear(node);
      case NodeKind::operation: return operation(node);
      default: break;
    }
    std::vector<NodeId> operands;
    for (NodeId operand : node.operands) operands.push_back(simplified(operand));
    return graph_.rebuilt(node, std::move(operands));
  }

  NodeId simplified(NodeId id) const { return done_.at(id); }

  // What is one rounded sum stays one: terms that have become equal or linear are left apart.
  NodeId linear(const Node& node) {
    const NodeId constant = node.operands[0] == kNone ? kNone : simplified(node.operands[0]);
    std::vector<Term> terms;
    for (std::size_t i = 1; i < node.operands.size(); i += 2)
      terms.push_back({simplified(node.operands[i]), simplified(node.operands[i + 1])});
    return graph_.linear_as_given(constant, terms);
  }

  bool is_operation(NodeId id, Op op) const {
    return graph_[id].kind == NodeKind::operation && graph_[id].op == op;
  }

  NodeId operation(const Node& node) {
    std::vector<NodeId> x;
    for (NodeId operand : node.operands) x.push_back(simplified(operand));
    if (!with_rules_) return graph_.operation(node.op, std::move(x));
    if (facts_of(node.op).idempotent && is_operation(x[0], node.op)) return x[0];  // f(f(x)) = f(x)
    switch (node.op) {
      case Op::logical_not:
        if (is_operation(x[0], Op::logical_not)) return graph_[x[0]].operands[0];
        break;
      case Op::logical_and:
      case Op::logical_or:
        if (x[0] == x[1] && graph_[x[0]].type == ValueType::mask) return x[0];
        break;
      case Op::ne: {  // number(m) != 0 is m
        const auto zero = [&](NodeId id) { return graph_.constant_value(id) == 0.0; };
        if (is_operation(x[0], Op::to_number) && zero(x[1])) return graph_[x[0]].operands[0];
        if (is_operation(x[1], Op::to_number) && zero(x[0])) return graph_[x[1]].operands[0];
        break;
      }
      case Op::where: {
        if (x[1] == x[2] && is_no_finer(graph_[x[0]].level, graph_[x[1]].level)) return x[1];
        if (is_operation(x[0], Op::logical_not))
          return graph_.operation(Op::where, {graph_[x[0]].operands[0], x[2], x[1]});
        break;
      }
      default: break;
    }
    return graph_.operation(node.op, std::move(x));
  }

  Graph& graph_;
  bool with_rules_;
  const std::map<NodeId, double>& known_;
  std::unordered_map<NodeId, NodeId> done_;
};

}  // namespace

std::vector<NodeId> simplify(Graph& graph, const std::vector<NodeId>& roots) {
  const std::map<NodeId, double> nothing_known;
  return Simplifier(graph, true, nothing_known).run(roots);
}

std::vector<NodeId> substitute(Graph& graph, const std::vector<NodeId>& roots,
                               const std::map<NodeId, double>& known) {
  return Simplifier(graph, false, known).run(roots);
}

}  // namespace roux
