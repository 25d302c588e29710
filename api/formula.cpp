#include "api/formula.h"

#include <algorithm>
#include <filesystem>

#include "base/text.h"

namespace roux {

// --- names ------------------------------------------------------------------------------------------

NodeNames::NodeNames(const Graph& graph, const Inputs& inputs, const Environment& scope) : inputs_(inputs) {
  const auto& values = scope.values();
  for (const auto& [name, value] : values)  // names of their own come before places in lists
    if (value.is<Data>() && name != "_") add(name, value, graph);
  for (const auto& [name, value] : values)
    if (!value.is<Data>() && name != "_") add(name, value, graph);
}

void NodeNames::add(const std::string& name, const Value& value, const Graph& graph) {
  if (auto* data = value.get<Data>()) {
    const Node& node = graph[data->node];
    if (node.kind != NodeKind::constant && node.kind != NodeKind::fact) names_.emplace(data->node, name);
  } else if (auto* list = value.get<List>()) {
    add_items(name, list->items, graph);
  } else if (auto* soup = value.get<Soup>()) {
    add_items(name, {soup->ingredients.begin(), soup->ingredients.end()}, graph);
  } else if (auto* record = value.get<Record>()) {
    for (const auto& [field, item] : record->fields) add(name + "." + field, item, graph);
  }
}

void NodeNames::add_items(const std::string& name, const std::vector<Value>& items, const Graph& graph) {
  std::set<NodeId> nodes;
  for (std::size_t i = 0; i < items.size(); ++i) {
    add(name + "[" + std::to_string(i) + "]", items[i], graph);
    if (auto* data = items[i].get<Data>()) nodes.insert(data->node);
  }
  if (nodes.size() == items.size() && nodes.size() > 1) lists_.emplace(std::move(nodes), name);
}

const std::string* NodeNames::of(NodeId node) const {
  const auto found = names_.find(node);
  return found == names_.end() ? nullptr : &found->second;
}

const std::string* NodeNames::of_list(std::set<NodeId> nodes) const {
  const auto found = lists_.find(nodes);
  return found == lists_.end() ? nullptr : &found->second;
}

std::string NodeNames::of_source(std::uint32_t source) const {
  return string_literal(std::filesystem::path(inputs_.all()[source]->path()).stem().string());
}

// --- formulas ---------------------------------------------------------------------------------------

namespace {

constexpr std::size_t kTerms = 8;  // of a sum or a list that are written
constexpr char kMore[] = "…";

enum class Binds : unsigned char { comparison, sum, product, power, tightly };

struct Piece {
  std::string text;
  Binds binds = Binds::tightly;
};

std::string inside(const Piece& piece, Binds least) {
  return piece.binds < least ? "(" + piece.text + ")" : piece.text;
}

struct Infix {
  Op op;
  const char* sign;
  Binds binds;
};

constexpr Infix kInfix[] = {
    {Op::mul, "·", Binds::product},           {Op::div, " / ", Binds::product},
    {Op::pow, "^", Binds::power},             {Op::lt, " < ", Binds::comparison},
    {Op::le, " <= ", Binds::comparison},      {Op::eq, " == ", Binds::comparison},
    {Op::ne, " != ", Binds::comparison},      {Op::logical_and, " and ", Binds::comparison},
    {Op::logical_or, " or ", Binds::comparison},
};

class Writer {
 public:
  Writer(const Graph& graph, NodeId root, const NodeNames& names, int depth, Digits digits)
      : graph_(graph), root_(root), names_(names), depth_(depth), digits_(digits) {}

  Piece piece(NodeId id, int depth) {
    if (budget_ == 0) return {kMore};
    --budget_;
    if (id != root_)
      if (const std::string* name = names_.of(id)) return {*name};
    const Node& node = graph_[id];
    switch (node.kind) {
      case NodeKind::constant: return constant(node.constant);
      case NodeKind::unknown: return {"?"};
      case NodeKind::fact: return {name_of(static_cast<TensorFact>(node.attribute))};
      case NodeKind::source: return {names_.of_source(node.attribute)};
      default: break;
    }
    if (depth >= depth_) return {kMore};
    if (node.kind == NodeKind::linear) return linear(node, depth + 1);
    if (node.kind == NodeKind::operation) return operation(node, depth + 1);
    return call(node, depth + 1);
  }

 private:
  Piece constant(double value) const {
    if (digits_ == Digits::all) return {format_number(value), value < 0 ? Binds::sum : Binds::tightly};
    return {format_digits(value, 6), value < 0 ? Binds::sum : Binds::tightly};
  }

  std::string list(const std::vector<std::string>& items, const char* separator) const {
    std::vector<std::string> shown(items.begin(), items.begin() + std::min(items.size(), kTerms));
    if (items.size() > kTerms) shown.emplace_back(kMore);
    return join(shown, separator);
  }

  // All terms with one coefficient: a sum or a mean.
  Piece evenly(double coefficient, const std::vector<NodeId>& values, int depth) {
    const bool is_mean = coefficient == 1.0 / static_cast<double>(values.size());
    if (const std::string* name = names_.of_list({values.begin(), values.end()})) {
      if (is_mean) return {"mean(" + *name + ")"};
      const std::string sum = "sum(" + *name + ")";
      if (coefficient == 1) return {sum};
      return {inside(constant(coefficient), Binds::product) + "·" + sum, Binds::product};
    }
    std::vector<std::string> terms;
    for (NodeId value : values) terms.push_back(inside(piece(value, depth), is_mean ? Binds::comparison : Binds::sum));
    if (is_mean) return {"mean(" + list(terms, ", ") + ")"};
    const std::string sum = list(terms, " + ");
    if (coefficient == 1) return {sum, Binds::sum};
    return {inside(constant(coefficient), Binds::product) + "·(" + sum + ")", Binds::product};
  }

  // Terms that are taken away come last.
  Piece linear(const Node& node, int depth) {
    std::vector<NodeId> values;
    std::set<std::optional<double>> coefficients;
    std::vector<std::string> plus, minus;
    if (node.operands[0] != kNone) plus.push_back(inside(piece(node.operands[0], depth), Binds::sum));
    for (std::size_t i = 1; i < node.operands.size(); i += 2) {
      const auto known = graph_.constant_value(node.operands[i]);
      coefficients.insert(known);
      values.push_back(node.operands[i + 1]);
      const std::string value = inside(piece(node.operands[i + 1], depth), Binds::product);
      if (known && std::abs(*known) == 1) {
        (*known < 0 ? minus : plus).push_back(value);
        continue;
      }
      const Piece factor = known ? constant(std::abs(*known)) : piece(node.operands[i], depth);
      (known && *known < 0 ? minus : plus).push_back(inside(factor, Binds::product) + "·" + value);
    }
    if (node.operands[0] == kNone && values.size() > 1 && coefficients.size() == 1 && *coefficients.begin() &&
        **coefficients.begin() > 0)
      return evenly(**coefficients.begin(), values, depth);
    std::string text = list(plus, " + ");
    if (!minus.empty()) text += (text.empty() ? "-" : " - ") + list(minus, " - ");
    return {text, plus.size() + minus.size() > 1 || plus.empty() ? Binds::sum : Binds::product};
  }

  Piece operation(const Node& node, int depth) {
    const auto operand = [&](std::size_t i) { return piece(node.operands[i], depth); };
    if (node.op == Op::to_number) return operand(0);
    if (node.op == Op::neg) return {"-" + inside(operand(0), Binds::product), Binds::sum};
    if (node.op == Op::logical_not) return {"not " + inside(operand(0), Binds::sum), Binds::comparison};
    if (node.op == Op::sqrt)
      if (const Node& square = graph_[node.operands[0]];
          square.kind == NodeKind::reduction && static_cast<ReduceOp>(square.attribute) == ReduceOp::dot &&
          square.operands[0] == square.operands[1])
        return {"norm(" + piece(square.operands[0], depth).text + over(square) + ")"};
    for (const Infix& infix : kInfix) {
      if (infix.op != node.op) continue;
      const auto next = static_cast<Binds>(static_cast<int>(infix.binds) + 1);
      return {inside(operand(0), next) + infix.sign + inside(operand(1), next), infix.binds};
    }
    return called(std::string(name_of(node.op)), node.operands, "", depth);
  }

  Piece call(const Node& node, int depth) {
    switch (node.kind) {
      case NodeKind::reduction: {
        std::vector<NodeId> operands;
        for (NodeId operand : node.operands)
          if (operand != kNone) operands.push_back(operand);
        return called(name_of(static_cast<ReduceOp>(node.attribute)), operands, over(node), depth);
      }
      case NodeKind::largest:
      case NodeKind::top: return called(name_of(node.kind), node.operands, over(node), depth);
      case NodeKind::by_name: return called("match", node.operands, "", depth);
      default: return called(name_of(node.kind), node.operands, "", depth);
    }
  }

  Piece called(const std::string& name, const std::vector<NodeId>& operands, const std::string& rest,
               int depth) {
    std::vector<std::string> arguments;
    for (NodeId operand : operands) arguments.push_back(piece(operand, depth).text);
    return {name + "(" + list(arguments, ", ") + rest + ")"};
  }

  static std::string over(const Node& node) {
    return ", over = " + std::string(scope_name(node.scope));
  }

  const Graph& graph_;
  NodeId root_;
  const NodeNames& names_;
  int depth_;
  Digits digits_;
  int budget_ = 2000;  // nodes that are written: those that are shared count each time
};

}  // namespace

std::string formula(const Graph& graph, NodeId node, const NodeNames& names, int depth, Digits digits) {
  return Writer(graph, node, names, depth, digits).piece(node, 0).text;
}

}  // namespace roux
