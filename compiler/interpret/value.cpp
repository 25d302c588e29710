#include "compiler/interpret/value.h"

#include <algorithm>

#include "base/text.h"
#include "compiler/interpret/spaces.h"

namespace roux {
namespace {

std::string describe_data(const Data& data, const Graph& graph) {
  const Node& node = graph[data.node];
  if (data.space == Space::number) {
    return node.level == Level::recipe ? "a number" : "a number per " + std::string(scope_name(node.level));
  }
  if (data.space == Space::tensors) return node.type == ValueType::mask ? "a mask" : "tensors";
  if (is_model(graph, data)) return "a model";
  if (is_delta(graph, data)) return "a delta";
  if (auto weight = graph.constant_value(data.weight))
    return "a combination of total weight " + format_number(*weight);
  return "a combination of unknown total weight";
}

std::string data_text(const Data& data, const Graph& graph) {
  std::string text = describe_data(data, graph);
  text.erase(0, text.starts_with("a ") ? 2 : 0);
  const DomainId domain = graph[data.node].domain;
  if (domain == kNone || data.space == Space::number) return "<" + text + ">";
  const Domain& tensors = graph.domain(domain);
  return "<" + text + ": " + format_count(tensors.tensors.size(), "tensor") + ", " +
         format_count(tensors.element_count, "value") + ">";
}

std::string item_text(const Value& value, const Graph& graph) {
  if (auto* text = value.get<std::string>()) return string_literal(*text);
  return to_text(value, graph);
}

std::string items_text(const std::vector<Value>& items, const Graph& graph) {
  std::vector<std::string> parts;
  for (const Value& item : items) parts.push_back(item_text(item, graph));
  return join(parts, ", ");
}

struct KindOf {
  const Graph& graph;
  std::string operator()(const NoneValue&) const { return "none"; }
  std::string operator()(const Poison&) const { return "a value that failed"; }
  std::string operator()(bool) const { return "a bool"; }
  std::string operator()(double) const { return "a number"; }
  std::string operator()(const std::string&) const { return "a string"; }
  std::string operator()(const std::shared_ptr<const List>&) const { return "a list"; }
  std::string operator()(const std::shared_ptr<const Tuple>&) const { return "a tuple"; }
  std::string operator()(const std::shared_ptr<const Record>&) const { return "a record"; }
  std::string operator()(const Function&) const { return "a function"; }
  std::string operator()(const Data& data) const { return describe_data(data, graph); }
  std::string operator()(const std::shared_ptr<const Soup>&) const { return "a soup"; }
  std::string operator()(const std::shared_ptr<const Scorer>&) const { return "a scorer"; }
};

struct TextOf {
  const Graph& graph;
  std::string operator()(const NoneValue&) const { return "none"; }
  std::string operator()(const Poison&) const { return "<failed>"; }
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(double value) const { return format_number(value); }
  std::string operator()(const std::string& value) const { return value; }
  std::string operator()(const std::shared_ptr<const List>& list) const {
    return "[" + items_text(list->items, graph) + "]";
  }
  std::string operator()(const std::shared_ptr<const Tuple>& tuple) const {
    return "(" + items_text(tuple->items, graph) + (tuple->items.size() == 1 ? ",)" : ")");
  }
  std::string operator()(const std::shared_ptr<const Record>& record) const {
    std::vector<std::string> parts;
    for (const auto& [name, value] : record->fields) parts.push_back(name + " = " + item_text(value, graph));
    return "{" + join(parts, ", ") + "}";
  }
  std::string operator()(const Function& function) const {
    if (auto* method = std::get_if<MethodValue>(&function)) return "<method " + method->method->name.text + ">";
    return "<function>";
  }
  std::string operator()(const Data& data) const {
    if (auto known = graph.constant_value(data.node); known && data.space == Space::number)
      return format_number(*known);
    return data_text(data, graph);
  }
  std::string operator()(const std::shared_ptr<const Soup>& soup) const {
    return "<soup of " + format_count(soup->ingredients.size(), "model") + ">";
  }
  std::string operator()(const std::shared_ptr<const Scorer>& scorer) const {
    if (!scorer->host.empty()) return "<scorer " + scorer->host + " of the host>";
    return "<scorer " + string_literal(scorer->command) + ">";
  }
};

}  // namespace

Extent extent_of(const Value& value) {
  if (auto* list = value.get<List>()) return list->extent;
  if (auto* tuple = value.get<Tuple>()) return tuple->extent;
  if (auto* record = value.get<Record>()) return record->extent;
  return {};
}

namespace {

void include(Extent& whole, const Value& part) {
  const Extent extent = extent_of(part);
  whole.items += 1 + extent.items;
  whole.depth = std::max(whole.depth, 1 + extent.depth);
}

}  // namespace

Value::Value(List value) {
  for (const Value& item : value.items) include(value.extent, item);
  variant = std::make_shared<const List>(std::move(value));
}

Value::Value(Tuple value) {
  for (const Value& item : value.items) include(value.extent, item);
  variant = std::make_shared<const Tuple>(std::move(value));
}

Value::Value(Record value) {
  for (const auto& [name, item] : value.fields) include(value.extent, item);
  variant = std::make_shared<const Record>(std::move(value));
}

std::string describe_kind(const Value& value, const Graph& graph) {
  return std::visit(KindOf{graph}, value.variant);
}

std::string to_text(const Value& value, const Graph& graph) {
  return std::visit(TextOf{graph}, value.variant);
}

}  // namespace roux
