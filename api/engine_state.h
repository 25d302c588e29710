// What stands behind an Engine, for the files of api/ that share it: its options, the texts that diagnostics
// point into, the library and the compiled kernels. Also what all doors of the engine do alike: bugs become
// diagnostics, errors are sorted, notes are told once.
#pragma once

#include <exception>
#include <memory>
#include <new>
#include <set>
#include <stdexcept>

#include "api/roux.h"
#include "base/float_environment.h"
#include "compiler/interpret/evaluator.h"
#include "compiler/sema/imports.h"
#include "compiler/sema/library.h"
#include "runtime/exec/executor.h"

namespace roux {

struct Recipe::State {
  const Engine::State* engine = nullptr;  // that compiled it: its texts are where the spans point
  std::string text;
  ast::Module module;
  Imports imports;
  std::map<std::string, std::string> imported_texts;  // by path from the recipe
  Diagnostics findings;  // of the static check; errors too, to be told together with what headers tell
};

struct BoundRecipe::State {
  Recipe recipe;
  Arguments arguments;
  Diagnostics notes;
  PlanSummary plan;
  std::vector<std::string> output_paths;
};

struct Engine::State {
  Options options;
  SourceMap sources;
  Library library{sources, embedded_library()};
  std::unique_ptr<KernelCache> kernels;
  std::set<std::string> paths_seen;  // by the last `compile` and `check`
};

Diagnostic internal_error(const std::exception& bug);

// What a callback of the host threw, on its way out of the engine.
class HostError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};
// The same callbacks, throwing nothing but HostError.
Events fenced(const Events& events);
ReadImport fenced(const ReadImport& read);

// Errors only, each once, in the order of the text, at most as many as people read.
Diagnostics errors_of(Diagnostics findings);

// Adds what evaluating found. Where the text alone is wrong already, evaluating it only says so again.
void add_evaluated(Diagnostics& findings, Diagnostics evaluated);

// The same events, but every note once: a run finds again what its rehearsal found.
Events told_once(const Events& events);

inline ControlLimits limits_of(const Options& options) { return {options.max_depth, options.max_steps}; }

// 0 is every core.
Result<int> thread_count(long wanted);

// Runs `body`, turning what only a bug can throw into a diagnostic.
template <class F>
auto guarded(F body) -> decltype(body()) {
  const DefaultFloatEnvironment floats;  // the host may round otherwise, or flush denormals
  try {
    return body();
  } catch (const HostError& thrown) {
    return Diagnostics{error(DiagnosticKind::host_failed, {}, thrown.what())};
  } catch (const std::bad_alloc&) {
    return Diagnostics{error(DiagnosticKind::memory_budget, {}, "out of memory")};
  } catch (const std::exception& bug) {
    return Diagnostics{internal_error(bug)};
  }
}

}  // namespace roux
