// The dataflow graph: what a recipe wants computed, before anything is decided about how. Nodes are
// appended and hash-consed, so equal expressions are one node, ids ascend in dependency order, and there is
// no common-subexpression or dead-code pass. Building is where the language's definitions of arithmetic
// live: a maximal linear combination is one node (LANGUAGE, "Arithmetic"), numbers fold.
// A node has a level: one number for the recipe, one per tensor, row or column of its matrix view, or one per
// element. It ranges over a list of tensors, its domain (domain.h); a value taken apart by names ranges over a
// part of one. It knows nothing of files; a source is an index that the session gives meaning to.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "compiler/graph/domain.h"
#include "runtime/kernel/kernel.h"
#include "runtime/kernel/plan.h"

namespace roux {

using NodeId = std::uint32_t;
using DomainId = std::uint32_t;

// A choice of tensors by their names.
struct NamePattern {
  enum class Kind : std::uint8_t { glob, regex };  // a glob fits the whole name, a regex some part of it
  Kind kind = Kind::glob;
  std::string text;
  bool operator==(const NamePattern&) const = default;
};

// Whether a name fits; nothing where the pattern is no regex.
using NameTest = std::function<bool(const std::string& name)>;
std::optional<NameTest> test_of(const NamePattern& pattern);

enum class NodeKind : std::uint8_t {
  constant,   // `constant`; level recipe
  unknown,    // a number that only a run will tell (a score, in a rehearsal); `attribute` tells them apart
  fact,       // TensorFact `attribute` of the tensor at hand
  source,     // checkpoint `attribute`; level element
  operation,  // op(operands)
  linear,     // operands: [constant or kNone, coefficient, value, coefficient, value, ...]
  uniform,    // operands: [stream]; `constant` is the seed
  normal,
  bernoulli,  // operands: [stream, p]
  reduction,  // ReduceOp `attribute` of operands; its level is its scope
  largest,    // operands: [x, n]; the n-th largest; its level is its scope
  top,        // operands: [x, n]; the mask of the n largest, `scope` says over what
  ordinal,    // operands: [x]; the positions of its elements in ascending order
  named,      // whether the tensor at hand fits pattern `attribute`
  member,     // whether the tensor at hand is one of parts[0]
  by_name,    // operands[i] at the tensors of parts[i]
};

struct Node {
  NodeKind kind;
  ValueType type = ValueType::number;
  Level level = Level::recipe;
  Level scope = Level::recipe;  // reduction, largest, top, ordinal: over each of what, recipe: the whole model
  Op op{};
  std::uint32_t attribute = 0;
  double constant = 0;  // constant: its value; random fields: the seed, a whole number
  DomainId domain = kNone;  // of values finer than the recipe; kNone: takes that of what it meets
  std::vector<std::uint32_t> operands;
  std::vector<DomainId> parts{};

  bool operator==(const Node& other) const;
};

// One addend while a linear combination is built.
struct Term {
  NodeId coefficient;
  NodeId value;
};

class Graph {
 public:
  const Node& operator[](NodeId id) const { return nodes_[id]; }
  std::size_t size() const { return nodes_.size(); }

  DomainId intern(Domain domain);
  const Domain& domain(DomainId id) const { return domains_[id]; }
  std::size_t domain_count() const { return domains_.size(); }
  // Whether every tensor of `part` is one of `whole`.
  bool includes(DomainId whole, DomainId part) const;
  const NamePattern& pattern(std::uint32_t index) const { return patterns_[index]; }

  NodeId constant(double value);
  NodeId unknown();
  NodeId fact(TensorFact fact);
  NodeId source(std::uint32_t index, DomainId domain);

  // Folds where every operand is a constant. Operands finer than others lift the result's level; whoever
  // builds sees to it that domains agree.
  NodeId operation(Op op, std::vector<NodeId> operands);

  // constant + sum of coefficient * value, flattened: a value that is itself a linear combination is
  // replaced by its terms; equal values are merged, terms whose coefficient is the constant 0 left out.
  // Coefficients are coarser than elements; so is the constant, which adds up numbers. Terms stand in the order in which their values were made
  // (sources: loaded), so that the order in which a recipe lists them does not matter, to the bit.
  NodeId linear(const std::vector<Term>& terms);
  // The same with nothing flattened, merged or ordered: for passes, which must not change what is rounded
  // where. `constant`: kNone if there is none.
  NodeId linear_as_given(NodeId constant, const std::vector<Term>& terms);
  NodeId add(NodeId a, NodeId b);
  NodeId subtract(NodeId a, NodeId b);
  NodeId scale(NodeId coefficient, NodeId value);
  NodeId multiply(NodeId a, NodeId b);  // linear if one is coarser than elements
  NodeId divide(NodeId a, NodeId b);    // by a number: times its reciprocal
  NodeId power(NodeId a, NodeId b);     // whole constant exponents up to 64: repeated multiplication

  NodeId mask(NodeId value);            // a number as a mask: value != 0
  NodeId number(NodeId value);          // a mask as a number: 0 or 1

  NodeId random(NodeKind kind, double seed, NodeId stream, std::optional<NodeId> p);
  NodeId reduce(ReduceOp op, Level scope, NodeId a, NodeId b = kNone);
  NodeId largest(NodeId x, NodeId n, Level scope);
  NodeId top(NodeId x, NodeId n, Level scope);
  NodeId ordinal(NodeId x, Level scope);

  // Per tensor, by its name. The parts lie apart and make up `whole`; each value ranges over its part, or over
  // no tensors of its own.
  NodeId named(const NamePattern& pattern);  // a valid one
  NodeId by_name(std::vector<NodeId> values, std::vector<DomainId> parts, DomainId whole);
  // The value at the tensors of `part` alone. What was reduced over a whole model stays what it was: only
  // what is computed for each tensor or element is taken apart.
  NodeId restrict(NodeId value, DomainId part);

  // A node of the same kind with other operands, for passes: level, scope and domain stay. Not for operations
  // and linear combinations, which fold.
  NodeId rebuilt(const Node& like, std::vector<NodeId> operands);

  std::optional<double> constant_value(NodeId id) const;
  // Whether the value of a recipe-level number needs tensors to be read.
  bool is_deferred(NodeId id) const;

 private:
  NodeId add_node(Node node);
  NodeId member(DomainId part);
  NodeId restricted(NodeId id, DomainId part, const std::unordered_map<NodeId, NodeId>& done);
  void inherit(Node& node, const std::vector<NodeId>& from) const;

  std::vector<Node> nodes_;
  std::vector<NodeId> origins_;  // by node: the one that it is a part of; itself if none
  std::deque<Domain> domains_;  // references to them stay good
  std::vector<NamePattern> patterns_;
  mutable std::map<std::pair<DomainId, DomainId>, bool> included_;
  std::unordered_multimap<std::uint64_t, NodeId> by_hash_;
  std::uint32_t unknown_count_ = 0;
};

// All that the roots need, operands first.
std::vector<NodeId> reachable(const Graph& graph, const std::vector<NodeId>& roots);

const char* name_of(NodeKind kind);
const char* name_of(ReduceOp op);
const char* name_of(TensorFact fact);

// `(linear 1 s0, -1 s1)`: for tests and for `roux plan`.
std::string dump(const Graph& graph, NodeId root);

}  // namespace roux
