// What stands behind a Session: one graph, one performance and one evaluator that live as long as it, the scope
// with its names, and the entries that succeeded. A scope is never changed once its entry is done: the next
// entry binds its names in a copy, so that a failed one leaves nothing and functions keep what they saw.
#pragma once

#include <deque>

#include "api/engine_state.h"
#include "api/performance.h"
#include "api/rehearsal.h"
#include "api/session.h"
#include "compiler/interpret/evaluator.h"

namespace roux {

inline constexpr char kLastValue[] = "_";  // the name it is bound to

// One that succeeded.
struct Entry {
  const ast::Module* module;
  std::vector<std::string> saved;  // paths, in order
  std::optional<Span> result;      // the expression whose value became `_`
  Settings settings;               // in force then: texts for its `param`s
};

struct Session::State {
  State(Engine::State& engine, const Arguments& arguments);
  ~State();

  Engine::State& engine;
  Options options;  // the session's own
  Arguments arguments;  // its settings may change
  Events events;    // of the entry at hand
  Graph graph;
  Imports imports;  // files that any entry imports
  Performance performance;
  Evaluator evaluator;
  std::shared_ptr<Environment> scope;
  std::deque<ast::Module> modules;  // of all that was entered: functions point into them
  std::vector<Entry> entries;
  std::size_t entered = 0;  // all attempts
};

// A text tried out: parsed, checked and evaluated over copies of what the session knows. The session does not
// notice; what the trial made must not outlive it.
struct Trial {
  Trial(Session::State& session, const ast::Module& module);

  Graph graph;
  Rehearsal rehearsal;
  Evaluator evaluator;
  std::shared_ptr<Environment> scope;
  Evaluated evaluated;
};

// What was entered, parsed and statically checked against the session's names.
Result<const ast::Module*> understand(Session::State& session, std::string name, const std::string& text,
                                      Diagnostics& findings);

// The entries that succeeded, as a recipe.
std::string recipe_of(const Session::State& session);

}  // namespace roux
