// The engine: text to recipe, recipe to rehearsal, rehearsal to run. Straight-line; the stages are functions
// of compiler/ and runtime/. Bugs of ours, thrown as InternalError, end here as diagnostics.
#include <algorithm>
#include <chrono>

#include "api/diagnostic_json.h"
#include "api/modules.h"
#include "api/session_state.h"
#include "base/limits.h"
#include "base/text.h"
#include "compiler/format/format.h"
#include "compiler/sema/check.h"
#include "compiler/sema/loads.h"
#include "compiler/sema/manual.h"
#include "compiler/sema/search.h"
#include "compiler/syntax/parse.h"

namespace roux {
namespace {

template <class T>
Diagnostics errors_in(const Result<T>& result) {
  return result ? Diagnostics{} : result.error();
}

std::string unknown_setting_hint(const std::string& name, const std::string& type,
                                 const std::vector<std::string>& params) {
  if (auto near = nearest(name, params)) return "nearest is " + quoted(*near);
  if (params.empty()) return "declare it: `param " + name + ": " + type + "`";
  std::vector<std::string> shown;
  for (const std::string& param : params) shown.push_back(quoted(param));
  return "its parameters: " + join(shown, ", ");
}

// Each argument belongs to a `param`, and each `param` has one at most.
Diagnostics check_arguments(const Recipe::State& recipe, const Arguments& arguments) {
  std::vector<std::string> given;
  for (const auto& [name, text] : arguments.settings) given.push_back(name);
  for (const auto& [name, scorer] : arguments.scorers) given.push_back(name);
  std::vector<std::string> params;
  Diagnostics findings;
  std::map<const ast::Parameter*, std::string> taken;
  for (const Settable& settable : settables(recipe.module, recipe.imports)) {
    params.push_back(settable.name);
    for (std::ptrdiff_t times = std::count(given.begin(), given.end(), settable.name); times > 0; --times) {
      const auto [first, fresh] = taken.emplace(settable.parameter, settable.name);
      if (!fresh)
        findings.push_back(error(DiagnosticKind::doubled_argument, settable.parameter->name.span,
                                 first->second == settable.name
                                     ? "this parameter is given both a text and a scorer"
                                     : "this parameter is set twice, as " + quoted(first->second) + " and as " +
                                           quoted(settable.name)));
    }
  }
  for (const auto& [name, scorer] : arguments.scorers)
    if (!scorer.score)
      findings.push_back(error(DiagnosticKind::bad_option, {}, "the scorer " + quoted(name) + " has no function"));
  for (const std::string& name : given)
    if (std::find(params.begin(), params.end(), name) == params.end())
      findings.push_back(error(DiagnosticKind::unknown_parameter, {}, "the recipe has no parameter " + quoted(name))
                             .hint(unknown_setting_hint(name, arguments.scorers.contains(name) ? "scorer" : "number = 0.5", params)));
  return findings;
}

}  // namespace

std::string_view version() { return ROUX_VERSION; }

Result<Engine> Engine::create(const Options& options) {
  return guarded([&]() -> Result<Engine> {
    auto state = std::make_unique<State>();
    state->options = options;
    state->options.read_import = fenced(options.read_import);
    ROUX_TRY(state->options.threads, thread_count(options.threads));
    if (options.max_depth < 1 || options.max_depth > limits::kEvaluationDepth)
      return error(DiagnosticKind::bad_option, {},
                   "calls may be nested from 1 to " + std::to_string(limits::kEvaluationDepth) + " deep, got " +
                       std::to_string(options.max_depth));
    if (options.max_steps < 1) return error(DiagnosticKind::bad_option, {}, "control needs at least one step, got 0");
    if (options.tile_elements % kBlock != 0)
      return error(DiagnosticKind::bad_option, {}, "a tile is a multiple of " + std::to_string(kBlock) + " elements");
    ROUX_TRY(auto backend, make_backend(options.backend, {.vector_width = options.vector_width,
                                                          .optimize = options.optimize}));
    state->kernels = std::make_unique<KernelCache>(std::move(backend));
    return Engine(std::move(state));
  });
}

Engine::Engine(std::unique_ptr<State> state) : state_(std::move(state)) {}
Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;
Engine::~Engine() = default;

Result<Recipe> Engine::compile(std::string name, std::string text) {
  return guarded([&]() -> Result<Recipe> {
    state_->paths_seen = {name};
    auto recipe = std::make_shared<Recipe::State>();
    recipe->engine = state_.get();
    const SourceId source = state_->sources.add(name, text);
    recipe->text = std::move(text);
    ROUX_TRY(recipe->module, parse(state_->sources, source));
    recipe->findings = load_imports(state_->sources, state_->library, state_->options.read_import, name,
                                    recipe->module, recipe->imports);
    recipe->imported_texts = imported_texts(state_->sources, name, recipe->imports);
    for (const ImportedFile* file : recipe->imports.all()) state_->paths_seen.insert(file->name);
    Diagnostics found =
        roux::check(state_->sources, recipe->module, state_->library, {.imports = &recipe->imports});
    recipe->findings.insert(recipe->findings.end(), found.begin(), found.end());
    return Recipe(std::move(recipe));
  });
}

namespace {

// What the text names outright has to be there, where it is not loaded in this rehearsal, too: unless the recipe
// makes it.
void find_missing(const Recipe::State& recipe, Rehearsal& rehearsal, Diagnostics& findings) {
  std::vector<NamedCheckpoint> named = named_checkpoints(recipe.module);
  for (const ImportedFile* file : recipe.imports.all())
    for (NamedCheckpoint& more : named_checkpoints(file->module)) named.push_back(std::move(more));
  const auto is_made = [&](const NamedCheckpoint& wanted) {
    return std::any_of(named.begin(), named.end(), [&](const NamedCheckpoint& other) {
      if (other.use != NamedCheckpoint::Use::save) return false;
      return wanted.use == NamedCheckpoint::Use::load ? Inputs::same_path(wanted.path, other.path)
                                                      : glob_matches(wanted.path, other.path);
    });
  };
  for (const NamedCheckpoint& wanted : named) {
    if (wanted.use == NamedCheckpoint::Use::save || is_made(wanted)) continue;
    const bool is_glob = wanted.use == NamedCheckpoint::Use::load_all;
    const Diagnostics missing = is_glob ? errors_in(rehearsal.glob(wanted.path, wanted.span))
                                        : errors_in(rehearsal.open(wanted.path, "auto", wanted.span));
    const auto is_told = [&](const Diagnostic& finding) {
      return std::any_of(findings.begin(), findings.end(), [&](const Diagnostic& known) {
        return known.kind == finding.kind && known.span == finding.span;
      });
    };
    for (const Diagnostic& finding : missing)
      if (!is_told(finding)) findings.push_back(finding);
  }
}

// Evaluates the recipe against headers. On success the rehearsal holds what the run will do.
Diagnostics rehearse(Engine::State& engine, const Recipe::State& recipe, const Arguments& arguments, Graph& graph,
                     Rehearsal& rehearsal) {
  Diagnostics findings = recipe.findings;
  const Diagnostics wrong_arguments = check_arguments(recipe, arguments);
  findings.insert(findings.end(), wrong_arguments.begin(), wrong_arguments.end());
  rehearsal.advise(advice_to_score(engine.sources, recipe.module));
  Evaluator evaluator(engine.sources, engine.library, recipe.imports, graph, rehearsal, limits_of(engine.options));
  add_evaluated(findings, evaluator.run(recipe.module, arguments.settings));
  find_missing(recipe, rehearsal, findings);
  if (rehearsal.is_idle())
    rehearsal.note(note(DiagnosticKind::no_output, {}, "the recipe neither saves nor prints anything")
                       .hint("keep a result by `save(value, \"out/merged\")`"));
  return errors_of(std::move(findings));
}

Diagnostic other_engine(const char* what) {
  return error(DiagnosticKind::bad_option, {}, std::string("this recipe was ") + what + " by another engine")
      .hint("recipes stay with their engine: give each engine the text");
}

// `opened`, if given, gets what was opened, so that a run that follows at once need not open it again.
Result<BoundRecipe> bind_recipe(Engine::State& engine, const Recipe& recipe, const Arguments& arguments,
                                const Events& events, Inputs* opened) {
  if (recipe.state().engine != &engine) return other_engine("compiled");
  const Events safe = fenced(events);
  Graph graph;
  Rehearsal rehearsal(graph, engine.options, Inputs(engine.options.threads, arguments.models), safe, arguments.scorers);
  Diagnostics findings = rehearse(engine, recipe.state(), arguments, graph, rehearsal);
  engine.paths_seen.insert(rehearsal.paths_seen().begin(), rehearsal.paths_seen().end());
  if (!findings.empty()) return findings;
  Diagnostics notes = recipe.state().findings;
  notes.insert(notes.end(), rehearsal.notes().begin(), rehearsal.notes().end());
  if (opened) *opened = rehearsal.inputs();
  return BoundRecipe(std::make_shared<BoundRecipe::State>(
      BoundRecipe::State{recipe, arguments, std::move(notes), rehearsal.summary(), rehearsal.output_paths()}));
}

Result<Report> perform(Engine::State& engine, const BoundRecipe& bound, const Events& events, const Inputs* opened) {
  const Recipe::State& recipe = bound.state().recipe.state();
  const Arguments& arguments = bound.state().arguments;
  if (recipe.engine != &engine) return other_engine("bound");
  const auto begin = std::chrono::steady_clock::now();
  // The run finds again what the rehearsal found, and a little more: what only digests tell.
  const Events once = told_once(fenced(events));
  if (once.on_note)
    for (const Diagnostic& note : bound.notes()) once.on_note(note);

  Graph graph;
  Performance performance(graph, engine.options, *engine.kernels, once, arguments,
                          {recipe.text, recipe.imported_texts, arguments.settings, bound.state().output_paths});
  if (opened) performance.reuse_inputs(*opened);
  Evaluator evaluator(engine.sources, engine.library, recipe.imports, graph, performance, limits_of(engine.options));
  Diagnostics failed = evaluator.run(recipe.module, arguments.settings);
  if (failed.empty())
    if (Status committed = performance.commit(); !committed) failed = std::move(committed).error();
  if (!failed.empty()) {
    performance.tell_left();
    return failed;
  }
  performance.score_outputs();
  Report report = performance.report();
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return report;
}

}  // namespace

Result<BoundRecipe> Engine::bind(const Recipe& recipe, const Arguments& arguments, const Events& events) {
  return guarded([&] { return bind_recipe(*state_, recipe, arguments, events, nullptr); });
}

const Diagnostics& BoundRecipe::notes() const { return state_->notes; }
const PlanSummary& BoundRecipe::plan() const { return state_->plan; }

std::vector<std::string> Engine::paths_seen() const {
  return {state_->paths_seen.begin(), state_->paths_seen.end()};
}

Result<Report> Engine::run(const BoundRecipe& bound, const Events& events) {
  return guarded([&] { return perform(*state_, bound, events, nullptr); });
}

Result<Report> Engine::run(const Recipe& recipe, const Arguments& arguments, const Events& events) {
  return guarded([&]() -> Result<Report> {
    Inputs opened(state_->options.threads);
    ROUX_TRY(const BoundRecipe bound, bind_recipe(*state_, recipe, arguments, events, &opened));
    return perform(*state_, bound, events, &opened);
  });
}

Result<std::string> Engine::format(std::string name, std::string text) {
  return guarded([&] {
    const SourceId source = state_->sources.add(std::move(name), std::move(text));
    return roux::format(state_->sources, source);
  });
}

Result<std::vector<MethodDocument>> Engine::methods() {
  return guarded([&]() -> Result<std::vector<MethodDocument>> { return manual_of(state_->library, state_->sources); });
}

Result<std::vector<MethodDocument>> Engine::methods_of(std::string name, std::string text) {
  return guarded([&]() -> Result<std::vector<MethodDocument>> {
    const SourceId source = state_->sources.add(std::move(name), std::move(text));
    ROUX_TRY(const ast::Module recipe, parse(state_->sources, source));
    return manual_of(recipe, state_->sources);
  });
}

Result<std::string> Engine::evaluate(const std::string& expression, const Events& events) {
  ROUX_TRY(const Outcome outcome, interact({}).enter("<eval>", expression, events));
  return join(outcome.shown, "\n");
}

Result<std::string> Engine::evaluate_to_json(const std::string& expression, const Events& events) {
  Session session = interact({});
  ROUX_TRY(const Outcome outcome, session.enter("<eval>", expression, events));
  return session.last_as_json();
}

Session Engine::interact(const Arguments& arguments) {
  return Session(std::make_unique<Session::State>(*state_, arguments));
}

std::string Engine::render(const Diagnostics& diagnostics) const {
  return roux::render(diagnostics, state_->sources);
}
std::string Engine::render(const Diagnostic& diagnostic) const {
  return roux::render(diagnostic, state_->sources);
}
std::string Engine::to_json(const Diagnostics& diagnostics) const {
  return roux::to_json(diagnostics, state_->sources);
}
std::optional<Place> Engine::place_of(Span span) const {
  if (!state_->sources.holds(span)) return std::nullopt;
  return state_->sources.place_of(span);
}

std::string render(const Diagnostics& diagnostics) { return render(diagnostics, SourceMap()); }
std::string to_json(const Diagnostics& diagnostics) { return to_json(diagnostics, SourceMap()); }

std::optional<std::uint64_t> size_from_text(std::string_view text) { return parse_bytes(text); }

}  // namespace roux
