#include "runtime/kernel/kernel.h"

#include <vector>

#include "runtime/kernel/semantics.h"

namespace roux {

ValueType type_of(const Kernel& kernel, ValueId value) {
  const Instruction& instruction = kernel.body.at(value);
  switch (instruction.kind) {
    case Instruction::Kind::op: return facts_of(instruction.op).result;
    case Instruction::Kind::bernoulli:
    case Instruction::Kind::top: return ValueType::mask;
    case Instruction::Kind::input:
    case Instruction::Kind::scalar:
    case Instruction::Kind::linear:
    case Instruction::Kind::uniform:
    case Instruction::Kind::normal: return ValueType::number;
  }
  ROUX_CHECK(!"an unknown kind of instruction");
  return ValueType::number;
}

double reduce_identity(ReduceOp op) {
  switch (op) {
    case ReduceOp::sum:
    case ReduceOp::dot:
    case ReduceOp::count: return 0;
    case ReduceOp::min: return elementary::kInfinity;
    case ReduceOp::max: return -elementary::kInfinity;
  }
  ROUX_CHECK(!"an unknown reduction");
  return 0;
}

double reduce_combine(ReduceOp op, double a, double b) {
  ScalarLanes<double> lanes;
  return semantics::canonical(lanes, semantics::combine(lanes, op, a, b));
}

double reduce_tree(ReduceOp op, const double* values, std::uint64_t count) {
  if (count == 0) return reduce_identity(op);
  // Depth first, holding one finished subtree per level, as a binary counter holds its ones: the
  // same combinations as level by level over the whole array, in memory for 64 levels.
  double pending[64];
  std::uint64_t done = 0;
  for (; done < count; ++done) {
    double value = values[done];
    int level = 0;
    for (; (done >> level) & 1; ++level) value = reduce_combine(op, pending[level], value);
    pending[level] = value;
  }
  // The odd ones pass up until they meet a subtree to their left.
  int level = 0;
  while (!((count >> level) & 1)) ++level;
  double result = pending[level];
  for (++level; level < 64 && (count >> level) != 0; ++level)
    if ((count >> level) & 1) result = reduce_combine(op, pending[level], result);
  ScalarLanes<double> lanes;
  return semantics::canonical(lanes, result);
}

}  // namespace roux
