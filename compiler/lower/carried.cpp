#include "base/text.h"
#include "compiler/lower/output.h"

namespace roux {
namespace {

constexpr std::string_view kCounter = "num_batches_tracked";

Diagnostic missing(const std::string& tensor, const Checkpoint& from, const Checkpoint& other, Span span) {
  return error(DiagnosticKind::missing_tensor, span,
               quoted(from.path()) + " lacks the integer tensor " + quoted(tensor) + " that " +
                   quoted(other.path()) + " has")
      .hint("`align(models, missing = base)` takes it from the base, `missing = skip` leaves it out")
      .about(tensor, {from.path(), other.path()});
}

std::string type_text(const TensorInfo& info) {
  return std::string(name_of(info.dtype)) + " " + format_shape(info.shape);
}

Diagnostic different(const TensorInfo& a, const Checkpoint& in_a, const TensorInfo& b, const Checkpoint& in_b,
                     Span span) {
  return error(DiagnosticKind::shape_mismatch, span,
               "tensor " + quoted(a.name) + " is " + type_text(a) + " in " + quoted(in_a.path()) + " and " +
                   type_text(b) + " in " + quoted(in_b.path()))
      .hint("`align(models, shapes = base)` takes it from the base, `shapes = skip` leaves it out")
      .about(a.name, {in_a.path(), in_b.path()});
}

bool is_carried(const TensorInfo& tensor) { return !is_floating(tensor.dtype); }

}  // namespace

Result<std::vector<CarriedTensor>> carried_tensors(std::span<const Checkpoint::Ptr> models,
                                                   std::span<const std::uint32_t> ids, Span span) {
  std::vector<CarriedTensor> carried;
  if (models.empty()) return carried;
  const Checkpoint& first = *models[0];
  for (const Checkpoint::Ptr& other : models.subspan(1))
    for (const TensorInfo& tensor : other->tensors())
      if (is_carried(tensor) && !first.find(tensor.name)) return missing(tensor.name, first, *other, span);

  for (std::size_t t = 0; t < first.tensors().size(); ++t) {
    const TensorInfo& tensor = first.tensors()[t];
    if (!is_carried(tensor)) continue;
    CarriedTensor entry{.name = tensor.name, .dtype = tensor.dtype, .byte_count = tensor.byte_count};
    const bool counter = tensor.name == kCounter || tensor.name.ends_with("." + std::string(kCounter));
    if (counter) entry.rule = CarriedTensor::Rule::largest;
    for (std::size_t m = 0; m < models.size(); ++m) {
      const auto index = models[m]->find(tensor.name);
      if (!index) return missing(tensor.name, *models[m], first, span);
      const TensorInfo& own = models[m]->tensors()[*index];
      if (own.dtype != tensor.dtype || own.shape != tensor.shape)
        return different(tensor, first, own, *models[m], span);
      entry.places.push_back({ids[m], static_cast<std::uint32_t>(*index)});
    }
    carried.push_back(std::move(entry));
  }
  return carried;
}

}  // namespace roux
