#include "api/show.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <set>

#include "base/table.h"
#include "base/text.h"
#include "compiler/interpret/domains.h"

namespace roux {
namespace {

constexpr std::size_t kLineColumns = 100;
constexpr std::size_t kFormulaColumns = 60;
constexpr int kFormulaDepth = 4;
constexpr std::size_t kRows = 20;  // of a table that are shown

// 42.7 K
std::string format_parameters(std::uint64_t count) {
  constexpr const char* kUnits[] = {" K", " M", " B", " T"};
  if (count < 1000) return std::to_string(count);
  auto scaled = static_cast<double>(count) / 1000;
  std::size_t unit = 0;
  while (scaled >= 999.95 && unit + 1 < std::size(kUnits)) {
    scaled /= 1000;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof text, "%.1f%s", scaled, kUnits[unit]);
  return text;
}

std::string architecture_of(const Checkpoint& checkpoint) {
  if (!checkpoint.config()) return "";
  const auto config = nlohmann::json::parse(*checkpoint.config(), nullptr, false);
  if (!config.is_object()) return "";
  const auto type = config.find("model_type");
  return type != config.end() && type->is_string() ? type->get<std::string>() : "";
}

// "a delta" -> "delta"
std::string without_article(std::string kind) {
  return kind.starts_with("a ") ? kind.substr(2) : kind;
}

bool is_tensors(const Value& value) {
  auto* data = value.get<Data>();
  return data && data->space != Space::number;
}

// What is told of tensors, in the order in which it is told.
struct Facts {
  std::string kind;          // "model"
  std::string tensors;       // "68 tensors"
  std::string parameters;    // "42.7 K"
  std::string dtypes;        // "bf16", "f32, bf16"
  std::string architecture;  // may be empty
  std::string formula;
};

Facts facts_of(const Data& data, const ShowContext& context, const NodeNames& names) {
  const Graph& graph = context.graph;
  Facts facts{.kind = without_article(describe_kind(data, graph))};
  const Node& node = graph[data.node];
  std::uint64_t tensors = 0, parameters = 0;
  if (node.domain != kNone) {
    tensors = graph.domain(node.domain).tensors.size();
    parameters = graph.domain(node.domain).element_count;
  }
  std::set<DType> dtypes;
  const std::vector<std::uint32_t> sources = operand_sources_of(graph, data.node);
  for (std::uint32_t source : sources) {
    const Checkpoint& checkpoint = *context.inputs.all()[source];
    for (const TensorInfo& tensor : checkpoint.tensors())
      if (is_floating(tensor.dtype)) dtypes.insert(tensor.dtype);
    if (facts.architecture.empty()) facts.architecture = architecture_of(checkpoint);
  }
  // A whole model carries the integers of those that it is made of.
  const bool is_part = node.domain != kNone && graph.domain(node.domain).is_part;
  if (is_part) facts.kind = "part of " + describe_kind(Value(data), graph);
  if (!is_part && is_model(graph, Value(data)) && !sources.empty())
    for (const TensorInfo& tensor : context.inputs.all()[sources[0]]->tensors())
      tensors += is_floating(tensor.dtype) ? 0 : 1;
  std::vector<std::string> dtype_names;
  for (DType dtype : dtypes) dtype_names.emplace_back(name_of(dtype));
  facts.tensors = format_count(tensors, "tensor");
  facts.parameters = format_parameters(parameters);
  facts.dtypes = join(dtype_names, ", ");
  facts.formula = node.kind == NodeKind::source
                      ? context.inputs.all()[node.attribute]->path()
                      : formula(graph, data.node, names, kFormulaDepth, Digits::few);
  return facts;
}

std::string data_line(const Data& data, const ShowContext& context, const NodeNames& names) {
  const Facts facts = facts_of(data, context, names);
  if (data.space == Space::number || context.graph[data.node].domain == kNone)
    return facts.kind + ": " + shortened(facts.formula, kFormulaColumns);
  std::string line = facts.kind + ": " + facts.tensors + ", " + facts.parameters;
  for (const std::string& fact : {facts.dtypes, facts.architecture})
    if (!fact.empty()) line += ", " + fact;
  return line + "; " + shortened(facts.formula, kFormulaColumns);
}

bool is_plain_number(const Data& data, const Graph& graph) {
  return data.space == Space::number && graph.constant_value(data.node).has_value();
}

using Rows = std::vector<std::vector<std::string>>;

std::vector<std::string> cut(std::vector<std::string> lines, std::size_t all) {
  if (all > kRows) lines.push_back("… " + std::to_string(all - kRows) + " more");
  return lines;
}

class Shower {
 public:
  explicit Shower(const ShowContext& context)
      : context_(context), names_(context.graph, context.inputs, context.scope) {}

  std::string line(const Value& value, std::size_t columns) const {
    if (auto* data = value.get<Data>(); data && !is_plain_number(*data, context_.graph))
      return shortened(data_line(*data, context_, names_), columns);
    if (auto* list = value.get<List>(); list && std::any_of(list->items.begin(), list->items.end(), is_tensors))
      return "list of " + count_text(list->items);
    if (auto* text = value.get<std::string>()) return shortened(string_literal(*text), columns);
    return shortened(to_text(value, context_.graph), columns);
  }

  std::vector<std::string> lines(const Value& value) const {
    if (auto* text = value.get<std::string>()) return lines_of(*text);
    if (auto* list = value.get<List>()) return lines_of_list(*list);
    if (auto* record = value.get<Record>()) return lines_of_record(*record);
    if (auto* soup = value.get<Soup>()) return lines_of_soup(*soup);
    return {line(value, kLineColumns + kFormulaColumns)};
  }

 private:
  // "10 models"; "3 values" where they are of several kinds.
  std::string count_text(const std::vector<Value>& items) const {
    std::set<std::string> kinds;
    for (const Value& item : items) kinds.insert(without_article(describe_kind(item, context_.graph)));
    return format_count(items.size(), kinds.size() == 1 ? *kinds.begin() : "value");
  }

  static std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    for (std::size_t at = 0; at <= text.size();) {
      const std::size_t end = std::min(text.find('\n', at), text.size());
      lines.push_back(text.substr(at, end - at));
      at = end + 1;
    }
    return lines;
  }

  // index, what it is, how big; where all are alike, that is said once.
  std::vector<std::string> lines_of_list(const List& list) const {
    const std::vector<Value>& items = list.items;
    if (!items.empty() && std::all_of(items.begin(), items.end(), is_tensors)) return table_of_tensors(items);
    if (!items.empty() && std::all_of(items.begin(), items.end(), is_record_like(items[0])))
      return table_of_records(items);
    const std::string text = is_plain(Value(list)) ? to_text(Value(list), context_.graph) : "";
    if (!text.empty() && columns_of(text) <= kLineColumns) return {text};
    if (std::any_of(items.begin(), items.end(), [](const Value& item) { return is_tensors(item) || has_parts(item); }))
      return table_of_items(items);
    return {shortened(text, kLineColumns) + " (" + format_count(items.size(), "item") + ")"};
  }

  // Numbers, texts and the like, and lists and tuples of them.
  static bool is_plain(const Value& value) {
    if (auto* list = value.get<List>()) return std::all_of(list->items.begin(), list->items.end(), is_plain);
    if (auto* tuple = value.get<Tuple>()) return std::all_of(tuple->items.begin(), tuple->items.end(), is_plain);
    return !is_tensors(value) && !has_parts(value);
  }

  static bool has_parts(const Value& value) {
    return value.is<List>() || value.is<Tuple>() || value.is<Record>() || value.is<Soup>();
  }

  static std::function<bool(const Value&)> is_record_like(const Value& first) {
    return [&first](const Value& value) {
      auto* a = first.get<Record>();
      auto* b = value.get<Record>();
      return a && b && std::equal(a->fields.begin(), a->fields.end(), b->fields.begin(), b->fields.end(),
                                  [](const auto& x, const auto& y) { return x.first == y.first; });
    };
  }

  // A soup or a list of models, deltas, tensors.
  std::vector<std::string> table_of_tensors(const std::vector<Value>& items) const {
    Rows rows;
    std::set<std::string> kinds;
    for (const Value& item : items) {
      const Facts facts = facts_of(*item.get<Data>(), context_, names_);
      kinds.insert(facts.kind);
      if (rows.size() == kRows) continue;
      rows.push_back({std::to_string(rows.size()), facts.kind, facts.tensors, facts.parameters, facts.dtypes,
                      shortened(facts.formula, kFormulaColumns)});
    }
    if (kinds.size() == 1)
      for (auto& row : rows) row.erase(row.begin() + 1);
    const std::string title = "list of " + count_text(items);
    std::vector<std::string> lines = in_columns(rows, {Align::right});
    lines.insert(lines.begin(), title);
    return cut(std::move(lines), items.size());
  }

  std::vector<std::string> table_of_items(const std::vector<Value>& items) const {
    Rows rows;
    for (std::size_t i = 0; i < std::min(items.size(), kRows); ++i)
      rows.push_back({std::to_string(i), line(items[i], kLineColumns)});
    std::vector<std::string> lines = in_columns(rows, {Align::right});
    lines.insert(lines.begin(), "list of " + format_count(items.size(), "value"));
    return cut(std::move(lines), items.size());
  }

  std::vector<std::string> table_of_records(const std::vector<Value>& items) const {
    Rows rows = {{""}};
    std::vector<Align> aligned = {Align::right};
    for (const auto& [name, value] : items[0].get<Record>()->fields) {
      rows[0].push_back(name);
      aligned.push_back(value.is<double>() ? Align::right : Align::left);
    }
    for (std::size_t i = 0; i < std::min(items.size(), kRows); ++i) {
      rows.push_back({std::to_string(i)});
      for (const auto& [name, value] : items[i].get<Record>()->fields)
        rows.back().push_back(line(value, kFormulaColumns));
    }
    return cut(in_columns(rows, aligned), items.size());
  }

  std::vector<std::string> lines_of_record(const Record& record) const {
    const bool is_plain = std::none_of(record.fields.begin(), record.fields.end(), [](const auto& field) {
      return is_tensors(field.second) || has_parts(field.second);
    });
    const std::string text = is_plain ? to_text(Value(record), context_.graph) : "";
    if (is_plain && columns_of(text) <= kLineColumns) return {text};
    Rows rows;
    for (std::size_t i = 0; i < std::min(record.fields.size(), kRows); ++i)
      rows.push_back({record.fields[i].first, line(record.fields[i].second, kLineColumns)});
    return cut(in_columns(rows), record.fields.size());
  }

  std::vector<std::string> lines_of_soup(const Soup& soup) const {
    double total = 0;
    for (double weight : soup.weights) total += weight;
    Rows rows;
    for (std::size_t i = 0; i < std::min(soup.ingredients.size(), kRows); ++i) {
      const NodeId node = soup.ingredients[i].node;
      const std::string* name = names_.of(node);
      char share[32];
      std::snprintf(share, sizeof share, "%.4g", soup.weights[i] / total);
      const Facts facts = facts_of(soup.ingredients[i], context_, names_);
      rows.push_back({share, name ? *name : "", shortened(facts.formula, kFormulaColumns)});
    }
    std::vector<std::string> lines = in_columns(rows, {Align::right});
    lines.insert(lines.begin(), "soup of " + format_count(soup.ingredients.size(), "model"));
    return cut(std::move(lines), soup.ingredients.size());
  }

  const ShowContext& context_;
  NodeNames names_;
};

}  // namespace

std::vector<std::string> show(const Value& value, const ShowContext& context) { return Shower(context).lines(value); }

std::string show_line(const Value& value, const ShowContext& context, std::size_t columns) {
  return Shower(context).line(value, columns);
}

// --- types ------------------------------------------------------------------------------------------

namespace {

std::string type_of_items(const std::vector<Value>& items, const Graph& graph, const SourceMap& sources) {
  std::vector<std::string> types;
  for (const Value& item : items) {
    std::string type = type_text(item, graph, sources);
    if (std::find(types.begin(), types.end(), type) == types.end()) types.push_back(std::move(type));
  }
  return join(types, " | ");
}

}  // namespace

std::string type_text(const Value& value, const Graph& graph, const SourceMap& sources) {
  if (auto* list = value.get<List>())
    return list->items.empty() ? "list" : "list[" + type_of_items(list->items, graph, sources) + "]";
  std::vector<std::string> parts;
  if (auto* tuple = value.get<Tuple>()) {
    for (const Value& item : tuple->items) parts.push_back(type_text(item, graph, sources));
    return "(" + join(parts, ", ") + ")";
  }
  if (auto* record = value.get<Record>()) {
    for (const auto& [name, item] : record->fields) parts.push_back(name + ": " + type_text(item, graph, sources));
    return "{" + join(parts, ", ") + "}";
  }
  if (auto* function = value.get<Function>())
    if (auto* method = std::get_if<MethodValue>(function))
      return signature_text(sources, *method->module, *method->method);
  return without_article(describe_kind(value, graph));
}

}  // namespace roux
