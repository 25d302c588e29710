#include "runtime/backend/llvm/emit.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <span>
#include <tuple>
#include <vector>

#include "runtime/backend/llvm/lanes.h"
#include "runtime/kernel/semantics.h"

namespace roux::llvm_backend {
namespace {

using Values = llvm::SmallVector<llvm::Value*, 16>;
using InstructionKind = Instruction::Kind;

// Elements that share the blocks of a random field.
constexpr unsigned kFieldRun = 64;
// Elements for which a table's entries are gone through once.
constexpr unsigned kTableRun = 64;

bool draws_in_runs(const Kernel& kernel) {
  if (kernel.starts_anywhere) return false;  // a turn of the loop may begin inside a run
  return std::any_of(kernel.body.begin(), kernel.body.end(), [](const Instruction& i) {
    return i.kind == InstructionKind::uniform || i.kind == InstructionKind::normal ||
           i.kind == InstructionKind::bernoulli;
  });
}

// What the function has at hand: everything of the KernelCall but table entries, loaded at its
// start.
struct Arguments {
  llvm::Value* first = nullptr;
  llvm::Value* count = nullptr;
  Values inputs, scalars, spreads, stores, reductions;
  Values table_entries, table_counts;
};

// N is the lane type, F32 or F64.
template <class N>
class KernelEmitter {
 public:
  using Lanes = EmitLanes<N>;
  using Value = semantics::Value<Lanes>;

  KernelEmitter(const Kernel& kernel, llvm::Function* function, unsigned width)
      : kernel_(kernel),
        function_(function),
        builder_(function->getContext()),
        width_(width),
        draws_in_runs_(draws_in_runs(kernel)),
        step_(draws_in_runs_ ? kFieldRun : !kernel.tables.empty() ? kTableRun : kAccumulators) {}

  void emit() {
    builder_.SetInsertPoint(block("entry"));
    load_arguments();
    auto* const zero = builder_.getInt64(0);
    if (kernel_.reductions.empty()) {
      emit_run(zero, arguments_.count);
    } else {
      partial_ = builder_.CreateAlloca(builder_.getDoubleTy(),
                                       builder_.getInt64(kernel_.reductions.size() * kAccumulators),
                                       "partial");
      loop("block", zero, arguments_.count, kBlock, {}, [&](llvm::Value* begin, Values) {
        auto* const full = builder_.CreateAdd(begin, builder_.getInt64(kBlock));
        emit_run(begin, minimum(full, arguments_.count));
        emit_folds(begin);
        return Values();
      });
    }
    builder_.CreateRetVoid();
  }

 private:
  // A vector of neighbouring elements on its way through the kernel's body.
  struct Part {
    Lanes lanes;
    llvm::Value* offset;  // of its first element, from the data pointers
    unsigned position;    // of its first element, in the turn of the loop
    std::vector<Value> values;
  };

  // --- arguments and small tools -----------------------------------------------------------------

  llvm::BasicBlock* block(const char* name) {
    return llvm::BasicBlock::Create(function_->getContext(), name, function_);
  }
  llvm::Value* at_byte(llvm::Value* base, llvm::Value* offset) {
    return builder_.CreateGEP(builder_.getInt8Ty(), base, offset);
  }
  llvm::Value* field(llvm::Value* base, std::size_t offset, llvm::Type* type) {
    return builder_.CreateLoad(type, at_byte(base, builder_.getInt64(offset)));
  }
  llvm::Value* element_address(llvm::Value* data, llvm::Value* offset, DType dtype) {
    const auto bytes = static_cast<std::uint64_t>(bytes_of(dtype));
    return at_byte(data, builder_.CreateMul(offset, builder_.getInt64(bytes)));
  }
  llvm::Value* minimum(llvm::Value* a, llvm::Value* b) {
    return builder_.CreateSelect(builder_.CreateICmpULT(a, b), a, b);
  }

  void load_arguments() {
    auto* const pointer = builder_.getPtrTy();
    auto* const call = function_->getArg(0);
    const auto load_array = [&](std::size_t offset, std::size_t count, std::size_t stride,
                                llvm::Type* type) {
      Values values;
      if (count == 0) return values;  // the array may be null
      auto* const array = field(call, offset, pointer);
      for (std::size_t i = 0; i < count; ++i) values.push_back(field(array, i * stride, type));
      return values;
    };
    const std::size_t tables = offsetof(KernelCall, tables);
    arguments_.first = field(call, offsetof(KernelCall, first), builder_.getInt64Ty());
    arguments_.count = field(call, offsetof(KernelCall, count), builder_.getInt64Ty());
    arguments_.inputs =
        load_array(offsetof(KernelCall, inputs), kernel_.inputs.size(), sizeof(void*), pointer);
    arguments_.scalars = load_array(offsetof(KernelCall, scalars), kernel_.scalar_count,
                                    sizeof(double), builder_.getDoubleTy());
    arguments_.spreads =
        load_array(offsetof(KernelCall, spreads), kernel_.spread_count, sizeof(void*), pointer);
    arguments_.stores =
        load_array(offsetof(KernelCall, stores), kernel_.stores.size(), sizeof(void*), pointer);
    arguments_.reductions = load_array(offsetof(KernelCall, reductions), kernel_.reductions.size(),
                                       sizeof(void*), pointer);
    if (kernel_.tables.empty()) return;
    auto* const array = field(call, tables, pointer);
    for (std::size_t i = 0; i < kernel_.tables.size(); ++i) {
      const std::size_t at = i * sizeof(Table);
      arguments_.table_entries.push_back(field(array, at + offsetof(Table, entries), pointer));
      arguments_.table_counts.push_back(
          field(array, at + offsetof(Table, count), builder_.getInt64Ty()));
    }
  }

  // for (i = begin; i < end; i += step) carried = body(i, carried);  gives the last `carried`.
  template <class Body>
  Values loop(const char* name, llvm::Value* begin, llvm::Value* end, std::uint64_t step,
              const Values& carried, Body body) {
    auto* const before = builder_.GetInsertBlock();
    auto* const head = block(name);
    auto* const inside = block("body");
    auto* const after = block("after");
    builder_.CreateBr(head);
    builder_.SetInsertPoint(head);
    auto* const i = builder_.CreatePHI(builder_.getInt64Ty(), 2);
    i->addIncoming(begin, before);
    llvm::SmallVector<llvm::PHINode*, 16> phis;
    for (llvm::Value* value : carried) {
      phis.push_back(builder_.CreatePHI(value->getType(), 2));
      phis.back()->addIncoming(value, before);
    }
    builder_.CreateCondBr(builder_.CreateICmpULT(i, end), inside, after);
    builder_.SetInsertPoint(inside);
    const Values next = body(i, Values(phis.begin(), phis.end()));
    i->addIncoming(builder_.CreateAdd(i, builder_.getInt64(step)), builder_.GetInsertBlock());
    for (std::size_t p = 0; p < phis.size(); ++p)
      phis[p]->addIncoming(next[p], builder_.GetInsertBlock());
    builder_.CreateBr(head);
    builder_.SetInsertPoint(after);
    return Values(phis.begin(), phis.end());
  }

  // --- runs of elements --------------------------------------------------------------------------

  // Elements [begin, end): vectors while there are step_, then singly. Partial reductions end up in
  // `partial_`, 16 for each.
  void emit_run(llvm::Value* begin, llvm::Value* end) {
    auto* const length = builder_.CreateSub(end, begin);
    auto* const whole = builder_.CreateAnd(length, builder_.getInt64(~std::uint64_t{step_ - 1}));
    auto* const middle = builder_.CreateAdd(begin, whole);
    Values start;
    Lanes lanes(builder_, width_, nullptr);
    for (const Reduction& reduction : kernel_.reductions)
      for (unsigned j = 0; j < kAccumulators; j += width_)
        start.push_back(lanes.f64(reduce_identity(reduction.op)).value);

    const Values sums =
        loop("vectors", begin, middle, step_, start, [&](llvm::Value* offset, Values carried) {
          emit_step(offset, width_, step_ / width_, carried);
          return carried;
        });
    for (std::size_t i = 0; i < sums.size(); ++i)
      lanes.store64(partial(i * width_), lanes.bits(F64{&lanes, sums[i]}));

    loop("singles", middle, end, 1, {}, [&](llvm::Value* offset, Values) {
      auto* const slot = builder_.CreateAnd(offset, builder_.getInt64(kAccumulators - 1));
      Lanes single(builder_, 1, nullptr);
      Values slots, carried;
      for (std::size_t r = 0; r < kernel_.reductions.size(); ++r) {
        slots.push_back(
            builder_.CreateGEP(builder_.getDoubleTy(), partial(r * kAccumulators), slot));
        carried.push_back(single.from_bits(single.load64(slots.back())).value);
      }
      emit_step(offset, 1, 1, carried);
      for (std::size_t r = 0; r < slots.size(); ++r)
        single.store64(slots[r], single.bits(F64{&single, carried[r]}));
      return Values();
    });
  }

  llvm::Value* partial(std::size_t position) {
    return builder_.CreateGEP(builder_.getDoubleTy(), partial_, builder_.getInt64(position));
  }

  // `count` vectors of `width` elements from `offset` on; adds to the accumulators in `carried`,
  // which holds those of each reduction in vectors of `width` (or, for single elements, the one
  // they add to).
  void emit_step(llvm::Value* offset, unsigned width, unsigned count, Values& carried) {
    drawn_.clear();
    std::vector<Part> parts;
    for (unsigned p = 0; p < count; ++p) {
      auto* const here = builder_.CreateAdd(offset, builder_.getInt64(p * width));
      auto* const index = builder_.CreateAdd(arguments_.first, here);
      parts.push_back({Lanes(builder_, width, index), here, p * width,
                       std::vector<Value>(kernel_.body.size())});
    }
    // The loop over a table's entries should serve all vectors at once. Without tables the vectors
    // go one after the other: fewer values are alive.
    const std::span<Part> all(parts);
    if (!kernel_.tables.empty()) {
      emit_body(all);
    } else {
      for (unsigned p = 0; p < count; ++p) emit_body(all.subspan(p, 1));
    }
    const std::size_t sums = width == 1 ? 1 : kAccumulators / width;
    for (std::size_t r = 0; r < kernel_.reductions.size(); ++r)
      for (unsigned p = 0; p < count; ++p) {
        llvm::Value*& sum = carried[r * sums + p % sums];
        sum = reduced(parts[p], kernel_.reductions[r], sum);
      }
  }

  llvm::Value* reduced(Part& part, const Reduction& reduction, llvm::Value* sum) {
    const Value b = reduction.b == kNone ? Value() : part.values[reduction.b];
    const F64 more = semantics::contribution(part.lanes, reduction.op, part.values[reduction.a], b);
    return semantics::combine(part.lanes, reduction.op, F64{&part.lanes, sum}, more).value;
  }

  // 8+8, 4+4, 2+2, 1+1, in place; the result goes to the slot of the block that begins at `begin`.
  void emit_folds(llvm::Value* begin) {
    auto* const slot = builder_.CreateUDiv(begin, builder_.getInt64(kBlock));
    for (std::size_t r = 0; r < kernel_.reductions.size(); ++r) {
      const ReduceOp op = kernel_.reductions[r].op;
      const std::size_t base = r * kAccumulators;
      for (unsigned width = kAccumulators / 2; width > 0; width /= 2) {
        Lanes lanes(builder_, width, nullptr);
        const F64 low = lanes.from_bits(lanes.load64(partial(base)));
        const F64 high = lanes.from_bits(lanes.load64(partial(base + width)));
        lanes.store64(partial(base), lanes.bits(semantics::combine(lanes, op, low, high)));
      }
      Lanes lanes(builder_, 1, nullptr);
      const F64 result = semantics::canonical(lanes, lanes.from_bits(lanes.load64(partial(base))));
      builder_.CreateStore(
          result.value, builder_.CreateGEP(builder_.getDoubleTy(), arguments_.reductions[r], slot));
    }
  }

  // --- the kernel's body -------------------------------------------------------------------------

  void emit_body(std::span<Part> parts) {
    for (std::size_t id = 0; id < kernel_.body.size(); ++id) {
      const Instruction& i = kernel_.body[id];
      if (i.kind == InstructionKind::linear) {
        emit_linear(parts, i, id);
      } else {
        for (Part& part : parts) part.values[id] = evaluate(part, i, id);
      }
    }
    for (std::size_t s = 0; s < kernel_.stores.size(); ++s)
      for (Part& part : parts) {
        const Store& store = kernel_.stores[s];
        storage::store(part.lanes, store.dtype, part.values[store.value].number,
                       element_address(arguments_.stores[s], part.offset, store.dtype));
      }
  }

  F64 scalar(Part& part, ScalarId id) {
    if (is_spread(id)) {
      auto* const data = arguments_.spreads[spread_index(id)];
      return part.lanes.from_bits(part.lanes.load64(element_address(data, part.offset, DType::f64)));
    }
    return part.lanes.template splat<Kind::f64>(arguments_.scalars[id]);
  }

  U32 whole_scalar(Part& part, ScalarId id) {
    auto* const word = builder_.CreateIntrinsic(llvm::Intrinsic::fptoui_sat,
                                                {builder_.getInt32Ty(), builder_.getDoubleTy()},
                                                {arguments_.scalars[id]});
    return part.lanes.template splat<Kind::u32>(word);
  }

  // In the main loop the four sixteens of a turn use the four words of the same blocks, drawn once.
  U32 random_bits(Part& part, const Instruction& i, std::size_t id, std::uint32_t draw) {
    const random::Field<Lanes> field{whole_scalar(part, i.a), whole_scalar(part, i.b),
                                     whole_scalar(part, i.c)};
    if (part.lanes.width() == 1 || !draws_in_runs_) return random::bits(part.lanes, field, draw);
    const std::tuple key(id, draw, part.position % 16);
    auto found = drawn_.find(key);
    if (found == drawn_.end())
      found = drawn_.emplace(key, random::words(part.lanes, field, draw)).first;
    return found->second.word[part.position / 16];
  }

  static Value operand(const Part& part, ValueId id) {
    return id == kNone ? Value() : part.values[id];
  }

  N load(Part& part, DType dtype, llvm::Value* data) {
    return storage::load(part.lanes, dtype, element_address(data, part.offset, dtype));
  }

  Value evaluate(Part& part, const Instruction& i, std::size_t id) {
    Lanes& lanes = part.lanes;
    switch (i.kind) {
      case InstructionKind::input: return load(part, kernel_.inputs[i.a], arguments_.inputs[i.a]);
      case InstructionKind::scalar: return lanes.narrow(scalar(part, i.a));
      case InstructionKind::op:
        return semantics::apply(lanes, i.op, operand(part, i.a), operand(part, i.b),
                                operand(part, i.c));
      case InstructionKind::uniform: return random::uniform(lanes, random_bits(part, i, id, 0));
      case InstructionKind::normal: {
        const U32 first = random_bits(part, i, id, 0);
        return random::normal(lanes, first, random_bits(part, i, id, 1));
      }
      case InstructionKind::bernoulli:
        return random::bernoulli(lanes, random_bits(part, i, id, 0), scalar(part, i.d));
      case InstructionKind::top:
        return semantics::top(lanes, part.values[i.a].number, lanes.narrow(scalar(part, i.b)),
                              scalar(part, i.c));
      case InstructionKind::linear: break;
    }
    ROUX_CHECK(!"an instruction that emit_body does not pass on");
    return {};
  }

  void emit_linear(std::span<Part> parts, const Instruction& i, std::size_t id) {
    Values sums;
    for (Part& part : parts)
      sums.push_back(i.a == kNone ? part.lanes.f64(semantics::kLinearStart).value
                                  : scalar(part, i.a).value);
    for (std::uint32_t t = i.b; t < i.b + i.c; ++t) {
      const LinearTerm& term = kernel_.terms[t];
      if (term.kind == LinearTerm::Kind::table) {
        emit_table(parts, term.index, sums);
        continue;
      }
      for (std::size_t p = 0; p < parts.size(); ++p) {
        Part& part = parts[p];
        sums[p] = semantics::linear_step(part.lanes, F64{&part.lanes, sums[p]},
                                         scalar(part, term.scale), part.values[term.index].number)
                      .value;
      }
    }
    for (std::size_t p = 0; p < parts.size(); ++p) {
      F64 sum{&parts[p].lanes, sums[p]};
      if (i.d != kNone) sum = sum * scalar(parts[p], i.d);
      parts[p].values[id] = parts[p].lanes.narrow(sum);
    }
  }

  // for (entry : table) if (entry.coefficient != 0) sums += entry.coefficient * entry.data[...];
  void emit_table(std::span<Part> parts, std::uint32_t table, Values& sums) {
    sums = loop("entries", builder_.getInt64(0), arguments_.table_counts[table], 1, sums,
                [&](llvm::Value* e, Values before) {
                  auto* const bytes = builder_.CreateMul(e, builder_.getInt64(sizeof(TableEntry)));
                  auto* const entry = at_byte(arguments_.table_entries[table], bytes);
                  auto* const coefficient =
                      field(entry, offsetof(TableEntry, coefficient), builder_.getDoubleTy());
                  auto* const from = builder_.GetInsertBlock();
                  auto* const take = block("take");
                  auto* const join = block("join");
                  auto* const zero = llvm::ConstantFP::get(builder_.getDoubleTy(), 0.0);
                  builder_.CreateCondBr(builder_.CreateFCmpOEQ(coefficient, zero), join, take);

                  builder_.SetInsertPoint(take);
                  auto* const data = field(entry, offsetof(TableEntry, data), builder_.getPtrTy());
                  Values taken;
                  for (std::size_t p = 0; p < parts.size(); ++p) {
                    Lanes& lanes = parts[p].lanes;
                    const N x = load(parts[p], kernel_.tables[table], data);
                    const F64 weight = lanes.template splat<Kind::f64>(coefficient);
                    const F64 sum{&lanes, before[p]};
                    taken.push_back(semantics::linear_step(lanes, sum, weight, x).value);
                  }
                  builder_.CreateBr(join);

                  builder_.SetInsertPoint(join);
                  Values after;
                  for (std::size_t p = 0; p < parts.size(); ++p) {
                    auto* const phi = builder_.CreatePHI(before[p]->getType(), 2);
                    phi->addIncoming(before[p], from);
                    phi->addIncoming(taken[p], take);
                    after.push_back(phi);
                  }
                  return after;
                });
  }

  const Kernel& kernel_;
  llvm::Function* function_;
  llvm::IRBuilder<> builder_;
  unsigned width_;
  bool draws_in_runs_;
  unsigned step_;  // elements in a turn of the main loop
  Arguments arguments_;
  // Words of random fields by instruction, draw and position in a sixteen; of the turn being
  // emitted. They belong to the first sixteen's lanes, but a value is a value in the others too.
  std::map<std::tuple<std::size_t, std::uint32_t, unsigned>, random::Words<Lanes>> drawn_;
  llvm::Value* partial_ = nullptr;  // 16 accumulators for each reduction, between loops
};

}  // namespace

// The shape of what is made. A kernel
//
//   kernel f32
//   inputs bf16
//   scalars 1
//   %0 = input 0
//   %1 = linear [%0 * $0]
//   store bf16 %1
//   reduce sum %1
//
// means, in C (widths of vectors left out; without reductions there is one block, the whole run)
//
//   for (begin = 0; begin < call->count; begin += 4096) {
//     end = min(begin + 4096, call->count);
//     for (i = begin; i < middle; i += 16)            // whole sixteens (64s if it draws or has tables)
//       for (lane = 0; lane < 16; ++lane) {
//         x = (float)(-0.0 + call->scalars[0] * load_bf16(input + i + lane));
//         store_bf16(output + i + lane, x);
//         partial[lane] += x;
//       }
//     for (i = middle; i < end; ++i) ...                            // the same, one by one
//     partial[0..8) += partial[8..16);  partial[0..4) += partial[4..8);  ...
//     call->reductions[0][begin / 4096] = partial[0];
//   }
//
// and becomes, for width 8 (the middle of the first inner loop)
//
//   vectors:
//     %i     = phi i64 [ %begin, ... ], [ %next, ... ]
//     %sum0  = phi <8 x double> ...             ; accumulators 0..7
//     %sum1  = phi <8 x double> ...             ; accumulators 8..15
//   body:
//     %raw   = load <8 x i16>, ptr %address, align 1
//     %wide  = zext <8 x i16> %raw to <8 x i32>
//     %bits  = shl <8 x i32> %wide, splat (i32 16)
//     %x     = bitcast <8 x i32> %bits to <8 x float>
//     %x64   = fpext <8 x float> %x to <8 x double>
//     %term  = fmul <8 x double> %coefficient, %x64
//     %added = fadd <8 x double> splat (double -0.0), %term
//     %taken = select <8 x i1> %is_zero, <8 x double> splat (double -0.0), <8 x double> %added
//     %y     = fptrunc <8 x double> %taken to <8 x float>
//     ...
OwnedModule emit_kernel(const Kernel& kernel, const std::string& name, unsigned width) {
  OwnedModule made;
  made.context = std::make_unique<llvm::LLVMContext>();
  made.module = std::make_unique<llvm::Module>(name, *made.context);
  auto* const pointer = llvm::PointerType::get(*made.context, 0);
  auto* const type =
      llvm::FunctionType::get(llvm::Type::getVoidTy(*made.context), {pointer}, false);
  auto* const function =
      llvm::Function::Create(type, llvm::Function::ExternalLinkage, name, *made.module);
  function->addFnAttr(llvm::Attribute::NoUnwind);
  if (kernel.lane == LaneType::f64) {
    KernelEmitter<F64>(kernel, function, width).emit();
  } else {
    KernelEmitter<F32>(kernel, function, width).emit();
  }
  return made;
}

}  // namespace roux::llvm_backend
