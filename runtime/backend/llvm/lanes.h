// The lane context that emits LLVM instructions (see runtime/kernel/lanes.h for what a context is):
// each operation of a value appends one instruction that computes it for `width` elements at once.
// With a width of 1 the types are scalars: that is how the last elements of a run are computed.
// Only basic blocks' contents are made here; loops and memory of arguments are in emit.cpp.
#pragma once

#include <concepts>
#include <cstdint>
#include <type_traits>

#include <llvm/IR/IRBuilder.h>

namespace roux::llvm_backend {

enum class Kind { f32, f64, u32, u64, mask };

class EmitContext;

// A value being emitted: `width` elements of a kind.
template <Kind K>
struct Emitted {
  EmitContext* context = nullptr;
  llvm::Value* value = nullptr;
};

using F32 = Emitted<Kind::f32>;
using F64 = Emitted<Kind::f64>;
using U32 = Emitted<Kind::u32>;
using U64 = Emitted<Kind::u64>;
using Mask = Emitted<Kind::mask>;

template <Kind K>
inline constexpr bool kIsFloat = K == Kind::f32 || K == Kind::f64;
template <Kind K>
inline constexpr bool kIsWord = K == Kind::u32 || K == Kind::u64;

// What may stand as a constant beside a value: the exact type of floats, unsigned words no wider.
template <class C, Kind K>
concept ConstantOf = (K == Kind::f32 && std::same_as<C, float>) ||
                     (K == Kind::f64 && std::same_as<C, double>) ||
                     (K == Kind::u32 && std::unsigned_integral<C> && sizeof(C) <= 4) ||
                     (K == Kind::u64 && std::unsigned_integral<C>);

// What does not depend on the lane type: types, constants, conversions, memory.
class EmitContext {
 public:
  // `index`: of the first element in its tensor, an i64; null if nothing asks for it.
  EmitContext(llvm::IRBuilder<>& builder, unsigned width, llvm::Value* index)
      : builder_(&builder), width_(width), index_(index) {}

  llvm::IRBuilder<>& builder() { return *builder_; }
  unsigned width() const { return width_; }

  template <Kind K>
  llvm::Type* element_type() {
    switch (K) {
      case Kind::f32: return builder_->getFloatTy();
      case Kind::f64: return builder_->getDoubleTy();
      case Kind::u32: return builder_->getInt32Ty();
      case Kind::u64: return builder_->getInt64Ty();
      case Kind::mask: return builder_->getInt1Ty();
    }
    return nullptr;
  }
  template <Kind K>
  llvm::Type* type() {
    return vector_of(element_type<K>());
  }
  llvm::Type* vector_of(llvm::Type* element) {
    return width_ == 1 ? element : llvm::FixedVectorType::get(element, width_);
  }

  template <Kind K, class C>
  Emitted<K> constant(C c) {
    if constexpr (kIsFloat<K>) {
      return {this, llvm::ConstantFP::get(type<K>(), c)};
    } else {
      return {this, llvm::ConstantInt::get(type<K>(), static_cast<std::uint64_t>(c))};
    }
  }
  // The same value in every lane.
  template <Kind K>
  Emitted<K> splat(llvm::Value* scalar) {
    return {this, width_ == 1 ? scalar : builder_->CreateVectorSplat(width_, scalar)};
  }

  F32 f32(float value) { return constant<Kind::f32>(value); }
  F64 f64(double value) { return constant<Kind::f64>(value); }
  U32 u32(std::uint32_t value) { return constant<Kind::u32>(value); }
  U64 u64(std::uint64_t value) { return constant<Kind::u64>(value); }
  Mask mask(bool value) { return constant<Kind::mask>(value); }

  template <Kind K>
  Emitted<K> select(Mask condition, Emitted<K> if_true, Emitted<K> if_false) {
    return {this, builder_->CreateSelect(condition.value, if_true.value, if_false.value)};
  }

  U32 bits(F32 x) { return {this, builder_->CreateBitCast(x.value, type<Kind::u32>())}; }
  U64 bits(F64 x) { return {this, builder_->CreateBitCast(x.value, type<Kind::u64>())}; }
  F32 from_bits(U32 x) { return {this, builder_->CreateBitCast(x.value, type<Kind::f32>())}; }
  F64 from_bits(U64 x) { return {this, builder_->CreateBitCast(x.value, type<Kind::f64>())}; }

  U64 widen(U32 x) { return {this, builder_->CreateZExt(x.value, type<Kind::u64>())}; }
  U32 low(U64 x) { return {this, builder_->CreateTrunc(x.value, type<Kind::u32>())}; }
  F64 widen(F32 x) { return {this, builder_->CreateFPExt(x.value, type<Kind::f64>())}; }
  F64 widen(F64 x) { return x; }
  F32 to_f32(F64 x) { return {this, builder_->CreateFPTrunc(x.value, type<Kind::f32>())}; }
  F32 to_f32(U32 x) { return {this, builder_->CreateSIToFP(x.value, type<Kind::f32>())}; }
  F64 to_f64(U32 x) { return {this, builder_->CreateUIToFP(x.value, type<Kind::f64>())}; }

  F32 sqrt(F32 x) { return {this, square_root(x.value)}; }
  F64 sqrt(F64 x) { return {this, square_root(x.value)}; }

  U32 load8(llvm::Value* p) { return load_narrow(p, builder_->getInt8Ty()); }
  U32 load16(llvm::Value* p) { return load_narrow(p, builder_->getInt16Ty()); }
  U32 load32(llvm::Value* p) { return {this, load_bytes(p, type<Kind::u32>())}; }
  U64 load64(llvm::Value* p) { return {this, load_bytes(p, type<Kind::u64>())}; }
  void store8(llvm::Value* p, U32 bits) { store_narrow(p, bits, builder_->getInt8Ty()); }
  void store16(llvm::Value* p, U32 bits) { store_narrow(p, bits, builder_->getInt16Ty()); }
  void store32(llvm::Value* p, U32 bits) { store_bytes(p, bits.value); }
  void store64(llvm::Value* p, U64 bits) { store_bytes(p, bits.value); }

  U32 index_low() {
    return {this, builder_->CreateAdd(
                      splat<Kind::u32>(builder_->CreateTrunc(index_, builder_->getInt32Ty())).value,
                      lane_numbers<Kind::u32>())};
  }
  // A vector may begin anywhere, so its indices may differ in the high half, too.
  U32 index_high() {
    auto* const index = builder_->CreateAdd(splat<Kind::u64>(index_).value, lane_numbers<Kind::u64>());
    auto* const high = builder_->CreateLShr(index, constant<Kind::u64>(32u).value);
    return {this, builder_->CreateTrunc(high, type<Kind::u32>())};
  }
  F64 index_f64() {
    auto* const first = builder_->CreateUIToFP(index_, builder_->getDoubleTy());
    return {this, builder_->CreateFAdd(splat<Kind::f64>(first).value, lane_numbers<Kind::f64>())};
  }

 private:
  llvm::Value* square_root(llvm::Value* x) {
    return builder_->CreateUnaryIntrinsic(llvm::Intrinsic::sqrt, x);
  }
  llvm::Value* load_bytes(llvm::Value* p, llvm::Type* type) {
    return builder_->CreateAlignedLoad(type, p, llvm::Align(1));
  }
  void store_bytes(llvm::Value* p, llvm::Value* value) {
    builder_->CreateAlignedStore(value, p, llvm::Align(1));
  }
  U32 load_narrow(llvm::Value* p, llvm::Type* element) {
    return {this, builder_->CreateZExt(load_bytes(p, vector_of(element)), type<Kind::u32>())};
  }
  void store_narrow(llvm::Value* p, U32 bits, llvm::Type* element) {
    store_bytes(p, builder_->CreateTrunc(bits.value, vector_of(element)));
  }

  // 0, 1, 2, ... width - 1.
  template <Kind K>
  llvm::Value* lane_numbers() {
    llvm::SmallVector<llvm::Constant*, 16> numbers;
    for (unsigned lane = 0; lane < width_; ++lane) {
      if constexpr (kIsFloat<K>) {
        numbers.push_back(llvm::ConstantFP::get(element_type<K>(), lane));
      } else {
        numbers.push_back(llvm::ConstantInt::get(element_type<K>(), lane));
      }
    }
    return width_ == 1 ? numbers[0] : llvm::ConstantVector::get(numbers);
  }

  llvm::IRBuilder<>* builder_;
  unsigned width_;
  llvm::Value* index_;
};

// The whole context, for kernels of one lane type: N is F32 or F64.
template <class N>
class EmitLanes : public EmitContext {
 public:
  using F32 = llvm_backend::F32;
  using F64 = llvm_backend::F64;
  using U32 = llvm_backend::U32;
  using U64 = llvm_backend::U64;
  using Mask = llvm_backend::Mask;
  using Number = N;
  using Bits = std::conditional_t<std::is_same_v<N, F32>, U32, U64>;
  using Source = llvm::Value*;
  using Target = llvm::Value*;

  using EmitContext::EmitContext;

  Number number(double value) {
    if constexpr (std::is_same_v<N, F32>) {
      return f32(static_cast<float>(value));
    } else {
      return f64(value);
    }
  }
  Number narrow(F64 x) {
    if constexpr (std::is_same_v<N, F32>) {
      return to_f32(x);
    } else {
      return x;
    }
  }
};

// --- operators -----------------------------------------------------------------------------------

template <Kind K>
Emitted<K> emit_binary(Emitted<K> a, Emitted<K> b, llvm::Instruction::BinaryOps op) {
  return {a.context, a.context->builder().CreateBinOp(op, a.value, b.value)};
}

template <Kind K>
Mask emit_compare(Emitted<K> a, Emitted<K> b, llvm::CmpInst::Predicate floats,
                  llvm::CmpInst::Predicate words) {
  return {a.context,
          a.context->builder().CreateCmp(kIsFloat<K> ? floats : words, a.value, b.value)};
}

// One operator between values of a kind, and the same with a constant at its right.
#define ROUX_BINARY(symbol, condition, op)                                                         \
  template <Kind K>                                                                                \
  requires(condition) Emitted<K>                                                                   \
  operator symbol(Emitted<K> a, Emitted<K> b) { return emit_binary(a, b, llvm::Instruction::op); } \
  template <Kind K, ConstantOf<K> C>                                                               \
  requires(condition) Emitted<K>                                                                   \
  operator symbol(Emitted<K> a, C c) {                                                             \
    return emit_binary(a, a.context->template constant<K>(c), llvm::Instruction::op);              \
  }
ROUX_BINARY(+, kIsFloat<K>, FAdd)
ROUX_BINARY(-, kIsFloat<K>, FSub)
ROUX_BINARY(*, kIsFloat<K>, FMul)
ROUX_BINARY(/, kIsFloat<K>, FDiv)
ROUX_BINARY(+, kIsWord<K>, Add)
ROUX_BINARY(-, kIsWord<K>, Sub)
ROUX_BINARY(*, kIsWord<K>, Mul)
ROUX_BINARY(&, !kIsFloat<K>, And)
ROUX_BINARY(|, !kIsFloat<K>, Or)
ROUX_BINARY(^, !kIsFloat<K>, Xor)
#undef ROUX_BINARY

#define ROUX_COMPARE(symbol, floats, words)                                           \
  template <Kind K>                                                                   \
  Mask operator symbol(Emitted<K> a, Emitted<K> b) {                                  \
    return emit_compare(a, b, llvm::CmpInst::floats, llvm::CmpInst::words);           \
  }                                                                                   \
  template <Kind K, ConstantOf<K> C>                                                  \
  Mask operator symbol(Emitted<K> a, C c) {                                           \
    return emit_compare(a, a.context->template constant<K>(c), llvm::CmpInst::floats, \
                        llvm::CmpInst::words);                                        \
  }
ROUX_COMPARE(==, FCMP_OEQ, ICMP_EQ)
ROUX_COMPARE(!=, FCMP_UNE, ICMP_NE)
ROUX_COMPARE(<, FCMP_OLT, ICMP_ULT)
ROUX_COMPARE(<=, FCMP_OLE, ICMP_ULE)
ROUX_COMPARE(>, FCMP_OGT, ICMP_UGT)
ROUX_COMPARE(>=, FCMP_OGE, ICMP_UGE)
#undef ROUX_COMPARE

template <Kind K>
requires(kIsWord<K>) Emitted<K>
operator<<(Emitted<K> a, int count) {
  const auto by = a.context->template constant<K>(static_cast<unsigned>(count));
  return emit_binary(a, by, llvm::Instruction::Shl);
}

template <Kind K>
requires(kIsWord<K>) Emitted<K>
operator>>(Emitted<K> a, int count) {
  const auto by = a.context->template constant<K>(static_cast<unsigned>(count));
  return emit_binary(a, by, llvm::Instruction::LShr);
}

inline Mask operator!(Mask a) { return {a.context, a.context->builder().CreateNot(a.value)}; }

}  // namespace roux::llvm_backend
