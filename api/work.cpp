#include "api/work.h"

#include <bit>
#include <cstdint>
#include <map>

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

std::string attribute_of(const Graph& graph, const Inputs& inputs, const Node& node) {
  if (node.kind == NodeKind::named) return string_literal(graph.pattern(node.attribute).text);
  if (node.kind != NodeKind::source) return std::to_string(node.attribute);
  const Checkpoint& checkpoint = *inputs.all()[node.attribute];
  std::string text = string_literal(checkpoint.path()) + " " + checkpoint.header_digest() + " " + stamp_of(checkpoint);
  for (const Checkpoint::Ptr& part : checkpoint.parts())
    text += string_literal(part->path()) + " " + part->header_digest() + " " + stamp_of(*part);
  return text;
}

}  // namespace

std::string work_of(const Graph& graph, const Inputs& inputs, NodeId value, bool in_f64) {
  std::string text = in_f64 ? "f64\n" : "f32\n";
  Domains domains(graph);
  std::map<NodeId, std::size_t> places;
  for (NodeId id : reachable(graph, {value})) {
    const Node& node = graph[id];
    text += std::string(name_of(node.kind)) + " " + std::to_string(static_cast<int>(node.level)) + " " +
            std::to_string(static_cast<int>(node.scope)) + " " + std::to_string(static_cast<int>(node.op)) + " " +
            attribute_of(graph, inputs, node) + " " + std::to_string(std::bit_cast<std::uint64_t>(node.constant)) +
            " " + domains.text(node.domain);
    for (NodeId operand : node.operands) text += operand == kNone ? " -" : " #" + std::to_string(places.at(operand));
    for (DomainId part : node.parts) text += " " + domains.text(part);
    text += '\n';
    places.emplace(id, places.size());
  }
  return text;
}

}  // namespace roux
