#include "compiler/interpret/primitives.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "compiler/interpret/failure.h"
#include "compiler/interpret/primitive_groups.h"

namespace roux {
namespace {

// --- lists ------------------------------------------------------------------------------------------

std::vector<Value> items(Evaluator& evaluator, const PrimitiveCall& call, std::size_t i, const char* what) {
  SpaceContext context = evaluator.context(call.spans[i]);
  return items_of(context, call.arguments[i], what);
}

Value length(Evaluator& evaluator, const PrimitiveCall& call) {
  if (auto* text = call.arguments[0].get<std::string>()) return static_cast<double>(text->size());
  return static_cast<double>(items(evaluator, call, 0, "what `len` counts").size());
}

Value enumerate(Evaluator& evaluator, const PrimitiveCall& call) {
  List pairs;
  for (const Value& item : items(evaluator, call, 0, "what is enumerated"))
    pairs.items.push_back(Tuple{{static_cast<double>(pairs.items.size()), item}});
  return pairs;
}

Value zip(Evaluator& evaluator, const PrimitiveCall& call) {
  const auto columns = items(evaluator, call, 0, "what is zipped");
  std::vector<std::vector<Value>> lists;
  SpaceContext context = evaluator.context(call.span);
  for (const Value& column : columns) lists.push_back(items_of(context, column, "what is zipped"));
  for (const auto& list : lists)
    if (list.size() != lists[0].size())
      fail(error(DiagnosticKind::wrong_type, call.span,
                 "`zip` got lists of " + std::to_string(lists[0].size()) + " and " +
                     std::to_string(list.size()) + " items"));
  List rows;
  for (std::size_t i = 0; !lists.empty() && i < lists[0].size(); ++i) {
    Tuple row;
    for (const auto& list : lists) row.items.push_back(list[i]);
    rows.items.push_back(std::move(row));
  }
  return rows;
}

Value range(Evaluator& evaluator, const PrimitiveCall& call) {
  const bool one = call.arguments[1].is<NoneValue>();
  const double first = one ? 0 : evaluator.control_number(call.arguments[0], "the start", call.spans[0]).value_or(0);
  const double last =
      evaluator.control_number(call.arguments[one ? 0 : 1], "the end", call.spans[one ? 0 : 1]).value_or(first + 1);
  return range_of(first, last, call.span);
}

Value map(Evaluator& evaluator, const PrimitiveCall& call) {
  List list;
  for (const Value& item : items(evaluator, call, 0, "what is mapped"))
    list.items.push_back(evaluator.call(call.arguments[1], {item}, call.span));
  return list;
}

Value filter(Evaluator& evaluator, const PrimitiveCall& call) {
  const std::vector<Value> all = items(evaluator, call, 0, "what is filtered");
  std::vector<Value> wanted;
  for (const Value& item : all) wanted.push_back(evaluator.call(call.arguments[1], {item}, call.span));
  evaluator.prepare(wanted, call.span);
  List list;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (evaluator.control_number(wanted[i], "the condition", call.spans[1]).value_or(1) != 0)
      list.items.push_back(all[i]);
  return list;
}

Value fold(Evaluator& evaluator, const PrimitiveCall& call) {
  Value state = call.arguments[1];
  for (const Value& item : items(evaluator, call, 0, "what is folded"))
    state = evaluator.call(call.arguments[2], {state, item}, call.span);
  return state;
}

// Stable. While rehearsing, keys that only a run can tell leave the order as it is.
Value sort(Evaluator& evaluator, const PrimitiveCall& call) {
  struct Keyed {
    double number = 0;
    std::string text;
    Value item;
  };
  std::vector<Keyed> keyed;
  bool texts = false, numbers = false, unknown = false;
  const std::vector<Value> all = items(evaluator, call, 0, "what is sorted");
  std::vector<Value> keys = all;
  if (!call.arguments[1].is<NoneValue>())
    for (Value& key : keys) key = evaluator.call(call.arguments[1], {key}, call.span);
  evaluator.prepare(keys, call.span);
  for (std::size_t i = 0; i < all.size(); ++i) {
    Keyed entry{.item = all[i]};
    if (auto* text = keys[i].get<std::string>()) {
      texts = true;
      entry.text = *text;
    } else {
      const auto number = evaluator.control_number(keys[i], "a sort key", call.spans[1]);
      numbers = true;
      unknown = unknown || !number;
      entry.number = number.value_or(0);
    }
    keyed.push_back(std::move(entry));
  }
  const bool descending = *call.arguments[2].get<bool>();
  if (texts && numbers)
    fail(error(DiagnosticKind::wrong_type, call.span, "texts and numbers cannot be sorted together"));
  const auto before = [&](const Keyed& a, const Keyed& b) {
    if (texts) return a.text < b.text;
    return std::isnan(b.number) ? !std::isnan(a.number) : a.number < b.number;  // NaN above +inf
  };
  if (!unknown)
    std::stable_sort(keyed.begin(), keyed.end(), [&](const Keyed& a, const Keyed& b) {
      return descending ? before(b, a) : before(a, b);
    });
  List sorted;
  for (Keyed& entry : keyed) sorted.items.push_back(std::move(entry.item));
  return sorted;
}

// The numbers 0..n in an order drawn from the seed (Fisher-Yates over SplitMix64).
Value shuffled(Evaluator& evaluator, const PrimitiveCall& call) {
  std::vector<Value> all = items(evaluator, call, 0, "what is shuffled");
  std::uint64_t state =
      static_cast<std::uint64_t>(evaluator.control_number(call.arguments[1], "a seed", call.spans[1]).value_or(0));
  const auto next = [&] {
    std::uint64_t z = (state += 0x9E3779B97F4A7C15ull);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
  };
  for (std::size_t i = all.size(); i > 1; --i) std::swap(all[i - 1], all[next() % i]);
  return List{std::move(all)};
}

// --- soups and spaces -------------------------------------------------------------------------------

Value soup_of(Evaluator& evaluator, const PrimitiveCall& call) {
  Soup soup;
  SpaceContext context = evaluator.context(call.spans[0]);
  for (const Value& item : items(evaluator, call, 0, "the ingredients")) soup.ingredients.push_back(as_model(context, item));
  if (soup.ingredients.empty())
    fail(error(DiagnosticKind::empty_list, call.spans[0], "a soup needs at least one model"));
  if (call.arguments[1].is<NoneValue>()) {
    soup.weights.assign(soup.ingredients.size(), 1.0);
    return soup;
  }
  const std::vector<Value> weights = items(evaluator, call, 1, "the weights");
  evaluator.prepare(weights, call.spans[1]);
  for (const Value& weight : weights)
    soup.weights.push_back(evaluator.control_number(weight, "a weight", call.spans[1]).value_or(1));
  double total = 0;
  for (double weight : soup.weights) total += weight;
  if (total == 0 || !std::isfinite(total))
    fail(error(DiagnosticKind::out_of_range, call.spans[1],
               "the weights of a soup sum to " + format_number(total) + "; they must be finite, and their sum not 0"));
  if (soup.weights.size() != soup.ingredients.size())
    fail(error(DiagnosticKind::wrong_type, call.span,
               format_count(soup.ingredients.size(), "model") + " but " +
                   format_count(soup.weights.size(), "weight")));
  return soup;
}

Value space_of(Evaluator& evaluator, const PrimitiveCall& call) {
  return space_name(evaluator.graph(), call.arguments[0]);
}

// Whether it is a number that no tensor has a say in, so that a method can refuse it before anything is read.
Value is_known(Evaluator& evaluator, const PrimitiveCall& call) {
  const Value& value = call.arguments[0];
  if (auto* data = value.get<Data>())
    return data->space == Space::number && evaluator.graph().constant_value(data->node).has_value();
  return value.is<double>();
}

const std::string& path_of(Evaluator& evaluator, const Data& source) {
  return evaluator.host().checkpoint(evaluator.graph()[source.node].attribute).path();
}

void check_same_base(Evaluator& evaluator, const Data& a, const Data& b, Span span) {
  const Node &first = evaluator.graph()[a.node], &second = evaluator.graph()[b.node];
  const bool stored = first.kind == NodeKind::source && second.kind == NodeKind::source;
  if (stored && unwrap(evaluator.host().same_checkpoint(first.attribute, second.attribute))) return;
  Diagnostic differ = error(DiagnosticKind::bases_differ, span, "the models carry different bases")
                          .hint("name the one to use: `base = ...`");
  if (stored) {
    differ.checkpoints = {path_of(evaluator, a), path_of(evaluator, b)};
    differ.message += ", " + quoted(differ.checkpoints[0]) + " and " + quoted(differ.checkpoints[1]);
  }
  fail(std::move(differ));
}

// The one base that all carry.
Value base_of(Evaluator& evaluator, const PrimitiveCall& call) {
  const Value& given = call.arguments[0];
  std::vector<Value> values = given.is<List>() || given.is<Soup>() ? items(evaluator, call, 0, "the models")
                                                                   : std::vector<Value>{given};
  std::shared_ptr<const Data> base;
  for (const Value& value : values) {
    auto* data = value.get<Data>();
    if (!data || !data->base) {
      const bool stored = data && evaluator.graph()[data->node].kind == NodeKind::source;
      Diagnostic none = error(DiagnosticKind::no_base, call.span, "")
                            .hint("load it with one, `load_all(\"ft-*\", base = base)`, or give `base = ...` here");
      if (stored) none.checkpoints = {path_of(evaluator, *data)};
      none.message = (stored ? quoted(none.checkpoints[0]) : describe_kind(value, evaluator.graph())) +
                     " carries no base";
      fail(std::move(none));
    }
    if (base && base->node != data->base->node) check_same_base(evaluator, *base, *data->base, call.span);
    base = data->base;
  }
  if (!base) throw Failure{{error(DiagnosticKind::empty_list, call.span, "no models, so no base")}, "models"};
  return *base;
}

// --- effects ----------------------------------------------------------------------------------------

Value print(Evaluator& evaluator, const PrimitiveCall& call) {
  evaluator.print({call.arguments[0]}, call.spans[0]);
  return {};
}

Value fail_with(Evaluator& evaluator, const PrimitiveCall& call) {
  if (evaluator.is_speculating()) return Poison{};
  Diagnostic failed = error(DiagnosticKind::failed, call.span, *call.arguments[0].get<std::string>());
  if (auto* hint = call.arguments[2].get<std::string>()) failed.help = *hint;
  Failure failure{{std::move(failed)}};
  if (auto* argument = call.arguments[1].get<std::string>()) failure.argument = *argument;
  throw failure;
}

// --- table ------------------------------------------------------------------------------------------

struct Row {
  std::string_view name;
  Primitive primitive;
};

constexpr Row kPrimitives[] = {
    {"len", length},          {"enumerate", enumerate}, {"zip", zip},
    {"range", range},         {"map", map},             {"filter", filter},
    {"fold", fold},           {"sort", sort},           {"shuffled", shuffled},
    {"soup_of", soup_of},      {"space_of", space_of},   {"is_known", is_known},
    {"base_of", base_of},
    {"print", print},         {"fail", fail_with},      {"sum", primitives::sum},
    {"count", primitives::count},                       {"min", primitives::minimum},
    {"max", primitives::maximum},                       {"dot", primitives::dot},
    {"size", primitives::size},                         {"largest", primitives::largest},
    {"ordinal", primitives::ordinal},
    {"top", primitives::top},                           {"where", primitives::where},
    {"uniform", primitives::uniform},                   {"normal", primitives::normal},
    {"bernoulli", primitives::bernoulli},               {"lone_stream", primitives::lone_stream},
    {"load", primitives::load},                         {"load_all", primitives::load_all},
    {"align", primitives::align},
    {"save", primitives::save},                         {"command", primitives::command},
};

}  // namespace

Primitive find_primitive(std::string_view name) {
  for (const Row& row : kPrimitives)
    if (row.name == name) return row.primitive;
  return nullptr;
}

Value call_elementwise(Evaluator& evaluator, Op op, const PrimitiveCall& call) {
  SpaceContext context = evaluator.context(call.span);
  return elementwise(context, op, call.arguments);
}

}  // namespace roux
