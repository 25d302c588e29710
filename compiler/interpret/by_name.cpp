#include "compiler/interpret/by_name.h"

#include <algorithm>

#include "base/text.h"
#include "compiler/interpret/domains.h"
#include "compiler/interpret/evaluator.h"
#include "compiler/interpret/failure.h"

namespace roux {
namespace {

bool ranges_over_tensors(const Graph& graph, const Data& data) {
  return graph[data.node].level != Level::recipe && graph[data.node].domain != kNone;
}

Data taken(SpaceContext& context, const Data& data, DomainId part) {
  Data result = data;
  result.node = context.graph.restrict(data.node, part);
  if (data.base && context.graph.includes(context.graph[data.base->node].domain, part))
    result.base = std::make_shared<const Data>(taken(context, *data.base, part));
  return result;
}

Data restricted(SpaceContext& context, const Data& data, const ArmTensors& tensors) {
  Graph& graph = context.graph;
  if (!ranges_over_tensors(graph, data)) return data;
  Domain part = part_of(graph.domain(graph[data.node].domain),
                        [&](const Domain::Tensor& tensor) { return tensors.contains(tensor.name); });
  return taken(context, data, graph.intern(std::move(part)));
}

template <class F>
std::vector<Value> each_of(const std::vector<Value>& items, F f) {
  std::vector<Value> result;
  for (const Value& item : items) result.push_back(f(item));
  return result;
}

}  // namespace

bool ArmTensors::contains(const std::string& name) const {
  return std::binary_search(names.begin(), names.end(), name);
}

Value restricted(SpaceContext& context, const Value& value, const ArmTensors& tensors) {
  const auto inside = [&](const Value& item) { return restricted(context, item, tensors); };
  if (auto* data = value.get<Data>()) return restricted(context, *data, tensors);
  if (auto* list = value.get<List>()) return List{each_of(list->items, inside)};
  if (auto* tuple = value.get<Tuple>()) return Tuple{each_of(tuple->items, inside)};
  if (auto* record = value.get<Record>()) {
    Record part;
    for (const auto& [name, item] : record->fields) part.fields.emplace_back(name, inside(item));
    return part;
  }
  if (auto* soup = value.get<Soup>()) {
    Soup part{.weights = soup->weights};
    for (const Data& model : soup->ingredients) part.ingredients.push_back(restricted(context, model, tensors));
    return part;
  }
  return value;
}

Value part_by_glob(SpaceContext& context, const Value& value, const std::string& glob) {
  Graph& graph = context.graph;
  const bool is_data = value.is<Data>() || value.is<Soup>();
  const Data data = is_data ? data_of(context, value) : Data{};
  if (!is_data || !ranges_over_tensors(graph, data)) {
    Diagnostic wrong = error(DiagnosticKind::wrong_type, context.span,
                             "a part is taken by name out of a model, a delta or tensors, not out of " +
                                 describe_kind(value, graph));
    if (value.is<List>()) wrong.help = "take it of each: `[m[" + string_literal(glob) + "] for m in models]`";
    if (value.is<Record>()) wrong.help = "a field of a record is written `r.name`";
    fail(std::move(wrong));
  }
  const Domain& whole = graph.domain(graph[data.node].domain);
  Domain part = part_of(whole, [&](const Domain::Tensor& tensor) { return glob_matches(glob, tensor.name); });
  if (part.tensors.empty()) {
    Diagnostic none = error(DiagnosticKind::no_match, context.span, "no tensor is named like " + quoted(glob));
    none.help = tensor_name_hint(whole, glob);
    const auto sources = operand_sources_of(graph, data.node);
    const auto test = [&](const std::string& name) { return glob_matches(glob, name); };
    if (const std::string instead = carried_instead(context.host, sources, test); !instead.empty()) {
      none.message += instead;
      none.help = "a part holds what is computed; a model that is saved whole carries its whole numbers along";
    }
    fail(std::move(none));
  }
  return taken(context, data, graph.intern(std::move(part)));
}

// --- joining ----------------------------------------------------------------------------------------

namespace {

bool is_number_like(const Value& value) { return value.is<double>() || value.is<bool>() || value.is<Data>() || value.is<Soup>(); }

[[noreturn]] void refuse(SpaceContext& context, const Value& value) {
  fail(error(DiagnosticKind::too_fine, context.span,
             "`match name` chooses for each tensor, so an arm cannot be " + describe_kind(value, context.graph) +
                 " where another arm is something else")
           .hint("arms are models, deltas, tensors or numbers, or lists of them that are equally long"));
}

// A string, a function and the like cannot be one for each tensor: whoever takes it decides once.
[[noreturn]] void refuse_difference(SpaceContext& context, const Value& value) {
  const std::string kind = describe_kind(value, context.graph);
  fail(error(DiagnosticKind::too_fine, context.span,
             "`match name` chooses for each tensor, but " + kind +
                 " is one for the whole recipe, and these arms give different ones")
           .hint("put what takes it into the arms: `match name { \"*.mlp.*\" => f(x, ...), _ => f(x, ...) }`"));
}

// The space in which all of them lie together.
Data joined_space(SpaceContext& context, const std::vector<Data>& all, NodeId node) {
  Graph& graph = context.graph;
  const auto every = [&](auto holds) { return std::all_of(all.begin(), all.end(), holds); };
  const auto is_zero = [&](const Data& data) {
    return data.space == Space::number && graph.constant_value(data.node) == 0.0;
  };
  if (every([](const Data& data) { return data.space == Space::number; })) return number_data(node);
  Data result = tensors_data(node);
  const bool models = every([&](const Data& data) { return is_model(graph, Value(data)); });
  const bool deltas = every([&](const Data& data) { return is_delta(graph, Value(data)) || is_zero(data); });
  const bool alike = every([&](const Data& data) {
    return data.space == Space::combination && data.weight == all[0].weight;
  });
  if (!models && !deltas && !alike) return result;
  result.space = Space::combination;
  result.weight = models ? graph.constant(1) : deltas ? graph.constant(0) : all[0].weight;
  bool first = true;
  for (const Data& data : all) {
    if (is_zero(data)) continue;
    result.weight_magnitude = std::max(result.weight_magnitude, data.weight_magnitude);
    result.base = first ? data.base : shared_base(context, result.base, data.base);
    first = false;
  }
  return result;
}

// What a value is at the tensors of its arm, all of them.
Data in_arm(SpaceContext& whole, const Value& value, const ArmTensors& arm) {
  SpaceContext context{whole.graph, whole.host, arm.span};
  const Data data = data_of(context, value);
  if (!ranges_over_tensors(context.graph, data)) return data;
  Data part = restricted(context, data, arm);
  if (context.graph.domain(context.graph[part.node].domain).tensors.size() < arm.names.size())
    fail_lacking(context, data, arm.names);
  return part;
}

// The base of the whole: a checkpoint that all parts have for their base.
std::shared_ptr<const Data> joined_base(SpaceContext& context, const Data& base_of_part, DomainId whole) {
  const Node node = context.graph[base_of_part.node];
  if (node.kind != NodeKind::source) return nullptr;
  if (!context.graph.includes(context.graph.intern(domain_of(context.host.checkpoint(node.attribute))), whole))
    return nullptr;
  Data base = base_of_part;
  base.node = context.graph.source(node.attribute, whole);
  return std::make_shared<const Data>(std::move(base));
}

Value joined_data(SpaceContext& context, std::span<const Value> values, std::span<const ArmTensors> arms,
                  bool is_part) {
  Graph& graph = context.graph;
  std::vector<Data> all;
  std::vector<NodeId> nodes;
  std::vector<DomainId> parts;
  Domain whole{.is_part = true, .facts_told = true};
  for (std::size_t i = 0; i < values.size(); ++i) {
    all.push_back(in_arm(context, values[i], arms[i]));
    nodes.push_back(all.back().node);
    const bool own = ranges_over_tensors(graph, all.back());
    parts.push_back(own ? graph[nodes.back()].domain : arms[i].usual);
    whole = *join(whole, graph.domain(parts.back()));  // arms share no names
  }
  whole.is_part = is_part;
  const DomainId whole_id = graph.intern(std::move(whole));
  Data result = joined_space(context, all, graph.by_name(std::move(nodes), std::move(parts), whole_id));
  if (result.base) result.base = joined_base(context, *result.base, whole_id);
  return result;
}

template <class Holder>
bool equally_long(std::span<const Value> values) {
  return std::all_of(values.begin(), values.end(), [&](const Value& value) {
    auto* held = value.get<Holder>();
    return held && held->items.size() == values[0].get<Holder>()->items.size();
  });
}

template <class Holder>
Value joined_items(SpaceContext& context, std::span<const Value> values, const ChooseNumber& choose) {
  if (!equally_long<Holder>(values)) refuse(context, values[0]);
  Holder result;
  for (std::size_t i = 0; i < values[0].get<Holder>()->items.size(); ++i) {
    std::vector<Value> items;
    for (const Value& value : values) items.push_back(value.get<Holder>()->items[i]);
    result.items.push_back(joined(context, items, choose));
  }
  return result;
}

Value joined_fields(SpaceContext& context, std::span<const Value> values, const ChooseNumber& choose) {
  Record result;
  for (const auto& [name, first] : values[0].get<Record>()->fields) {
    std::vector<Value> items;
    for (const Value& value : values) {
      auto* record = value.get<Record>();
      if (!record || record->fields.size() != values[0].get<Record>()->fields.size()) refuse(context, values[0]);
      const auto at = std::find_if(record->fields.begin(), record->fields.end(),
                                   [&](const auto& field) { return field.first == name; });
      if (at == record->fields.end()) refuse(context, values[0]);
      items.push_back(at->second);
    }
    result.fields.emplace_back(name, joined(context, items, choose));
  }
  return result;
}

}  // namespace

Value joined(SpaceContext& context, std::span<const Value> values, const ChooseNumber& choose) {
  for (const Value& value : values)
    if (value.is<Poison>()) return value;
  const Value& first = values[0];
  if (std::all_of(values.begin(), values.end(), is_number_like)) return choose(values);
  if (first.is<List>()) return joined_items<List>(context, values, choose);
  if (first.is<Tuple>()) return joined_items<Tuple>(context, values, choose);
  if (first.is<Record>()) return joined_fields(context, values, choose);
  for (const Value& value : values) {
    if (value.variant.index() != first.variant.index()) refuse(context, is_number_like(first) ? value : first);
    if (!equal_values(value, first)) refuse_difference(context, first);
  }
  return first;
}

Value joined(SpaceContext& context, std::span<const Value> values, std::span<const ArmTensors> arms, bool is_part) {
  return joined(context, values, [&](std::span<const Value> all) { return joined_data(context, all, arms, is_part); });
}

std::string carried_instead(const Host& host, std::span<const std::uint32_t> sources, const NameTest& test) {
  for (const std::uint32_t source : sources)
    for (const TensorInfo& tensor : host.checkpoint(source).tensors())
      if (!is_floating(tensor.dtype) && test(tensor.name))
        return ": " + quoted(tensor.name) + " holds whole numbers, which are carried along and not computed";
  return "";
}

void for_each_data(const Graph& graph, const Value& value, const std::function<void(const Data&)>& f) {
  const auto inside = [&](const auto& items) {
    for (const auto& item : items) for_each_data(graph, Value(item), f);
  };
  if (auto* data = value.get<Data>()) {
    if (ranges_over_tensors(graph, *data)) f(*data);
  } else if (auto* list = value.get<List>()) {
    inside(list->items);
  } else if (auto* tuple = value.get<Tuple>()) {
    inside(tuple->items);
  } else if (auto* soup = value.get<Soup>()) {
    inside(soup->ingredients);
  } else if (auto* record = value.get<Record>()) {
    for (const auto& [name, item] : record->fields) for_each_data(graph, item, f);
  }
}

}  // namespace roux
