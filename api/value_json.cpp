#include "api/value_json.h"

#include <cmath>
#include <nlohmann/json.hpp>

namespace roux {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const Value& value, const Graph& graph) {
  const auto array_of = [&](const std::vector<Value>& items) {
    Json array = Json::array();
    for (const Value& item : items) array.push_back(json_of(item, graph));
    return array;
  };
  if (value.is<NoneValue>()) return nullptr;
  if (auto* flag = value.get<bool>()) return *flag;
  if (auto* number = value.get<double>(); number && std::isfinite(*number)) return *number;
  if (auto* text = value.get<std::string>()) return *text;
  if (auto* list = value.get<List>()) return array_of(list->items);
  if (auto* tuple = value.get<Tuple>()) return array_of(tuple->items);
  if (auto* record = value.get<Record>()) {
    Json object = Json::object();
    for (const auto& [name, field] : record->fields) object[name] = json_of(field, graph);
    return object;
  }
  return to_text(value, graph);
}

}  // namespace

std::string to_json(const Value& value, const Graph& graph) {
  return json_of(value, graph).dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace roux
