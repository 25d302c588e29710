#include "runtime/kernel/op.h"

#include "runtime/kernel/semantics.h"

namespace roux {
namespace {

constexpr ValueType type_from(char letter) {
  return letter == 'm' ? ValueType::mask : ValueType::number;
}

// A signature is one letter for each operand, a colon, one for the result.
constexpr OpFacts facts_from(std::string_view name, std::string_view signature,
                             std::string_view facts, std::string_view derivative) {
  OpFacts row{};
  row.name = name;
  row.arity = static_cast<int>(signature.find(':'));
  for (int i = 0; i < row.arity; ++i) row.operands[i] = type_from(signature[i]);
  row.result = type_from(signature.back());
  row.commutative = facts.find('C') != std::string_view::npos;
  row.idempotent = facts.find('I') != std::string_view::npos;
  row.derivative = derivative;
  return row;
}

constexpr OpFacts kOps[] = {
#define ROUX_OP(name, signature, facts, derivative) facts_from(#name, signature, facts, derivative),
#include "runtime/kernel/op.def"
};

using Lanes = ScalarLanes<double>;
using Value = semantics::Value<Lanes>;

Value operand(const OpFacts& facts, int position, double x) {
  if (position < facts.arity && facts.operands[position] == ValueType::mask) return Value(x != 0);
  return Value(x);
}

}  // namespace

const OpFacts& facts_of(Op op) { return kOps[static_cast<std::size_t>(op)]; }

std::optional<Op> op_from_name(std::string_view name) {
  for (std::size_t i = 0; i < std::size(kOps); ++i)
    if (kOps[i].name == name) return static_cast<Op>(i);
  return std::nullopt;
}

double apply_scalar(Op op, double a, double b, double c) {
  const OpFacts& facts = facts_of(op);
  Lanes lanes;
  const Value result =
      semantics::apply(lanes, op, operand(facts, 0, a), operand(facts, 1, b), operand(facts, 2, c));
  if (facts.result == ValueType::mask) return result.mask ? 1 : 0;
  return semantics::canonical(lanes, result.number);
}

}  // namespace roux
