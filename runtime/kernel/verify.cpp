#include "runtime/kernel/verify.h"

#include <string>

#include "base/text.h"

namespace roux {
namespace {

// Walks a kernel once and notes the first thing that is wrong with it.
class Verifier {
 public:
  explicit Verifier(const Kernel& kernel) : kernel_(kernel) {}

  Status run() {
    check_storage(kernel_.inputs, "input");
    check_storage(kernel_.tables, "table");
    for (at_ = 0; at_ < kernel_.body.size() && problem_.empty(); ++at_) {
      where_ = "%" + std::to_string(at_);
      check(kernel_.body[at_]);
    }
    where_ = "the kernel";
    if (terms_ != kernel_.terms.size()) refuse("has terms that belong to no `linear`");
    if (kernel_.stores.empty() && kernel_.reductions.empty()) refuse("neither stores nor reduces");
    check_results();
    if (problem_.empty()) return ok();
    return error(DiagnosticKind::internal, {}, "malformed kernel: " + problem_);
  }

 private:
  void refuse(const std::string& what) {
    if (problem_.empty()) problem_ = where_ + " " + what;
  }

  void check_storage(const std::vector<DType>& dtypes, std::string_view noun) {
    for (std::size_t i = 0; i < dtypes.size(); ++i) {
      where_ = std::string(noun) + " " + std::to_string(i);
      const std::string name = quoted(name_of(dtypes[i]));
      if (!is_floating(dtypes[i])) {
        refuse("is of type " + name + ", which is not floating");
      } else if (dtypes[i] == DType::f64 && kernel_.lane == LaneType::f32) {
        refuse("is of type " + name + ", which lanes of `f32` cannot hold");
      }
    }
  }

  void check(const Instruction& i) {
    using Kind = Instruction::Kind;
    if (i.kind != Kind::op && i.op != Op{}) refuse("names an operation but is none");
    switch (i.kind) {
      case Kind::input:
        if (i.a >= kernel_.inputs.size()) refuse("reads an input that does not exist");
        return unused(i.b, i.c, i.d);
      case Kind::scalar: return scalar(i.a), unused(i.b, i.c, i.d);
      case Kind::op: return check_op(i);
      case Kind::linear: return check_linear(i);
      case Kind::uniform:
      case Kind::normal: return check_field(i), unused(i.d);
      case Kind::bernoulli: return check_field(i), scalar(i.d);
      case Kind::top: return value(i.a, ValueType::number), scalar(i.b), scalar(i.c), unused(i.d);
    }
    refuse("is of an unknown kind");
  }

  // The key and the stream of a random field are the same for all elements.
  void check_field(const Instruction& i) {
    for (const ScalarId id : {i.a, i.b, i.c}) {
      if (is_spread(id)) refuse("draws by a key that is spread");
      scalar(id);
    }
  }

  void check_op(const Instruction& i) {
    if (op_from_name(name_of(i.op)) != i.op) return refuse("is an operation outside the table");
    const OpFacts& facts = facts_of(i.op);
    const ValueId operands[] = {i.a, i.b, i.c};
    for (int position = 0; position < 3; ++position) {
      if (position < facts.arity) {
        value(operands[position], facts.operands[position]);
      } else {
        unused(operands[position]);
      }
    }
    unused(i.d);
  }

  // Terms lie in the order of the instructions that own them, so that equal texts are equal
  // kernels.
  void check_linear(const Instruction& i) {
    if (i.a != kNone) scalar(i.a);
    if (i.d != kNone) scalar(i.d);
    if (i.b != terms_ || i.c > kernel_.terms.size() - terms_)
      return refuse("owns terms that are out of order");
    terms_ += i.c;
    for (std::uint32_t t = i.b; t < i.b + i.c; ++t) {
      const LinearTerm& term = kernel_.terms[t];
      if (term.kind == LinearTerm::Kind::value) {
        value(term.index, ValueType::number);
        scalar(term.scale);
      } else {
        if (term.index >= kernel_.tables.size()) refuse("sums a table that does not exist");
        unused(term.scale);
      }
    }
  }

  void check_results() {
    at_ = static_cast<std::uint32_t>(kernel_.body.size());
    for (std::size_t i = 0; i < kernel_.stores.size(); ++i) {
      where_ = "store " + std::to_string(i);
      if (!is_floating(kernel_.stores[i].dtype)) refuse("is of a type that is not floating");
      value(kernel_.stores[i].value, ValueType::number);
    }
    for (std::size_t i = 0; i < kernel_.reductions.size(); ++i) {
      where_ = "reduction " + std::to_string(i);
      const Reduction& reduction = kernel_.reductions[i];
      if (reduction.op > ReduceOp::max) refuse("is of an unknown kind");
      const bool counts = reduction.op == ReduceOp::count;
      value(reduction.a, counts ? ValueType::mask : ValueType::number);
      if (reduction.op == ReduceOp::dot) {
        value(reduction.b, ValueType::number);
      } else {
        unused(reduction.b);
      }
    }
  }

  void value(ValueId id, ValueType type) {
    if (id >= at_) return refuse("takes a value that does not come before it");
    if (type_of(kernel_, id) == type) return;
    refuse("takes %" + std::to_string(id) + ", which is not a " +
           (type == ValueType::mask ? "mask" : "number"));
  }

  void scalar(ScalarId id) {
    const bool exists = is_spread(id) ? spread_index(id) < kernel_.spread_count : id < kernel_.scalar_count;
    if (!exists) refuse("takes a scalar argument that does not exist");
  }

  template <class... Ids>
  void unused(Ids... ids) {
    if (((ids != kNone) || ...)) refuse("has an operand too many");
  }

  const Kernel& kernel_;
  ValueId at_ = 0;         // values before this one may be taken
  std::size_t terms_ = 0;  // terms owned so far
  std::string where_;
  std::string problem_;
};

}  // namespace

Status verify(const Kernel& kernel) { return Verifier(kernel).run(); }

}  // namespace roux
