#include "compiler/graph/graph.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <set>

#include "base/text.h"
#include "compiler/graph/facts.h"
#include "runtime/kernel/semantics.h"

namespace roux {
namespace {

void mix(std::uint64_t& hash, std::uint64_t value) {
  hash ^= value + 0x9E3779B97F4A7C15ull + (hash << 6) + (hash >> 2);
}

std::uint64_t hash_of(const Node& node) {
  std::uint64_t hash = static_cast<std::uint64_t>(node.kind);
  mix(hash, static_cast<std::uint64_t>(node.op));
  mix(hash, static_cast<std::uint64_t>(node.scope));
  mix(hash, node.attribute);
  mix(hash, std::bit_cast<std::uint64_t>(node.constant));
  mix(hash, node.domain);
  for (std::uint32_t operand : node.operands) mix(hash, operand);
  for (DomainId part : node.parts) mix(hash, part);
  return hash;
}

std::uint64_t hash_of(const Domain& domain) {
  std::uint64_t hash = domain.tensors.size();
  for (const Domain::Tensor& tensor : domain.tensors) mix(hash, std::hash<std::string>{}(tensor.name));
  return hash;
}

}  // namespace

bool Node::operator==(const Node& other) const {
  return kind == other.kind && op == other.op && scope == other.scope && attribute == other.attribute &&
         std::bit_cast<std::uint64_t>(constant) == std::bit_cast<std::uint64_t>(other.constant) &&
         domain == other.domain && operands == other.operands && parts == other.parts;
}

DomainId Graph::intern(Domain domain) {
  for (DomainId id = 0; id < domains_.size(); ++id) {
    if (hash_of(domains_[id]) != hash_of(domain) || domains_[id] != domain) continue;
    domains_[id].is_part = domains_[id].is_part && domain.is_part;
    return id;
  }
  domain.element_count = 0;
  for (const Domain::Tensor& tensor : domain.tensors) domain.element_count += tensor.element_count;
  if (!domain.facts_told) tell_facts(domain);
  domains_.push_back(std::move(domain));
  return static_cast<DomainId>(domains_.size() - 1);
}

bool Graph::includes(DomainId whole, DomainId part) const {
  if (whole == part) return true;
  const auto [it, fresh] = included_.emplace(std::pair(whole, part), false);
  if (fresh) it->second = roux::includes(domains_[whole], domains_[part]);
  return it->second;
}

NodeId Graph::add_node(Node node) {
  const std::uint64_t hash = hash_of(node);
  auto [first, last] = by_hash_.equal_range(hash);
  for (auto it = first; it != last; ++it)
    if (nodes_[it->second] == node) return it->second;
  nodes_.push_back(std::move(node));
  const NodeId id = static_cast<NodeId>(nodes_.size() - 1);
  origins_.push_back(id);
  by_hash_.emplace(hash, id);
  return id;
}

// Level and domain of a node that is computed element by element from others.
void Graph::inherit(Node& node, const std::vector<NodeId>& from) const {
  for (NodeId id : from) {
    node.level = join(node.level, nodes_[id].level);
    // A number for the recipe may have been measured on other tensors than those it is used on.
    if (node.domain == kNone && nodes_[id].level != Level::recipe) node.domain = nodes_[id].domain;
  }
}

NodeId Graph::constant(double value) {
  return add_node({.kind = NodeKind::constant, .constant = value});
}

NodeId Graph::unknown() {
  return add_node({.kind = NodeKind::unknown, .attribute = unknown_count_++});
}

NodeId Graph::fact(TensorFact fact) {
  return add_node({.kind = NodeKind::fact, .level = Level::tensor,
                   .attribute = static_cast<std::uint32_t>(fact)});
}

NodeId Graph::source(std::uint32_t index, DomainId domain) {
  return add_node({.kind = NodeKind::source, .level = Level::element, .attribute = index,
                   .domain = domain});
}

std::optional<double> Graph::constant_value(NodeId id) const {
  if (nodes_[id].kind != NodeKind::constant) return std::nullopt;
  return nodes_[id].constant;
}

bool Graph::is_deferred(NodeId id) const {
  return nodes_[id].level == Level::recipe && nodes_[id].kind != NodeKind::constant;
}

NodeId Graph::operation(Op op, std::vector<NodeId> operands) {
  const OpFacts& facts = facts_of(op);
  for (int i = 0; i < facts.arity; ++i)  // masks and numbers convert freely, as 0 and 1
    operands[i] = facts.operands[i] == ValueType::mask ? mask(operands[i]) : number(operands[i]);
  if (facts.commutative && operands[1] < operands[0]) std::swap(operands[0], operands[1]);

  const bool all_constant = std::all_of(operands.begin(), operands.end(), [&](NodeId id) {
    return nodes_[id].kind == NodeKind::constant;
  });
  if (all_constant) {
    double values[3] = {0, 0, 0};
    for (std::size_t i = 0; i < operands.size(); ++i) values[i] = nodes_[operands[i]].constant;
    Node folded{.kind = NodeKind::constant, .constant = apply_scalar(op, values[0], values[1], values[2])};
    return add_node(std::move(folded));
  }
  Node node{.kind = NodeKind::operation, .type = facts.result, .op = op};
  inherit(node, operands);
  node.operands = std::move(operands);
  return add_node(std::move(node));
}

// Constants stand for masks as well as for numbers: their kind of operand is told by the operation.
NodeId Graph::mask(NodeId value) {
  if (nodes_[value].type == ValueType::mask) return value;
  if (auto known = constant_value(value)) return constant(*known != 0 ? 1 : 0);
  return operation(Op::ne, {value, constant(0)});
}

NodeId Graph::number(NodeId value) {
  if (nodes_[value].type == ValueType::number) return value;
  return operation(Op::to_number, {value});
}

NodeId Graph::linear_as_given(NodeId constant_part, const std::vector<Term>& terms) {
  const bool has_constant = constant_part != kNone;
  if (terms.empty()) return has_constant ? constant_part : constant(0);
  if (!has_constant && terms.size() == 1 && constant_value(terms[0].coefficient) == 1.0)
    return terms[0].value;
  Node node{.kind = NodeKind::linear};
  node.operands.push_back(constant_part);
  std::vector<NodeId> from;
  for (const Term& term : terms) {
    node.operands.push_back(term.coefficient);
    node.operands.push_back(term.value);
    from.push_back(term.coefficient);
    from.push_back(term.value);
  }
  if (has_constant) from.push_back(constant_part);
  inherit(node, from);
  return add_node(std::move(node));
}

namespace {

// Collects the flattened terms of one linear combination, merging equal values. Numbers of rows and of columns
// never become one coefficient, which would be one of elements.
struct LinearBuilder {
  Graph& graph;
  bool element_level;
  std::vector<Term> terms{};
  std::vector<Term> numbers{};  // addends coarser than elements; they become the constant
  std::vector<Term> column_numbers{};  // of those that cannot be added to numbers of rows
  std::unordered_map<NodeId, std::size_t> index{};
  double constant = 0;
  bool has_constant = false;
  NodeId element = kNone;  // some addend of element level, to hold the domain if all terms cancel

  void add_constant(double value) {
    constant = has_constant ? constant + value : value;
    has_constant = true;
  }

  Level joined(NodeId a, NodeId b) const { return join(graph[a].level, graph[b].level); }

  // A linear combination whose coefficients can take one more factor.
  bool can_flatten(NodeId coefficient, const Node& node) const {
    if (node.level != Level::element) return graph.constant_value(coefficient).has_value();
    if (node.operands[0] != kNone && joined(coefficient, node.operands[0]) == Level::element) return false;
    for (std::size_t i = 1; i < node.operands.size(); i += 2)
      if (joined(coefficient, node.operands[i]) == Level::element) return false;
    return true;
  }

  void add_number(NodeId coefficient, NodeId value) {
    const Level level = joined(coefficient, value);
    if (level == Level::element) return add_term(graph.constant(1), graph.operation(Op::mul, {coefficient, value}));
    (level == Level::column ? column_numbers : numbers).push_back({coefficient, value});
  }

  void add_term(NodeId coefficient, NodeId value) {
    auto [it, fresh] = index.emplace(value, terms.size());
    if (fresh || joined(terms[it->second].coefficient, coefficient) == Level::element) {
      terms.push_back({coefficient, value});
    } else {
      Term& term = terms[it->second];
      term.coefficient = graph.add(term.coefficient, coefficient);
    }
  }

  void add(NodeId coefficient, NodeId value) {
    value = graph.number(value);
    const Node& node = graph[value];
    const auto known = graph.constant_value(coefficient);
    if (node.level == Level::element && element == kNone) element = value;
    if (known == 0.0) return;
    if (node.kind == NodeKind::constant && known) return add_constant(*known * node.constant);
    if (node.kind == NodeKind::constant) return add(value, coefficient);
    // A number's combination is looked into only where the coefficient is constant: elsewhere it is a
    // product of numbers, computed as written.
    if (node.kind == NodeKind::linear && can_flatten(coefficient, node)) {
      const std::vector<std::uint32_t> operands = node.operands;  // the graph may grow below
      if (operands[0] != kNone) add(coefficient, operands[0]);
      for (std::size_t i = 1; i < operands.size(); i += 2)
        add(graph.multiply(coefficient, operands[i]), operands[i + 1]);
      return;
    }
    if (element_level && node.level != Level::element) return add_number(coefficient, value);
    add_term(coefficient, value);
  }
};

}  // namespace

NodeId Graph::linear(const std::vector<Term>& given) {
  Level level = Level::recipe;
  for (const Term& term : given)
    level = join(level, join(nodes_[term.coefficient].level, nodes_[term.value].level));
  const bool element_level = level == Level::element;
  LinearBuilder builder{.graph = *this, .element_level = element_level};
  for (const Term& term : given) builder.add(term.coefficient, term.value);
  std::erase_if(builder.terms, [&](const Term& term) { return constant_value(term.coefficient) == 0.0; });

  // A part of a value stands where the whole would, whichever was made first.
  const auto place = [&](const Term& term) { return std::pair(origins_[term.value], term.value); };
  std::sort(builder.terms.begin(), builder.terms.end(),
            [&](const Term& a, const Term& b) {
              return std::pair(place(a), a.coefficient) < std::pair(place(b), b.coefficient);
            });
  NodeId constant_part = kNone;
  if (builder.has_constant && builder.constant != 0) constant_part = constant(builder.constant);
  if (!builder.column_numbers.empty()) {
    const bool alone = std::all_of(builder.numbers.begin(), builder.numbers.end(), [&](const Term& term) {
      return join(nodes_[term.coefficient].level, nodes_[term.value].level) != Level::row;
    });
    if (alone) {
      builder.numbers.insert(builder.numbers.end(), builder.column_numbers.begin(), builder.column_numbers.end());
    } else {  // so many ones, each column's
      builder.terms.push_back({linear(builder.column_numbers), constant(1)});
    }
  }
  if (!builder.numbers.empty()) {
    if (constant_part != kNone) builder.numbers.push_back({constant(1), constant_part});
    constant_part = linear(builder.numbers);
  }
  if (builder.terms.empty() && builder.element != kNone)
    builder.terms.push_back({constant(0), builder.element});
  return linear_as_given(constant_part, builder.terms);
}

NodeId Graph::add(NodeId a, NodeId b) {
  const NodeId one = constant(1);
  return linear({{one, a}, {one, b}});
}

NodeId Graph::subtract(NodeId a, NodeId b) {
  const NodeId one = constant(1), minus_one = constant(-1);
  return linear({{one, a}, {minus_one, b}});
}

NodeId Graph::scale(NodeId coefficient, NodeId value) { return linear({{coefficient, value}}); }

NodeId Graph::multiply(NodeId a, NodeId b) {
  a = number(a);
  b = number(b);
  const auto known_a = constant_value(a), known_b = constant_value(b);
  if (known_a && known_b) return constant(*known_a * *known_b);
  if (known_a == 1.0) return b;
  if (known_b == 1.0) return a;
  const bool a_is_element = nodes_[a].level == Level::element;
  const bool b_is_element = nodes_[b].level == Level::element;
  if (a_is_element && b_is_element) return operation(Op::mul, {a, b});
  if (b_is_element || known_a) return scale(a, b);
  if (a_is_element || known_b) return scale(b, a);
  return operation(Op::mul, {a, b});
}

NodeId Graph::divide(NodeId a, NodeId b) {
  a = number(a);
  b = number(b);
  const bool a_is_element = nodes_[a].level == Level::element;
  const bool b_is_element = nodes_[b].level == Level::element;
  if (a_is_element && !b_is_element) return scale(operation(Op::div, {constant(1), b}), a);
  if (auto known = constant_value(b); known && nodes_[a].kind != NodeKind::constant)
    return scale(constant(1 / *known), a);
  return operation(Op::div, {a, b});
}

// Whole powers are squared and multiplied from the lowest bit up, as `pow` itself does.
NodeId Graph::power(NodeId a, NodeId b) {
  constexpr double kWholePowers = 64;
  const auto exponent = constant_value(b);
  if (constant_value(a) || !exponent || *exponent != std::floor(*exponent) ||
      std::fabs(*exponent) > kWholePowers || *exponent == 0)
    return operation(Op::pow, {a, b});
  NodeId square = number(a), product = kNone;
  for (int n = static_cast<int>(std::fabs(*exponent)); n > 0; n /= 2) {
    if (n % 2 == 1) product = product == kNone ? square : operation(Op::mul, {product, square});
    if (n > 1) square = operation(Op::mul, {square, square});
  }
  return *exponent > 0 ? product : operation(Op::div, {constant(1), product});
}

NodeId Graph::random(NodeKind kind, double seed, NodeId stream, std::optional<NodeId> p) {
  Node node{.kind = kind, .type = p ? ValueType::mask : ValueType::number, .level = Level::element,
            .constant = seed, .operands = {stream}};
  if (p) node.operands.push_back(*p);
  if (p && nodes_[*p].level != Level::recipe) node.domain = nodes_[*p].domain;
  return add_node(std::move(node));
}

NodeId Graph::reduce(ReduceOp op, Level scope, NodeId a, NodeId b) {
  Node node{.kind = NodeKind::reduction, .level = scope, .scope = scope,
            .attribute = static_cast<std::uint32_t>(op)};
  if (b != kNone && b < a) std::swap(a, b);  // dot is symmetric
  node.operands = {a};
  if (b != kNone) node.operands.push_back(b);
  node.domain = nodes_[a].domain != kNone || b == kNone ? nodes_[a].domain : nodes_[b].domain;
  return add_node(std::move(node));
}

NodeId Graph::largest(NodeId x, NodeId n, Level scope) {
  return add_node({.kind = NodeKind::largest, .level = scope, .scope = scope,
                   .domain = nodes_[x].domain, .operands = {number(x), n}});
}

NodeId Graph::top(NodeId x, NodeId n, Level scope) {
  return add_node({.kind = NodeKind::top, .type = ValueType::mask, .level = Level::element, .scope = scope,
                   .domain = nodes_[x].domain, .operands = {number(x), n}});
}

NodeId Graph::ordinal(NodeId x, Level scope) {
  return add_node({.kind = NodeKind::ordinal, .level = Level::element, .scope = scope,
                   .domain = nodes_[x].domain, .operands = {number(x)}});
}

std::vector<NodeId> reachable(const Graph& graph, const std::vector<NodeId>& roots) {
  std::set<NodeId> seen;
  std::vector<NodeId> pending = roots;
  while (!pending.empty()) {
    const NodeId id = pending.back();
    pending.pop_back();
    if (id == kNone || !seen.insert(id).second) continue;
    for (NodeId operand : graph[id].operands) pending.push_back(operand);
  }
  return {seen.begin(), seen.end()};  // ids ascend in dependency order
}

}  // namespace roux
