// The values of the control plane. Numbers, strings, lists and functions are ordinary values; everything
// that comes out of tensors is Data: a node of the graph with its space, computed only when a save, a
// score or a print asks for it. Values are cheap to copy and immutable.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "compiler/graph/graph.h"
#include "compiler/syntax/ast.h"

namespace roux {

struct Value;
class Environment;
struct Data;

// What elementwise data is (LANGUAGE, section 2). A combination is a linear combination of models: with
// total weight 1 it is a model, with 0 a delta; anything else may only stand inside a larger sum.
enum class Space : std::uint8_t { combination, tensors, number };

struct Data {
  NodeId node = 0;
  Space space = Space::number;
  NodeId weight = kNone;        // combination: its total weight, a number
  double weight_magnitude = 0;  // the sum of |w| that a rounding error of the weight is measured against
  std::shared_ptr<const Data> base{};  // the base it carries, if its operands share one
};

// How much a list holds, all levels counted, and how deep it goes: shared parts count each time, as whoever
// walks over them does.
struct Extent {
  double items = 0;
  int depth = 0;
};

struct List;
struct Tuple {
  std::vector<Value> items;
  Extent extent{};
};
struct Record {
  std::vector<std::pair<std::string, Value>> fields;
  Extent extent{};
};

struct Closure {
  const ast::Module* module;
  const ast::Lambda* lambda;
  Span span;
  std::shared_ptr<const Environment> environment;
};
struct MethodValue {  // of a recipe or of the library
  const ast::Module* module;
  const ast::Method* method;
  std::shared_ptr<const Environment> environment;
};
using Function = std::variant<Closure, MethodValue>;

// A weighted selection of models: what a search hands on.
struct Soup {
  std::vector<Data> ingredients;
  std::vector<double> weights;
};

struct Scorer {
  std::string command;
  std::string host;  // in its place: the `param` for which the host gave a function
  bool higher_is_better = true;
  std::optional<std::string> metric;
  std::optional<double> timeout_seconds;
  bool in_f64 = false;  // candidates are computed in f64 lanes
  Span span;  // where it was made
  std::uint32_t id = 0;
};

template <class T, class Variant>
struct HoldsShared;
template <class T, class... Ts>
struct HoldsShared<T, std::variant<Ts...>>
    : std::bool_constant<(std::is_same_v<std::shared_ptr<const T>, Ts> || ...)> {};

struct NoneValue {};
// Stands for a value that could not be made: the error has been reported, whatever uses it stays silent.
struct Poison {};

struct Value {
  using Variant = std::variant<NoneValue, Poison, bool, double, std::string, std::shared_ptr<const List>,
                               std::shared_ptr<const Tuple>, std::shared_ptr<const Record>, Function, Data,
                               std::shared_ptr<const Soup>, std::shared_ptr<const Scorer>>;
  Variant variant = NoneValue{};

  Value() = default;
  Value(bool value) : variant(value) {}
  Value(double value) : variant(value) {}
  Value(std::string value) : variant(std::move(value)) {}
  Value(Data value) : variant(std::move(value)) {}
  Value(Function value) : variant(std::move(value)) {}
  Value(Poison value) : variant(value) {}
  Value(Soup value) : variant(std::make_shared<const Soup>(std::move(value))) {}
  Value(Scorer value) : variant(std::make_shared<const Scorer>(std::move(value))) {}
  Value(Tuple value);
  Value(Record value);
  Value(List value);
  Value(const char*) = delete;

  template <class T>
  const T* get() const {
    if constexpr (HoldsShared<T, Variant>::value) {
      auto* held = std::get_if<std::shared_ptr<const T>>(&variant);
      return held ? held->get() : nullptr;
    } else {
      return std::get_if<T>(&variant);
    }
  }
  template <class T>
  bool is() const {
    return get<T>() != nullptr;
  }
};

struct List {
  std::vector<Value> items;
  Extent extent{};
};

// Of a list, tuple or record; nothing for other values.
Extent extent_of(const Value& value);

// "a list", "a delta", "a number per tensor": the kind of a value, for messages.
std::string describe_kind(const Value& value, const Graph& graph);
// As `print` and `${}` show it. Data is shown as one line without reading a tensor.
std::string to_text(const Value& value, const Graph& graph);

}  // namespace roux
