#include "base/text.h"
#include "runtime/backend/backend.h"
#include "runtime/backend/llvm/llvm_backend.h"
#include "runtime/backend/reference/reference.h"

namespace roux {
namespace {

struct BackendRow {
  std::string_view name;
  Result<std::unique_ptr<Backend>> (*make)(const BackendOptions&);
};

Result<std::unique_ptr<Backend>> make_reference(const BackendOptions&) {
  return make_reference_backend();
}

// The first is the default.
constexpr BackendRow kBackends[] = {
    {"llvm", make_llvm_backend},
    {"reference", make_reference},
};

}  // namespace

std::vector<std::string> backend_names() {
  std::vector<std::string> names;
  for (const BackendRow& row : kBackends) names.emplace_back(row.name);
  return names;
}

Result<std::unique_ptr<Backend>> make_backend(std::string_view name,
                                              const BackendOptions& options) {
  for (const BackendRow& row : kBackends)
    if (row.name == name) return row.make(options);
  auto unknown = error(DiagnosticKind::bad_option, {}, "unknown backend " + quoted(name));
  unknown.help = "backends are " + join(backend_names(), ", ");
  return unknown;
}

}  // namespace roux
