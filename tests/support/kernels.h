// Helpers for tests of kernels: random data of any storage type, random kernels that verify, and
// one call of a compiled kernel whose outputs come back as bytes (with guard bytes around them that
// must survive).
#pragma once

#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/backend/backend.h"
#include "runtime/kernel/kernel.h"
#include "runtime/kernel/semantics.h"
#include "runtime/kernel/text.h"
#include "runtime/kernel/verify.h"

namespace roux::testing {

using Random = std::mt19937_64;
using Bytes = std::vector<unsigned char>;

inline constexpr DType kFloats[] = {DType::f64,  DType::f32,     DType::f16,
                                    DType::bf16, DType::f8_e4m3, DType::f8_e5m2};

inline std::uint64_t below(Random& random, std::uint64_t n) { return random() % n; }

inline Kernel kernel_of(const std::string& text) {
  auto kernel = parse_kernel(text);
  if (!kernel.ok()) {
    ADD_FAILURE() << kernel.error()[0].message << "\n" << text;
    return {};
  }
  const auto verified = verify(*kernel);
  EXPECT_TRUE(verified.ok()) << verified.error()[0].message << "\n" << text;
  return *kernel;
}

// A number worth computing with: often special, often ordinary.
inline double random_number(Random& random) {
  constexpr double kSpecial[] = {0.0,  -0.0,   1.0,   -1.0,   2.0,   0.5,    -0.5,  1.5,
                                 2.5,  -2.5,   448,   464,    65504, 65520,  1e-8,  -6e-8,
                                 3e38, 3.5e38, 1e-40, 5e-324, 1e300, -1e308, 1e-310};
  switch (below(random, 8)) {
    case 0: return kSpecial[below(random, std::size(kSpecial))];
    case 1: return std::numeric_limits<double>::infinity() * (below(random, 2) ? 1 : -1);
    case 2: return std::numeric_limits<double>::quiet_NaN() * (below(random, 2) ? 1 : -1);
    case 3: return std::bit_cast<double>(random());
    case 4: return std::bit_cast<float>(static_cast<std::uint32_t>(random()));
    case 5: return std::normal_distribution<double>(0, 100)(random);
    default: return std::normal_distribution<double>(0, 1)(random);
  }
}

// `count` elements: rounded numbers and raw bit patterns, mixed.
inline Bytes random_data(Random& random, DType dtype, std::uint64_t count) {
  const auto size = static_cast<std::uint64_t>(bytes_of(dtype));
  Bytes data(count * size);
  ScalarLanes<double> lanes;
  for (std::uint64_t i = 0; i < count; ++i) {
    if (below(random, 3) == 0) {
      const std::uint64_t bits = random();
      std::memcpy(&data[i * size], &bits, size);
    } else {
      storage::store(lanes, dtype, random_number(random), &data[i * size]);
    }
  }
  return data;
}

// The arguments of a call: data in memory at odd addresses, tables, scalars.
struct Arguments {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  std::vector<Bytes> inputs;
  struct Entry {
    Bytes data;
    double coefficient;
  };
  std::vector<std::vector<Entry>> tables;
  std::vector<double> scalars;
  std::vector<std::vector<double>> spreads = {};
};

struct Outcome {
  std::vector<Bytes> stores;
  std::vector<std::uint64_t> reductions;  // raw bits, block by block

  bool operator==(const Outcome&) const = default;
};

inline Outcome run(const CompiledKernel& compiled, const Kernel& kernel,
                   const Arguments& arguments) {
  constexpr std::size_t kGuard = 67;  // odd, so that stores are unaligned as well
  Outcome outcome;
  // Inputs too lie at odd addresses, and end where their memory ends.
  std::vector<Bytes> shifted;
  const auto odd_address = [&shifted](const Bytes& data) -> const void* {
    const std::size_t shift = 1 + 2 * (shifted.size() % 3);
    shifted.emplace_back(shift, 0);
    shifted.back().insert(shifted.back().end(), data.begin(), data.end());
    return shifted.back().data() + shift;
  };
  std::vector<const void*> inputs;
  for (const Bytes& data : arguments.inputs) inputs.push_back(odd_address(data));
  std::vector<std::vector<TableEntry>> entries;
  std::vector<Table> tables;
  for (const auto& table : arguments.tables) {
    entries.emplace_back();
    for (const auto& entry : table)
      entries.back().push_back({odd_address(entry.data), entry.coefficient});
    tables.push_back({entries.back().data(), entries.back().size()});
  }
  std::vector<const double*> spreads;
  for (const std::vector<double>& values : arguments.spreads) spreads.push_back(values.data());
  std::vector<void*> stores;
  for (const Store& store : kernel.stores) {
    const auto bytes = arguments.count * static_cast<std::uint64_t>(bytes_of(store.dtype));
    outcome.stores.emplace_back(bytes + 2 * kGuard, 0xCD);
  }
  for (Bytes& bytes : outcome.stores) stores.push_back(bytes.data() + kGuard);
  const std::uint64_t blocks = (arguments.count + kBlock - 1) / kBlock;
  std::vector<std::vector<double>> partial(kernel.reductions.size(),
                                           std::vector<double>(blocks + 1, 1234.5));
  std::vector<double*> reductions;
  for (auto& values : partial) reductions.push_back(values.data());

  compiled.run({arguments.first, arguments.count, inputs.data(), tables.data(),
                arguments.scalars.data(), stores.data(), reductions.data(), spreads.data()});
  for (const auto& values : partial)
    for (double value : values) outcome.reductions.push_back(std::bit_cast<std::uint64_t>(value));
  for (const Bytes& bytes : outcome.stores)
    for (std::size_t i = 0; i < kGuard; ++i) {
      EXPECT_EQ(bytes[i], 0xCD);
      EXPECT_EQ(bytes[bytes.size() - 1 - i], 0xCD);
    }
  return outcome;
}

inline Arguments random_arguments(Random& random, const Kernel& kernel, std::uint64_t count) {
  Arguments arguments;
  arguments.first = kBlock * (below(random, 2) ? below(random, 100) : below(random, 1ull << 40));
  // Anywhere: also just before the low half of an index overflows.
  if (kernel.starts_anywhere)
    arguments.first += below(random, 2) ? below(random, kBlock) : (1ull << 32) - 1 - below(random, count + 1);
  arguments.count = count;
  for (DType dtype : kernel.inputs) arguments.inputs.push_back(random_data(random, dtype, count));
  for (DType dtype : kernel.tables) {
    arguments.tables.emplace_back();
    for (std::uint64_t entries = below(random, 6); entries > 0; --entries) {
      const double coefficient = below(random, 4) == 0 ? 0.0 : random_number(random);
      arguments.tables.back().push_back({random_data(random, dtype, count), coefficient});
    }
  }
  for (std::uint32_t i = 0; i < kernel.spread_count; ++i) {
    arguments.spreads.emplace_back();
    for (std::uint64_t k = 0; k < count; ++k)
      arguments.spreads.back().push_back(below(random, 4) == 0 ? 0.0 : random_number(random));
  }
  for (std::uint32_t i = 0; i < kernel.scalar_count; ++i) switch (below(random, 4)) {
      case 0: arguments.scalars.push_back(0); break;
      case 1: arguments.scalars.push_back(static_cast<double>(below(random, 1ull << 32))); break;
      default: arguments.scalars.push_back(random_number(random));
    }
  return arguments;
}

// Builds kernels that verify, of any shape.
class KernelMaker {
 public:
  explicit KernelMaker(Random& random) : random_(random) {}

  Kernel make(int length) {
    kernel_ = {};
    kernel_.lane = below(random_, 3) == 0 ? LaneType::f64 : LaneType::f32;
    for (auto n = below(random_, 4); n > 0; --n) kernel_.inputs.push_back(dtype());
    for (auto n = below(random_, 3); n > 0; --n) kernel_.tables.push_back(dtype());
    kernel_.scalar_count = 1 + static_cast<std::uint32_t>(below(random_, 5));
    kernel_.spread_count = below(random_, 3) ? 0 : 1 + static_cast<std::uint32_t>(below(random_, 2));
    kernel_.starts_anywhere = below(random_, 3) == 0;
    numbers_.clear();
    masks_.clear();
    push({Instruction::Kind::scalar, {}, argument()}, ValueType::number);
    if (below(random_, 4) == 0) {
      push({Instruction::Kind::bernoulli, {}, scalar(), scalar(), scalar(), argument()},
           ValueType::mask);
    } else {
      push({Instruction::Kind::op, Op::isfinite, 0}, ValueType::mask);
    }
    for (std::uint32_t i = 0; i < kernel_.inputs.size(); ++i)
      push({Instruction::Kind::input, {}, i}, ValueType::number);
    while (kernel_.body.size() < static_cast<std::size_t>(length)) add();
    for (auto n = 1 + below(random_, 3); n > 0; --n)
      kernel_.stores.push_back({kernel_.lane == LaneType::f64 || below(random_, 4) != 0
                                    ? kFloats[below(random_, 6)]
                                    : DType::f64,
                                number()});
    for (auto n = below(random_, 3); n > 0; --n) {
      const auto op = static_cast<ReduceOp>(below(random_, 5));
      kernel_.reductions.push_back(
          {op, op == ReduceOp::count ? mask() : number(), op == ReduceOp::dot ? number() : kNone});
    }
    return kernel_;
  }

 private:
  DType dtype() {
    return kFloats[kernel_.lane == LaneType::f64 ? below(random_, 6) : 1 + below(random_, 5)];
  }
  ScalarId argument() {
    if (kernel_.spread_count == 0 || below(random_, 2)) return scalar();
    return kSpread | static_cast<ScalarId>(below(random_, kernel_.spread_count));
  }
  ScalarId scalar() { return static_cast<ScalarId>(below(random_, kernel_.scalar_count)); }
  ValueId number() { return numbers_[below(random_, numbers_.size())]; }
  ValueId mask() { return masks_[below(random_, masks_.size())]; }
  void push(const Instruction& instruction, ValueType type) {
    (type == ValueType::mask ? masks_ : numbers_)
        .push_back(static_cast<ValueId>(kernel_.body.size()));
    kernel_.body.push_back(instruction);
  }

  void add() {
    using Kind = Instruction::Kind;
    switch (below(random_, 16)) {
      case 0: return push({Kind::uniform, {}, scalar(), scalar(), scalar()}, ValueType::number);
      case 1: return push({Kind::normal, {}, scalar(), scalar(), scalar()}, ValueType::number);
      case 2: return push({Kind::top, {}, number(), argument(), argument()}, ValueType::mask);
      case 3:
      case 4:
      case 5: return add_linear();
      default: return add_op();
    }
  }

  void add_op() {
    const auto op = static_cast<Op>(below(random_, static_cast<std::uint64_t>(Op::to_number) + 1));
    const OpFacts& facts = facts_of(op);
    std::uint32_t operands[3] = {kNone, kNone, kNone};
    for (int i = 0; i < facts.arity; ++i)
      operands[i] = facts.operands[i] == ValueType::mask ? mask() : number();
    push({Instruction::Kind::op, op, operands[0], operands[1], operands[2]}, facts.result);
  }

  void add_linear() {
    const auto begin = static_cast<std::uint32_t>(kernel_.terms.size());
    const auto count = static_cast<std::uint32_t>(below(random_, 5));
    for (std::uint32_t i = 0; i < count; ++i) {
      if (!kernel_.tables.empty() && below(random_, 3) == 0) {
        const auto table = static_cast<std::uint32_t>(below(random_, kernel_.tables.size()));
        kernel_.terms.push_back({LinearTerm::Kind::table, table, kNone});
      } else {
        kernel_.terms.push_back({LinearTerm::Kind::value, number(), argument()});
      }
    }
    push({Instruction::Kind::linear, {}, below(random_, 2) ? argument() : kNone, begin, count,
          below(random_, 3) ? kNone : argument()},
         ValueType::number);
  }

  Random& random_;
  Kernel kernel_;
  std::vector<ValueId> numbers_, masks_;
};

}  // namespace roux::testing
