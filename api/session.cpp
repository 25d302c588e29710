#include "api/session.h"

#include <chrono>
#include <cstdlib>

#include "api/modules.h"
#include "api/session_state.h"
#include "api/show.h"
#include "base/limits.h"
#include "base/text.h"
#include "compiler/sema/check.h"
#include "compiler/syntax/parse.h"

namespace roux {

Session::State::State(Engine::State& engine_state, const Arguments& given)
    : engine(engine_state), options(engine_state.options), arguments(given),
      performance(graph, options, *engine.kernels, events, arguments, {}),
      evaluator(engine.sources, engine.library, imports, graph, performance, limits_of(options)), scope(evaluator.top_scope()) {}

Session::State::~State() = default;

Session::Session(std::unique_ptr<State> state) : state_(std::move(state)) {}
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;
Session::~Session() = default;

Trial::Trial(Session::State& session, const ast::Module& module)
    : graph(session.graph),
      rehearsal(graph, session.options, session.performance.inputs(), session.events, session.arguments.scorers),
      evaluator(session.evaluator, graph, rehearsal),
      scope(std::make_shared<Environment>(*session.scope)),
      evaluated(evaluator.evaluate(module, scope, session.arguments.settings)) {}

Result<const ast::Module*> understand(Session::State& session, std::string name, const std::string& text,
                                      Diagnostics& findings) {
  const SourceId source = session.engine.sources.add(name, text);
  ROUX_TRY(ast::Module module, parse(session.engine.sources, source));
  findings = load_imports(session.engine.sources, session.engine.library, session.options.read_import, name, module,
                          session.imports);
  CheckOptions options{.bound = {}, .allow_plain_expressions = true, .imports = &session.imports};
  for (const auto& [bound, value] : session.scope->values()) options.bound.push_back(bound);
  const Diagnostics found = check(session.engine.sources, module, session.engine.library, options);
  findings.insert(findings.end(), found.begin(), found.end());
  return &session.modules.emplace_back(std::move(module));
}

namespace {

// In the order of the text.
std::vector<std::string> names_bound(const ast::Module& module) {
  std::vector<std::string> names;
  for (const ast::Statement& statement : module.statements) {
    if (auto* bind = std::get_if<ast::Bind>(&statement.node)) names.push_back(bind->name.text);
    if (auto* param = std::get_if<ast::Param>(&statement.node)) names.push_back(param->parameter.name.text);
    if (auto* method = std::get_if<ast::Method>(&statement.node)) names.push_back(method->name.text);
  }
  return names;
}

// The last value that is one becomes `_`.
std::optional<Span> result_of(const ast::Module& module, const std::vector<Value>& values) {
  std::optional<Span> last;
  std::size_t i = 0;
  for (const ast::Statement& statement : module.statements) {
    auto* plain = std::get_if<ast::ExprStatement>(&statement.node);
    if (plain && !values[i++].is<NoneValue>()) last = module[plain->value].span;
  }
  return last;
}

// What an entry saves holds the recipe of the session up to and with it.
RecipeFacts facts_of(Session::State& session, const ast::Module& module, const std::vector<std::string>& paths) {
  session.entries.push_back({&module, paths, {}, session.arguments.settings});
  RecipeFacts facts{recipe_of(session), imported_texts(session.engine.sources, "", session.imports),
                    session.arguments.settings, paths};
  session.entries.pop_back();
  return facts;
}

// The entry is right as far as headers tell. Where it succeeds its scope becomes the session's.
Result<Outcome> perform(Session::State& session, const ast::Module& module,
                        const std::vector<std::string>& output_paths) {
  const auto begin = std::chrono::steady_clock::now();
  const auto scope = std::make_shared<Environment>(*session.scope);
  session.performance.begin(facts_of(session, module, output_paths));
  Evaluated evaluated = session.evaluator.evaluate(module, scope, session.arguments.settings);
  if (!evaluated.findings.empty()) return errors_of(std::move(evaluated.findings));

  Outcome outcome{.shown = {}, .bound = names_bound(module), .report = {}};
  for (Value& value : evaluated.values) {
    if (value.is<NoneValue>()) continue;
    ROUX_TRY(value, session.evaluator.computed(value));
    for (std::string& line : show(value, {session.graph, session.performance.inputs(), *scope}))
      outcome.shown.push_back(std::move(line));
    scope->bind(kLastValue, value);
  }
  ROUX_DO(session.performance.commit());
  session.performance.score_outputs(Performance::Scores::known);
  session.scope = scope;
  session.entries.push_back({&module, output_paths, result_of(module, evaluated.values), session.arguments.settings});
  outcome.report = session.performance.report();
  outcome.report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return outcome;
}

Result<Outcome> enter_guarded(Session::State& session, std::string name, const std::string& text) {
  Diagnostics findings;
  ROUX_TRY(const ast::Module* module, understand(session, std::move(name), text, findings));
  std::vector<std::string> output_paths;
  Diagnostics notes;
  {
    Trial trial(session, *module);
    add_evaluated(findings, std::move(trial.evaluated.findings));
    output_paths = trial.rehearsal.output_paths();
    notes = trial.rehearsal.notes();
  }
  if (has_errors(findings)) return errors_of(std::move(findings));
  if (session.events.on_note) {
    for (const Diagnostic& note : findings) session.events.on_note(note);
    for (const Diagnostic& note : notes) session.events.on_note(note);
  }
  return perform(session, *module, output_paths);
}

}  // namespace

Result<Outcome> Session::enter(const std::string& text, const Events& events) {
  return enter("<" + std::to_string(state_->entered + 1) + ">", text, events);
}

Result<Outcome> Session::enter(std::string name, const std::string& text, const Events& events) {
  ++state_->entered;
  state_->performance.begin({});
  state_->events = told_once(fenced(events));
  Result<Outcome> outcome = guarded([&] { return enter_guarded(*state_, std::move(name), text); });
  state_->performance.begin({});  // a failed entry takes what it wrote away
  state_->events = {};
  return outcome;
}

Settings Session::settings() const {
  Settings all = state_->arguments.settings;
  all["threads"] = std::to_string(state_->options.threads);
  all["memory"] = std::to_string(state_->options.memory_bytes) + "B";
  return all;
}

Status Session::set(const std::string& name, const std::string& text) {
  if (name == "memory") {
    const auto bytes = parse_bytes(text);
    if (!bytes || *bytes == 0)
      return error(DiagnosticKind::bad_option, {}, "memory is a size, not " + quoted(text))
          .hint("for example `512MiB` or `4G`");
    state_->options.memory_bytes = *bytes;
    return ok();
  }
  if (name == "threads") {
    char* end = nullptr;
    const long count = std::strtol(text.c_str(), &end, 10);
    if (text.empty() || *end != 0) return error(DiagnosticKind::bad_option, {}, "threads are a number, not " + quoted(text));
    ROUX_TRY(state_->options.threads, thread_count(count));
    return ok();
  }
  state_->arguments.settings[name] = text;
  return ok();
}

}  // namespace roux
