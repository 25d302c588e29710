#include "api/work.h"

#include <bit>
#include <cstdint>
#include <map>
#include <vector>

#include "base/text.h"

namespace roux {
namespace {

// A domain is told in full the first time, afterwards by its number.
class Domains {
 public:
  explicit Domains(const Graph& graph) : graph_(graph) {}

  std::string text(DomainId id) {
    if (id == kNone) return "-";
    const auto [known, fresh] = numbers_.emplace(id, numbers_.size());
    std::string text = "d" + std::to_string(known->second);
    if (!fresh) return text;
    for (const Domain::Tensor& tensor : graph_.domain(id).tensors) {
      text += " " + string_literal(tensor.name);
      for (std::int64_t extent : tensor.shape) text += "," + std::to_string(extent);
    }
    return text;
  }

 private:
  const Graph& graph_;
  std::map<DomainId, std::size_t> numbers_;
};

// The files behind an input: its own, or those that a view takes tensors from.
Result<std::string> state_of(const Checkpoint& input, int threads) {
  std::string state = input.header_digest() + '\n';
  for (const Checkpoint::Ptr& part : input.parts()) {
    ROUX_TRY(const std::string own, state_of(*part, threads));
    state += own;
  }
  if (!input.parts().empty()) return state;
  if (!input.stamp().empty()) return state + input.stamp();
  ROUX_TRY(const Digest digest, input.digest(threads));
  return state + digest.hex + '\n';
}

// Checkpoints by the order in which they are met.
class Sources {
 public:
  std::string text(std::uint32_t source) {
    const auto [known, fresh] = numbers_.emplace(source, in_order_.size());
    if (fresh) in_order_.push_back(source);
    return std::to_string(known->second);
  }
  const std::vector<std::uint32_t>& in_order() const { return in_order_; }

 private:
  std::map<std::uint32_t, std::size_t> numbers_;
  std::vector<std::uint32_t> in_order_;
};

std::string attribute_of(const Graph& graph, const Node& node, Sources& sources) {
  if (node.kind == NodeKind::named) return string_literal(graph.pattern(node.attribute).text);
  return node.kind == NodeKind::source ? sources.text(node.attribute) : std::to_string(node.attribute);
}

}  // namespace

Result<OutputWork> work_of(const Graph& graph, const Inputs& inputs, NodeId value, bool in_f64, int threads) {
  OutputWork work{in_f64 ? "f64\n" : "f32\n", ""};
  Domains domains(graph);
  Sources sources;
  std::map<NodeId, std::size_t> places;
  for (NodeId id : reachable(graph, {value})) {
    const Node& node = graph[id];
    work.text += std::string(name_of(node.kind)) + " " + std::to_string(static_cast<int>(node.level)) + " " +
                 std::to_string(static_cast<int>(node.scope)) + " " + std::to_string(static_cast<int>(node.op)) + " " +
                 attribute_of(graph, node, sources) + " " +
                 std::to_string(std::bit_cast<std::uint64_t>(node.constant)) + " " + domains.text(node.domain);
    for (NodeId operand : node.operands)
      work.text += operand == kNone ? " -" : " #" + std::to_string(places.at(operand));
    for (DomainId part : node.parts) work.text += " " + domains.text(part);
    work.text += '\n';
    places.emplace(id, places.size());
  }
  for (std::uint32_t source : sources.in_order()) {
    ROUX_TRY(const std::string state, state_of(*inputs.all()[source], threads));
    work.inputs += state;
  }
  return work;
}

}  // namespace roux
