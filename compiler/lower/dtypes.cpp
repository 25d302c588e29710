#include <algorithm>

#include "base/text.h"
#include "compiler/lower/output.h"

namespace roux {
namespace {

// f16 and bf16 hold different values: the type that holds both is f32.
DType widest_of(DType a, DType b) {
  if (a == b) return a;
  if (bytes_of(a) != bytes_of(b)) return bytes_of(a) > bytes_of(b) ? a : b;
  return bytes_of(a) == 2 ? DType::f32 : DType::f16;
}

Diagnostic disagreement(const Domain::Tensor& tensor, const Checkpoint& a, DType in_a, const Checkpoint& b,
                        DType in_b, Span span) {
  return error(DiagnosticKind::dtype_mismatch, span,
               "tensor " + quoted(tensor.name) + " is " + std::string(name_of(in_a)) + " in " + quoted(a.path()) +
                   " and " + std::string(name_of(in_b)) + " in " + quoted(b.path()) +
                   ", and there is no base to follow")
      .hint("say what to save as: `dtype = widest`, or `dtype = bf16`, `f32`, ...")
      .about(tensor.name, {a.path(), b.path()});
}

Diagnostic conversion(const Checkpoint& quantized, DType to, Span span) {
  return error(DiagnosticKind::quantized, span,
               quoted(quantized.path()) + " is quantized (" + *quantized.quantized() +
                   "); its numbers cannot be converted to " + std::string(name_of(to)))
      .hint("copy it as it is (`dtype = same`), or dequantize it first");
}

}  // namespace

Result<std::vector<DType>> output_dtypes(const Domain& domain, const OperandsOf& operands_of, const Checkpoint* base,
                                         const std::string& dtype, Span span) {
  if (const auto fixed = dtype_from_name(dtype)) {
    for (const Domain::Tensor& tensor : domain.tensors)
      for (const Checkpoint::Ptr& operand : operands_of(tensor.name))
        if (operand->quantized()) return conversion(*operand, *fixed, span);
    return std::vector<DType>(domain.tensors.size(), *fixed);
  }
  std::vector<DType> dtypes;
  for (const Domain::Tensor& tensor : domain.tensors) {
    std::optional<DType> agreed;
    const Checkpoint* first = nullptr;
    for (const Checkpoint::Ptr& operand : operands_of(tensor.name)) {
      const auto index = operand->find(tensor.name);
      if (!index) continue;
      const DType own = operand->tensors()[*index].dtype;
      if (!agreed) {
        agreed = own;
        first = operand.get();
      } else if (dtype == "widest") {
        agreed = widest_of(*agreed, own);
      } else if (own != *agreed) {
        const auto in_base = base ? base->find(tensor.name) : std::nullopt;
        if (!in_base) return disagreement(tensor, *first, *agreed, *operand, own, span);
        agreed = base->tensors()[*in_base].dtype;
        break;
      }
    }
    dtypes.push_back(agreed.value_or(DType::f32));
  }
  return dtypes;
}

}  // namespace roux
