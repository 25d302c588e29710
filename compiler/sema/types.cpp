#include "compiler/sema/types.h"

#include <algorithm>

#include "base/dtype.h"
#include "base/text.h"

namespace roux {
namespace {

struct Row {
  const char* name;
  TypeName type;
};

constexpr Row kTypes[] = {
    {"any", TypeName::any},           {"model", TypeName::model},       {"delta", TypeName::delta},
    {"tensors", TypeName::tensors},   {"number", TypeName::number},     {"fraction", TypeName::fraction},
    {"count", TypeName::count},       {"bool", TypeName::boolean},      {"string", TypeName::string},
    {"none", TypeName::none},         {"list", TypeName::list},         {"record", TypeName::record},
    {"soup", TypeName::soup},         {"scorer", TypeName::scorer},     {"function", TypeName::function},
    {"scope", TypeName::scope},       {"dtype", TypeName::dtype},       {"operands", TypeName::operands},
    {"layers", TypeName::layers},     {"net", TypeName::net},           {"dataset", TypeName::dataset},
};

constexpr const char* kScopes[] = {"tensor", "row", "column", "model"};
constexpr DType kFloatingDTypes[] = {DType::f64,  DType::f32,     DType::f16,
                                     DType::bf16, DType::f8_e4m3, DType::f8_e5m2};

}  // namespace

const TypeName* find_type(std::string_view name) {
  for (const Row& row : kTypes)
    if (row.name == name) return &row.type;
  return nullptr;
}

std::vector<std::string> type_names() {
  std::vector<std::string> names;
  for (const Row& row : kTypes) names.push_back(row.name);
  return names;
}

std::vector<std::string> choices_of(const ast::Type& type) {
  switch (type.kind) {
    case ast::Type::Kind::literal: return {type.name};
    case ast::Type::Kind::tuple: return {};
    case ast::Type::Kind::named: {
      if (type.name == "scope") return {std::begin(kScopes), std::end(kScopes)};
      std::vector<std::string> names;
      if (type.name == "dtype") {
        for (DType dtype : kFloatingDTypes) names.emplace_back(name_of(dtype));
        for (DType dtype : kFloatingDTypes) names.emplace_back(config_name_of(dtype));
      }
      return names;
    }
    case ast::Type::Kind::either:
    case ast::Type::Kind::optional: {
      std::vector<std::string> all;
      for (const ast::Type& part : type.arguments)
        for (std::string& choice : choices_of(part)) all.push_back(std::move(choice));
      return all;
    }
  }
  return {};
}

std::string list_of_choices(const std::vector<std::string>& choices) {
  const auto is_second_name = [](const std::string& choice) {
    return std::any_of(std::begin(kFloatingDTypes), std::end(kFloatingDTypes),
                       [&](DType dtype) { return choice == config_name_of(dtype) && choice != name_of(dtype); });
  };
  std::vector<std::string> shown;
  for (const std::string& choice : choices)
    if (!is_second_name(choice)) shown.push_back(quoted(choice));
  return join(shown, ", ");
}

std::optional<std::string> nearest_choice(const std::string& word, const std::vector<std::string>& choices) {
  constexpr std::size_t kLeastPart = 2;
  if (auto near = nearest(word, choices)) return near;
  const std::string part = word.starts_with("fp") ? "f" + word.substr(2) : word;
  const auto holds = [&](const std::string& choice) { return choice.find(part) != std::string::npos; };
  const auto at = std::find_if(choices.begin(), choices.end(), holds);
  return part.size() < kLeastPart || at == choices.end() ? std::nullopt : std::optional(*at);
}

SettingKind setting_kind(const std::optional<ast::Type>& given) {
  const ast::Type* type = given ? &*given : nullptr;
  if (type && type->kind == ast::Type::Kind::optional) type = &type->arguments[0];
  if (!type) return SettingKind::expression;
  const auto is_literal = [](const ast::Type& t) { return t.kind == ast::Type::Kind::literal; };
  const bool is_choice = is_literal(*type) || (type->kind == ast::Type::Kind::either &&
                                               std::all_of(type->arguments.begin(), type->arguments.end(), is_literal));
  if (type->name == "string" || is_choice) return SettingKind::text;
  if (type->name == "list" && !type->arguments.empty() && type->arguments[0].name == "model") return SettingKind::models;
  return type->name == "model" ? SettingKind::model : SettingKind::expression;
}

std::string to_text(const ast::Type& type) {
  std::vector<std::string> parts;
  for (const ast::Type& part : type.arguments) parts.push_back(to_text(part));
  switch (type.kind) {
    case ast::Type::Kind::literal: return string_literal(type.name);
    case ast::Type::Kind::tuple: return "(" + join(parts, ", ") + ")";
    case ast::Type::Kind::either: return join(parts, " | ");
    case ast::Type::Kind::optional: return parts[0] + "?";
    case ast::Type::Kind::named: break;
  }
  std::string text = type.name;
  if (!parts.empty()) text += "[" + join(parts, ", ") + "]";
  if (type.range)
    text += "(" + format_number(type.range->first) + ".." + format_number(type.range->second) + ")";
  return text;
}

}  // namespace roux
