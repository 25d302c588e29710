#include "api/nonfinite.h"

#include <algorithm>

#include "base/text.h"

namespace roux {
namespace {

constexpr std::size_t kShown = 3;

std::string per_tensor(std::span<const Nonfinite> found) {
  std::vector<std::string> parts;
  for (const Nonfinite& tensor : found.first(std::min(found.size(), kShown)))
    parts.push_back(std::to_string(tensor.values) + " in " + quoted(tensor.tensor));
  std::string text = join(parts, ", ");
  if (found.size() > kShown) text += " and more in " + format_count(found.size() - kShown, "other tensor");
  return text;
}

// Types that hold what this one does not, the narrowest first.
std::string wider_than(DType dtype) {
  switch (dtype) {
    case DType::bf16: return "`dtype = f32`";
    case DType::f32:
    case DType::f64: return "`dtype = f64`";
    default: return "`dtype = bf16` or `f32`";
  }
}

}  // namespace

std::optional<Diagnostic> explain_nonfinite(std::span<const Nonfinite> found, const std::string& what,
                                            bool refuse, Span span) {
  if (found.empty()) return std::nullopt;
  std::uint64_t values = 0, overflows = 0;
  const Nonfinite* overflowing = nullptr;
  for (const Nonfinite& tensor : found) {
    values += tensor.values;
    overflows += tensor.overflows;
    if (tensor.overflows && !overflowing) overflowing = &tensor;
  }
  const std::string message = format_count(values, "value") + " of " + what + (values == 1 ? " is" : " are") +
                              " infinite or not a number: " + per_tensor(found);
  Diagnostic diagnostic = refuse ? error(DiagnosticKind::nonfinite_refused, span, message)
                                 : warning(DiagnosticKind::not_finite, span, message);
  diagnostic.tensor = found.front().tensor;
  if (!overflowing) {
    diagnostic.help = "does an input hold them, or is something divided by 0? `isfinite` tells where they are";
    return diagnostic;
  }
  const std::string which = overflows < values ? std::to_string(overflows) + " of them are"
                                               : (values == 1 ? "it is" : "they are");
  diagnostic.notes.push_back(
      {{}, which + " finite as computed, but too large for " + std::string(name_of(overflowing->dtype))});
  diagnostic.help = "save in a type that reaches further: " + wider_than(overflowing->dtype);
  return diagnostic;
}

}  // namespace roux
