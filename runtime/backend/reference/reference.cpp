#include "runtime/backend/reference/reference.h"

#include <algorithm>
#include <array>

#include "runtime/kernel/semantics.h"

namespace roux {
namespace {

using Kind = Instruction::Kind;

// Keys and streams of random fields arrive as whole numbers of 32 bits; all else is clamped.
std::uint32_t to_u32(double x) {
  if (!(x > 0)) return 0;
  return x >= 4294967295.0 ? ~std::uint32_t{0} : static_cast<std::uint32_t>(x);
}

// Computes the values of single elements. T is the lane type.
template <class T>
class Interpreter {
 public:
  using Lanes = ScalarLanes<T>;
  using Value = semantics::Value<Lanes>;

  Interpreter(const Kernel& kernel, const KernelCall& call)
      : kernel_(kernel), call_(call), values_(kernel.body.size()) {}

  // Element `first + offset`: all values, then the stores.
  void compute(std::uint64_t offset) {
    Lanes lanes(call_.first + offset);
    for (std::size_t id = 0; id < kernel_.body.size(); ++id)
      values_[id] = evaluate(lanes, kernel_.body[id], offset);
    for (std::size_t i = 0; i < kernel_.stores.size(); ++i) {
      const Store& store = kernel_.stores[i];
      auto* target = static_cast<unsigned char*>(call_.stores[i]) + offset * bytes(store.dtype);
      storage::store(lanes, store.dtype, values_[store.value].number, target);
    }
  }

  // What the element last computed brings to a reduction.
  double contribution(const Reduction& reduction) const {
    Lanes lanes;
    const Value b = reduction.b == kNone ? Value() : values_[reduction.b];
    return semantics::contribution(lanes, reduction.op, values_[reduction.a], b);
  }

 private:
  static std::uint64_t bytes(DType dtype) { return static_cast<std::uint64_t>(bytes_of(dtype)); }

  static T load(Lanes& lanes, DType dtype, const void* data, std::uint64_t offset) {
    return storage::load(lanes, dtype,
                         static_cast<const unsigned char*>(data) + offset * bytes(dtype));
  }

  const Value& operand(ValueId id) const {
    static const Value none;
    return id == kNone ? none : values_[id];
  }

  double argument(ScalarId id, std::uint64_t offset) const {
    return is_spread(id) ? call_.spreads[spread_index(id)][offset] : call_.scalars[id];
  }

  std::uint32_t random_bits(Lanes& lanes, const Instruction& i, std::uint32_t draw) const {
    const random::Field<Lanes> field{to_u32(call_.scalars[i.a]), to_u32(call_.scalars[i.b]),
                                     to_u32(call_.scalars[i.c])};
    return random::bits(lanes, field, draw);
  }

  Value evaluate(Lanes& lanes, const Instruction& i, std::uint64_t offset) const {
    switch (i.kind) {
      case Kind::input: return load(lanes, kernel_.inputs[i.a], call_.inputs[i.a], offset);
      case Kind::scalar: return lanes.narrow(argument(i.a, offset));
      case Kind::op: return semantics::apply(lanes, i.op, operand(i.a), operand(i.b), operand(i.c));
      case Kind::linear: return linear(lanes, i, offset);
      case Kind::uniform: return random::uniform(lanes, random_bits(lanes, i, 0));
      case Kind::normal:
        return random::normal(lanes, random_bits(lanes, i, 0), random_bits(lanes, i, 1));
      case Kind::bernoulli:
        return random::bernoulli(lanes, random_bits(lanes, i, 0), argument(i.d, offset));
      case Kind::top:
        return semantics::top(lanes, values_[i.a].number, lanes.narrow(argument(i.b, offset)),
                              argument(i.c, offset));
    }
    ROUX_CHECK(!"an unknown kind of instruction");
    return {};
  }

  T linear(Lanes& lanes, const Instruction& i, std::uint64_t offset) const {
    double sum = i.a == kNone ? semantics::kLinearStart : argument(i.a, offset);
    for (std::uint32_t t = i.b; t < i.b + i.c; ++t) {
      const LinearTerm& term = kernel_.terms[t];
      if (term.kind == LinearTerm::Kind::value) {
        sum = semantics::linear_step(lanes, sum, argument(term.scale, offset),
                                     values_[term.index].number);
        continue;
      }
      const Table& table = call_.tables[term.index];
      for (std::uint64_t e = 0; e < table.count; ++e) {
        const TableEntry& entry = table.entries[e];
        if (entry.coefficient == 0) continue;  // its data is not even read
        const T x = load(lanes, kernel_.tables[term.index], entry.data, offset);
        sum = semantics::linear_step(lanes, sum, entry.coefficient, x);
      }
    }
    return lanes.narrow(i.d == kNone ? sum : sum * argument(i.d, offset));
  }

  const Kernel& kernel_;
  const KernelCall& call_;
  std::vector<Value> values_;
};

using Accumulators = std::array<double, kAccumulators>;

double fold(ReduceOp op, Accumulators partial) {
  ScalarLanes<double> lanes;
  for (std::size_t width = kAccumulators / 2; width > 0; width /= 2)
    for (std::size_t j = 0; j < width; ++j)
      partial[j] = semantics::combine(lanes, op, partial[j], partial[j + width]);
  return semantics::canonical(lanes, partial[0]);
}

template <class T>
void run_kernel(const Kernel& kernel, const KernelCall& call) {
  Interpreter<T> interpreter(kernel, call);
  ScalarLanes<double> lanes;
  std::vector<Accumulators> partial(kernel.reductions.size());
  for (std::uint64_t begin = 0; begin < call.count; begin += kBlock) {
    const std::uint64_t end = std::min(call.count, begin + kBlock);
    for (std::size_t r = 0; r < partial.size(); ++r)
      partial[r].fill(reduce_identity(kernel.reductions[r].op));
    for (std::uint64_t offset = begin; offset < end; ++offset) {
      interpreter.compute(offset);
      for (std::size_t r = 0; r < partial.size(); ++r) {
        double& sum = partial[r][offset % kAccumulators];
        const Reduction& reduction = kernel.reductions[r];
        sum = semantics::combine(lanes, reduction.op, sum, interpreter.contribution(reduction));
      }
    }
    for (std::size_t r = 0; r < partial.size(); ++r)
      call.reductions[r][begin / kBlock] = fold(kernel.reductions[r].op, partial[r]);
  }
}

class ReferenceKernel : public CompiledKernel {
 public:
  explicit ReferenceKernel(const Kernel& kernel) : kernel_(kernel) {}

  // Unlike generated code it allocates, once in a call: the values of an element.
  void run(const KernelCall& call) const override {
    if (kernel_.lane == LaneType::f64) {
      run_kernel<double>(kernel_, call);
    } else {
      run_kernel<float>(kernel_, call);
    }
  }

 private:
  Kernel kernel_;
};

class ReferenceBackend : public Backend {
 public:
  std::string_view name() const override { return "reference"; }
  Result<std::unique_ptr<CompiledKernel>> compile(const Kernel& kernel) override {
    return std::unique_ptr<CompiledKernel>(std::make_unique<ReferenceKernel>(kernel));
  }
};

}  // namespace

std::unique_ptr<Backend> make_reference_backend() { return std::make_unique<ReferenceBackend>(); }

}  // namespace roux
