#include "compiler/interpret/conform.h"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "base/text.h"
#include "compiler/interpret/failure.h"
#include "compiler/sema/types.h"

namespace roux {
namespace {

[[noreturn]] void mismatch(SpaceContext& context, const Value& value, const ast::Type& type,
                           const std::string& what) {
  Diagnostic wrong = error(DiagnosticKind::wrong_type, context.span,
                           what + " must be " + quoted(to_text(type)) + ", got " + describe_kind(value, context.graph));
  if (type.name == "list" && value.is<Data>()) wrong.help = "several are given as a list: `[a, b]`";
  if (auto* text = value.get<std::string>(); text && !text->empty() && std::isdigit(static_cast<unsigned char>((*text)[0])))
    wrong.help = "a number stands without quotes: " + quoted(*text);
  if (type.name == "scorer") wrong.help = "a scorer is made by `command(\"python3 score.py {model}\")`";
  fail(std::move(wrong));
}

Value conform_number(SpaceContext& context, const Value& value, const ast::Type& type, double low,
                     double high, bool whole, const std::string& what) {
  if (auto* data = value.get<Data>()) {
    if (data->space != Space::number) mismatch(context, value, type, what);
    return value;  // known only when tensors are
  }
  auto* number = value.get<double>();
  if (!number) mismatch(context, value, type, what);
  if (*number >= low && *number <= high && (!whole || *number == std::floor(*number))) return value;
  std::string expected = whole ? "a whole number" : "a number";
  if (std::isfinite(low) && std::isfinite(high))
    expected += " from " + format_number(low) + " to " + format_number(high);
  else if (std::isfinite(low))
    expected += ", " + format_number(low) + " or more";
  Diagnostic outside = error(DiagnosticKind::out_of_range, context.span,
                             what + " is " + format_number(*number) + "; expected " + expected);
  const bool is_share = low == 0 && high == 1 && !whole && *number > 1 && *number <= 100;
  if (is_share && *number < 2)
    outside.help = "it is a share of the whole, so 1 is all of it";
  else if (is_share)
    outside.help = "write `" + format_number(*number) + "%` or `" + format_number(*number / 100) + "`";
  fail(std::move(outside));
}

Value conform_list(SpaceContext& context, const Value& value, const ast::Type& type,
                   const std::string& what) {
  if (auto* soup = value.get<Soup>())
    return conform_list(context, ingredients_of(context, *soup), type, what);
  auto* list = value.get<List>();
  if (!list) mismatch(context, value, type, what);
  if (type.arguments.empty()) return value;
  List result;
  for (std::size_t i = 0; i < list->items.size(); ++i)
    result.items.push_back(conform(context, list->items[i], type.arguments[0],
                                   "item " + std::to_string(i) + " of " + what));
  return result;
}

bool is_choice(const std::string& text, const ast::Type& type) {
  const std::vector<std::string> choices = choices_of(type);
  return std::find(choices.begin(), choices.end(), text) != choices.end();
}

Value conform_choice(SpaceContext& context, const Value& value, const ast::Type& type,
                     const std::string& what) {
  auto* text = value.get<std::string>();
  if (text && is_choice(*text, type)) return value;
  const std::string seen = text ? quoted(*text) : describe_kind(value, context.graph);
  Diagnostic wrong = error(DiagnosticKind::not_a_choice, context.span,
                           what + " is " + seen + "; expected one of " + list_of_choices(choices_of(type)));
  if (value.is<bool>() && what.find("`normalize`") != what.npos)
    wrong.help = "what mergekit calls `normalize: true` is `normalize = weights`, and `false` is `normalize = no`";
  if (text)
    if (auto near = nearest_choice(*text, choices_of(type))) wrong.help = "nearest is " + quoted(*near);
  fail(std::move(wrong));
}

template <class T>
Value conform_kind(SpaceContext& context, const Value& value, const ast::Type& type,
                   const std::string& what) {
  if (!value.is<T>()) mismatch(context, value, type, what);
  return value;
}

Value conform_tensors(SpaceContext& context, const Value& value, const ast::Type& type,
                      const std::string& what) {
  auto* data = value.get<Data>();
  if (!data || (data->space == Space::number && context.graph[data->node].level != Level::element))
    mismatch(context, value, type, what);
  return value;
}

Value conform_named(SpaceContext& context, const Value& value, const ast::Type& type,
                    const std::string& what) {
  constexpr double kInfinity = HUGE_VAL;
  const TypeName* known = find_type(type.name);
  if (!known) throw Failure{};  // reported with the text
  switch (*known) {
    case TypeName::any: return value;
    case TypeName::operands:
      if (auto* soup = value.get<Soup>()) return ingredients_of(context, *soup);
      if (auto* path = value.get<std::string>())
        fail(error(DiagnosticKind::wrong_type, context.span, what + " must be a list, or several values, got a string")
                 .hint("open what a path or glob means first: `load_all(" + string_literal(*path) + ")`"));
      return value;
    case TypeName::model: return as_model(context, value);
    case TypeName::delta: return as_delta(context, value);
    case TypeName::tensors: return conform_tensors(context, value, type, what);
    case TypeName::number: {
      const auto [low, high] = type.range.value_or(std::pair(-kInfinity, kInfinity));
      return conform_number(context, value, type, low, high, false, what);
    }
    case TypeName::fraction: return conform_number(context, value, type, 0, 1, false, what);
    case TypeName::count: return conform_number(context, value, type, 0, kInfinity, true, what);
    case TypeName::boolean: return conform_kind<bool>(context, value, type, what);
    case TypeName::string: return conform_kind<std::string>(context, value, type, what);
    case TypeName::none: return conform_kind<NoneValue>(context, value, type, what);
    case TypeName::list: return conform_list(context, value, type, what);
    case TypeName::record: return conform_kind<Record>(context, value, type, what);
    case TypeName::soup: return conform_kind<Soup>(context, value, type, what);
    case TypeName::scorer: return conform_kind<Scorer>(context, value, type, what);
    case TypeName::function:
      if (!value.is<Function>() && !value.is<Scorer>()) mismatch(context, value, type, what);
      return value;
    case TypeName::scope:
    case TypeName::dtype: return conform_choice(context, value, type, what);
    case TypeName::layers:
    case TypeName::net:
    case TypeName::dataset: break;
  }
  mismatch(context, value, type, what);
}

bool only_choices(const ast::Type& type) {
  if (type.kind == ast::Type::Kind::literal) return true;
  if (type.kind != ast::Type::Kind::either) return type.name == "scope" || type.name == "dtype";
  return std::all_of(type.arguments.begin(), type.arguments.end(), only_choices);
}

// The first alternative that fits; if none does, the complaint of the likeliest one.
Value conform_either(SpaceContext& context, const Value& value, const ast::Type& type,
                     const std::string& what) {
  for (const ast::Type& alternative : type.arguments) {
    try {
      return conform(context, value, alternative, what);
    } catch (const Failure& failure) {
      if (failure.diagnostics.empty()) throw;
      const DiagnosticKind kind = failure.diagnostics.front().kind;
      if (kind == DiagnosticKind::out_of_range || kind == DiagnosticKind::total_weight) throw;
    }
  }
  mismatch(context, value, type, what);
}

}  // namespace

Value ingredients_of(SpaceContext& context, const Soup& soup) {
  List list;
  for (std::size_t i = 0; i < soup.ingredients.size(); ++i) {
    if (soup.weights[i] != soup.weights[0])
      fail(error(DiagnosticKind::unequal_weights, context.span,
                 "this soup has unequal weights, and a list of its models would lose them")
               .hint("write `s.ingredients` for the models alone, with `weights = s.weights` where they count"));
    list.items.push_back(soup.ingredients[i]);
  }
  return list;
}

Value conform(SpaceContext& context, const Value& value, const ast::Type& type, const std::string& what) {
  if (value.is<Poison>()) return value;
  switch (type.kind) {
    case ast::Type::Kind::named: return conform_named(context, value, type, what);
    case ast::Type::Kind::literal: return conform_choice(context, value, type, what);
    case ast::Type::Kind::optional:
      return value.is<NoneValue>() ? value : conform(context, value, type.arguments[0], what);
    case ast::Type::Kind::either:
      return only_choices(type) ? conform_choice(context, value, type, what)
                                : conform_either(context, value, type, what);
    case ast::Type::Kind::tuple: {
      auto* tuple = value.get<Tuple>();
      if (!tuple || tuple->items.size() != type.arguments.size()) mismatch(context, value, type, what);
      Tuple result;
      for (std::size_t i = 0; i < tuple->items.size(); ++i)
        result.items.push_back(conform(context, tuple->items[i], type.arguments[i], what));
      return result;
    }
  }
  return value;
}

}  // namespace roux
