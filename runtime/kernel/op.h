// The operations that act on one element at a time, as an enumeration with its facts. The table is op.def;
// what each row means is written once, in semantics.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace roux {

enum class Op : std::uint8_t {
#define ROUX_OP(name, signature, facts, derivative) name,
#include "runtime/kernel/op.def"
};

enum class ValueType : std::uint8_t { number, mask };

struct OpFacts {
  std::string_view name;
  int arity;
  ValueType operands[3];
  ValueType result;
  bool commutative;
  bool idempotent;
  std::string_view derivative;
};

const OpFacts& facts_of(Op op);
inline std::string_view name_of(Op op) { return facts_of(op).name; }
std::optional<Op> op_from_name(std::string_view name);

// The type in which lanes compute: f32, or f64 where an input is stored in F64 (or f64 is asked for).
enum class LaneType : std::uint8_t { f32, f64 };

}  // namespace roux
