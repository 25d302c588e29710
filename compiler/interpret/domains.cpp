#include "compiler/interpret/domains.h"

#include <algorithm>
#include <optional>
#include <set>
#include <unordered_set>

#include "base/text.h"
#include "compiler/interpret/failure.h"
#include "runtime/checkpoint/tied.h"

namespace roux {

std::string list_some(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 3;
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < kShown; ++i) text += (i ? ", " : "") + quoted(names[i]);
  if (names.size() > kShown) text += " and " + std::to_string(names.size() - kShown) + " more";
  return text;
}

namespace {

// What an operand is in a message: the checkpoint it comes from.
std::optional<std::string> path_of_operand(SpaceContext& context, NodeId node) {
  const NodeId roots[] = {node};
  const std::vector<std::uint32_t> sources = sources_of(context.graph, roots);
  if (sources.empty()) return std::nullopt;
  return context.host.checkpoint(sources.front()).path();
}

using Tensor = Domain::Tensor;

std::vector<std::string> names_missing(const Domain& from, const Domain& in) {
  std::vector<std::string> missing;
  for (const Tensor& tensor : in.tensors)
    if (!find_tensor(from, tensor.name)) missing.push_back(tensor.name);
  return missing;
}

// The same tensor under another name: with another prefix, or misspelled.
std::optional<std::string> twin_of(const std::string& name, const std::vector<std::string>& others) {
  for (const std::string& other : others)
    if (other.ends_with("." + name) || name.ends_with("." + other)) return other;
  return nearest(name, others);
}

struct Compared {
  const Domain& domain;
  std::optional<std::string> path;  // of the checkpoint

  std::string name() const {
    const std::string whole = path ? quoted(*path) : "one operand";
    return domain.is_part ? "the part of " + whole : whole;
  }
};

// What `align` could do about tensors that only one has. Of checkpoints that share next to nothing it is no help.
std::string hint_of_missing(const Compared& first, const Compared& second, std::size_t differing) {
  const std::size_t most = std::max(first.domain.tensors.size(), second.domain.tensors.size());
  if (2 * differing > most)
    return "only checkpoints of one architecture can be combined; is one of them another model?";
  return "if they are of one architecture, `align(models, missing = base)` takes what is missing from the base; see "
         "also `missing = skip`, `extra = copy`";
}

std::string hint_of_shapes(const Tensor& a, const Tensor& b) {
  if (is_vocabulary(a.name) && a.shape.size() == b.shape.size() && !a.shape.empty() &&
      std::equal(a.shape.begin() + 1, a.shape.end(), b.shape.begin() + 1))
    return "the vocabularies differ; `align(models, vocab = base)` takes these tensors from the base";
  return "shapes must be equal; is one of another size? `align(models, shapes = base)` takes these tensors from the "
         "base";
}

void find_missing(const Compared& first, const Compared& second, Span span, Diagnostics& findings) {
  const auto absent_in_first = names_missing(first.domain, second.domain);
  const auto absent_in_second = names_missing(second.domain, first.domain);
  if (absent_in_first.empty() && absent_in_second.empty()) return;
  const bool in_second = !absent_in_second.empty();
  const auto& names = in_second ? absent_in_second : absent_in_first;
  Diagnostic missing =
      error(DiagnosticKind::missing_tensor, span,
            (in_second ? second : first).name() + " lacks " + format_count(names.size(), "tensor") + " that " +
                (in_second ? first : second).name() + " has: " + list_some(names))
          .hint(hint_of_missing(first, second, absent_in_first.size() + absent_in_second.size()));
  if (first.domain.is_part || second.domain.is_part)
    missing.help = "a part of a model combines only with a part of the same names";
  else if (const auto twin = twin_of(names.front(), in_second ? absent_in_first : absent_in_second))
    missing.help = "what is " + quoted(names.front()) + " in one may be " + quoted(*twin) +
                   " in the other: do they follow one naming?";
  if (in_second && !absent_in_first.empty())
    missing.notes.push_back({{}, first.name() + " in turn lacks " + list_some(absent_in_first)});
  missing.tensor = names.front();
  findings.push_back(std::move(missing));
}

void find_other_shapes(const Compared& first, const Compared& second, Span span, Diagnostics& findings) {
  const Tensor *one = nullptr, *other = nullptr;
  std::vector<std::string> more;
  for (const Tensor& tensor : first.domain.tensors) {
    const Tensor* twin = find_tensor(second.domain, tensor.name);
    if (!twin || twin->shape == tensor.shape) continue;
    if (one) {
      more.push_back(tensor.name);
    } else {
      one = &tensor;
      other = twin;
    }
  }
  if (!one) return;
  Diagnostic shape = error(DiagnosticKind::shape_mismatch, span,
                           "tensor " + quoted(one->name) + " is " + format_shape(one->shape) + " in " + first.name() +
                               " and " + format_shape(other->shape) + " in " + second.name())
                         .hint(hint_of_shapes(*one, *other));
  shape.tensor = one->name;
  if (!more.empty()) shape.notes.push_back({{}, "the shapes of " + list_some(more) + " differ, too"});
  findings.push_back(std::move(shape));
}

// All that keeps two operands from being combined.
[[noreturn]] void fail_alignment(SpaceContext& context, NodeId a, NodeId b) {
  const Compared first{context.graph.domain(context.graph[a].domain), path_of_operand(context, a)};
  const Compared second{context.graph.domain(context.graph[b].domain), path_of_operand(context, b)};
  Diagnostics findings;
  find_missing(first, second, context.span, findings);
  find_other_shapes(first, second, context.span, findings);
  ROUX_CHECK(!findings.empty());
  Diagnostic whole = std::move(findings.front());  // one finding for one operation, with all its reasons
  for (std::size_t i = 1; i < findings.size(); ++i) {
    whole.notes.push_back({{}, findings[i].message});
    whole.notes.insert(whole.notes.end(), findings[i].notes.begin(), findings[i].notes.end());
  }
  for (const Compared* operand : {&first, &second})
    if (operand->path) whole.checkpoints.push_back(*operand->path);
  fail(std::move(whole));
}

// What is only chosen by name is not computed yet.
void refuse_quantized(SpaceContext& context, NodeId id) {
  const Node& node = context.graph[id];
  if (node.kind == NodeKind::by_name)
    for (NodeId arm : node.operands) refuse_quantized(context, arm);
  if (node.kind != NodeKind::source) return;
  const Checkpoint& checkpoint = context.host.checkpoint(node.attribute);
  if (!checkpoint.quantized()) return;
  fail(error(DiagnosticKind::quantized, context.span,
             quoted(checkpoint.path()) + " is quantized (" + *checkpoint.quantized() +
                 "); its numbers cannot be merged")
           .hint("dequantize it first, or use the original checkpoint; copying it is allowed")
           .about("", {checkpoint.path()}));
}

}  // namespace

void fail_lacking(SpaceContext& context, const Data& data, const std::vector<std::string>& names) {
  const Domain& own = context.graph.domain(context.graph[data.node].domain);
  std::vector<std::string> missing;
  for (const std::string& name : names)
    if (!find_tensor(own, name)) missing.push_back(name);
  const std::optional<std::string> path = path_of_operand(context, data.node);
  fail(error(DiagnosticKind::missing_tensor, context.span,
             Compared{own, path}.name() + " lacks " + format_count(missing.size(), "tensor") +
                 " of this arm: " + list_some(missing))
           .hint("the value of an arm must have all the tensors that the arm is for")
           .about(missing.front(), path ? std::vector<std::string>{*path} : std::vector<std::string>()));
}

void refuse_part(SpaceContext& context, const Data& data, const std::string& done, const std::string& how) {
  const DomainId domain = context.graph[data.node].domain;
  if (domain == kNone || !context.graph.domain(domain).is_part) return;
  fail(error(DiagnosticKind::is_part, context.span,
             "this is a part of a model (" + format_count(context.graph.domain(domain).tensors.size(), "tensor") +
                 "), and only whole ones are " + done)
           .hint("if a part is wanted, say so: `" + how + "`"));
}

std::string tensor_name_hint(const Domain& domain, const std::string& pattern) {
  std::vector<std::string> names;
  for (const Tensor& tensor : domain.tensors) names.push_back(tensor.name);
  if (auto near = nearest(pattern, names)) return "nearest is " + quoted(*near);
  return "tensors are called " + list_some(names) + "; `*` stands for any letters, dots too";
}

void check_alignment(SpaceContext& context, std::span<const Data> operands) {
  for (const Data& data : operands) refuse_quantized(context, data.node);
  check_domains(context, operands);
}

void check_domains(SpaceContext& context, std::span<const Data> operands) {
  NodeId reference = kNone;
  for (const Data& data : operands) {
    const Node& node = context.graph[data.node];
    if (node.level == Level::recipe || node.domain == kNone) continue;
    if (reference == kNone)
      reference = data.node;
    else if (context.graph[reference].domain != node.domain)
      fail_alignment(context, reference, data.node);
  }
}

std::uint64_t counted_elements(SpaceContext& context, NodeId node) {
  const Domain& domain = context.graph.domain(context.graph[node].domain);
  std::set<std::string> copies;
  for (std::uint32_t source : operand_sources_of(context.graph, node))
    for (const TiedTensor& tied : tied_tensors(context.host.checkpoint(source)))
      if (find_tensor(domain, tied.copy) && find_tensor(domain, tied.original)) copies.insert(tied.copy);
  std::uint64_t count = domain.element_count;
  for (const std::string& copy : copies) count -= find_tensor(domain, copy)->element_count;
  return count;
}

Domain domain_of(const Checkpoint& checkpoint) {
  Domain domain;
  for (const TensorInfo& tensor : checkpoint.tensors())
    if (is_floating(tensor.dtype)) domain.tensors.push_back({tensor.name, tensor.shape, tensor.element_count});
  return domain;
}

namespace {

// Depth first, in the order of the operands.
std::vector<std::uint32_t> find_sources(const Graph& graph, std::span<const NodeId> roots, bool with_measured) {
  std::vector<std::uint32_t> sources;
  std::unordered_set<NodeId> seen;
  std::vector<NodeId> pending(roots.rbegin(), roots.rend());
  while (!pending.empty()) {
    const NodeId id = pending.back();
    pending.pop_back();
    if (id == kNone || !seen.insert(id).second) continue;
    const Node& node = graph[id];
    if (!with_measured && node.level == Level::recipe) continue;
    if (node.kind == NodeKind::source) sources.push_back(node.attribute);
    for (auto it = node.operands.rbegin(); it != node.operands.rend(); ++it) pending.push_back(*it);
  }
  return sources;
}

}  // namespace

std::vector<std::uint32_t> sources_of(const Graph& graph, std::span<const NodeId> roots) {
  return find_sources(graph, roots, true);
}

std::vector<std::uint32_t> operand_sources_of(const Graph& graph, NodeId root) {
  return find_sources(graph, {&root, 1}, false);
}

std::vector<NodeId> foreign_numbers_of(const Graph& graph, const std::vector<NodeId>& roots, DomainId domain) {
  std::vector<NodeId> numbers;
  for (NodeId id : reachable(graph, roots)) {
    const Node& node = graph[id];
    const bool measured = node.kind == NodeKind::reduction || node.kind == NodeKind::largest;
    if (measured && node.scope == Level::recipe && !graph.includes(domain, node.domain)) numbers.push_back(id);
  }
  return numbers;
}

}  // namespace roux
