// A kernel: one fused loop over a run of elements of one tensor. It reads typed inputs, computes in lanes
// (f32 or f64), stores typed outputs and partial reductions. It is a plain value with a text form
// (text.h), a verifier (verify.h), a meaning (backend/reference) and a translation (backend/llvm).
// Numbers that vary (weights, thresholds, per-layer values) are arguments, never part of the kernel, so one
// kernel serves every layer and every candidate of a search. Floats in kernel text: none. An argument is a
// scalar (`$2`: one f64 for the call) or a spread (`@0`: one f64 for each element of the run).
//
// Shape, for   out = base + s * where(abs(d) >= t, d, 0),  d = m - base   (scalars: 0:+1 1:-1 2:t 3:zero 4:s)
//
//   kernel f32
//   inputs bf16 bf16
//   scalars 5
//   %0 = input 0                       # base
//   %1 = input 1                       # m
//   %2 = linear [%1 * $0, %0 * $1]     # one f64 sum of f64 products, one rounding to the lane type
//   %3 = abs %2
//   %4 = scalar 2
//   %5 = le %4, %3
//   %6 = scalar 3
//   %7 = where %5, %2, %6
//   %8 = linear [%0 * $0, %7 * $4]
//   store bf16 %8
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/dtype.h"
#include "runtime/kernel/op.h"

namespace roux {

// A sum within a tensor is cut into blocks of this many elements, counted from the tensor's start.
inline constexpr std::uint64_t kBlock = 4096;
// In a block, accumulator j takes the elements i with i mod kAccumulators == j, in order; they are then
// folded 8+8, 4+4, 2+2, 1+1.
inline constexpr int kAccumulators = 16;

using ValueId = std::uint32_t;   // index of the instruction that makes the value
// Index into the scalar arguments or, with this bit, into the spreads.
using ScalarId = std::uint32_t;
inline constexpr ScalarId kSpread = ScalarId{1} << 31;
inline constexpr std::uint32_t kNone = ~std::uint32_t{0};
constexpr bool is_spread(ScalarId id) { return (id & kSpread) != 0 && id != kNone; }
constexpr std::uint32_t spread_index(ScalarId id) { return id & ~kSpread; }

// One addend of a `linear`: scalar * value, or every entry of a run-time table of inputs.
struct LinearTerm {
  enum class Kind : std::uint8_t { value, table };
  Kind kind = Kind::value;
  std::uint32_t index = 0;     // ValueId, or index into Kernel::tables
  ScalarId scale = kNone;      // value: its coefficient; table: unused (entries carry theirs)
  bool operator==(const LinearTerm&) const = default;
};

struct Instruction {
  enum class Kind : std::uint8_t {
    input,      // a: index into inputs; the element, converted to the lane type (exact)
    scalar,     // a: ScalarId; the argument, rounded to the lane type
    op,         // op(a, b, c)
    linear,     // round(constant + sum of terms) in f64, in order. `a`: ScalarId of the constant or kNone.
                // terms[b .. b + c). A term whose coefficient is 0 is skipped, whatever its value.
                // The sum starts from -0.0 (the identity of addition) where there is no constant.
                // `d`: ScalarId of a factor of the whole sum (a mean adds first), or kNone.
    uniform,    // a, b: ScalarIds of the key's low and high 32 bits, c: of the stream; in [0, 1).
                // These three are scalars, never spreads.
    normal,     // the same operands; standard normal
    bernoulli,  // the same operands, d: ScalarId of the probability of 1; a mask
    top,        // a: value, b: ScalarId of the threshold, c: of the cut. True where the value is above the
                // threshold in IEEE totalOrder (NaN canonical, above +inf), or equal to it with an element
                // index <= cut.
  };
  Kind kind;
  Op op{};
  std::uint32_t a = kNone, b = kNone, c = kNone, d = kNone;
  bool operator==(const Instruction&) const = default;
};

struct Store {
  DType dtype;    // rounded once, to nearest even; a NaN is stored as the positive quiet one
  ValueId value;  // a number (a mask has to go through to_number)
  bool operator==(const Store&) const = default;
};

enum class ReduceOp : std::uint8_t {
  sum,    // of a
  dot,    // of a * b, each product formed in f64
  count,  // of the true elements of mask a
  min,    // of a: NaN if any is NaN; -0 < +0
  max,
};

struct Reduction {
  ReduceOp op;
  ValueId a = kNone, b = kNone;
  bool operator==(const Reduction&) const = default;
};

struct Kernel {
  LaneType lane = LaneType::f32;
  std::vector<DType> inputs;   // one run of elements each
  std::vector<DType> tables;   // a run-time list of (run of elements, coefficient) each
  std::uint32_t scalar_count = 0;
  std::uint32_t spread_count = 0;
  bool starts_anywhere = false;  // calls begin at any element; otherwise at multiples of kBlock
  std::vector<Instruction> body;
  std::vector<LinearTerm> terms;
  std::vector<Store> stores;
  std::vector<Reduction> reductions;

  bool operator==(const Kernel&) const = default;
};

ValueType type_of(const Kernel& kernel, ValueId value);

// --- calling a compiled kernel ----------------------------------------------------------------------

struct TableEntry {
  const void* data;     // the first element of the run
  double coefficient;
};
struct Table {
  const TableEntry* entries;
  std::uint64_t count;
};

// One call computes elements [first, first + count) of a tensor. `first` is a multiple of kBlock unless the
// kernel starts anywhere. Data pointers point at element `first` and need no alignment. Blocks of reductions
// are counted from `first`, indices of elements (random fields, `top`) from the tensor's start.
struct KernelCall {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  const void* const* inputs = nullptr;
  const Table* tables = nullptr;
  const double* scalars = nullptr;
  void* const* stores = nullptr;
  double* const* reductions = nullptr;  // per reduction: one f64 for each block begun in this call
  const double* const* spreads = nullptr;
};

// The identity with which a reduction of no elements starts, and how partial results combine.
double reduce_identity(ReduceOp op);
double reduce_combine(ReduceOp op, double a, double b);
// Combines `count` values in a binary tree on aligned indices (0+1, 2+3, ... and so on up).
double reduce_tree(ReduceOp op, const double* values, std::uint64_t count);

}  // namespace roux
