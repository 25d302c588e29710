// What a session tells of a text without carrying it out: each is a trial over headers.
#include <functional>
#include <set>

#include "api/session_state.h"
#include "api/show.h"
#include "api/value_json.h"
#include "base/text.h"
#include "compiler/interpret/domains.h"
#include "compiler/sema/manual.h"

namespace roux {
namespace {

constexpr std::size_t kNameColumns = 80;
constexpr char kReadsNothing[] = "reads no tensor\n";
constexpr int kWholeFormula = 64;

// Evaluates the text for trial and hands what came of it to `ask`.
template <class F>
Result<std::string> try_out(Session::State& session, const std::string& text, F ask) {
  return guarded([&]() -> Result<std::string> {
    Diagnostics findings;
    ROUX_TRY(const ast::Module* module, understand(session, "<query>", text, findings));
    Trial trial(session, *module);
    add_evaluated(findings, std::move(trial.evaluated.findings));
    if (has_errors(findings)) return errors_of(std::move(findings));
    return ask(trial);
  });
}

Value last_value(const Trial& trial) {
  return trial.evaluated.values.empty() ? Value() : trial.evaluated.values.back();
}

// Reductions and order statistics that a number is computed from, without those inside others.
std::vector<NodeId> measured_below(const Graph& graph, NodeId root) {
  std::vector<NodeId> measured;
  std::set<NodeId> seen;
  const std::function<void(NodeId)> visit = [&](NodeId id) {
    if (id == kNone || !seen.insert(id).second) return;
    const Node& node = graph[id];
    if (node.kind == NodeKind::reduction || node.kind == NodeKind::largest) return measured.push_back(id);
    for (NodeId operand : node.operands) visit(operand);
  };
  visit(root);
  return measured;
}

Result<std::string> plan_of_number(Trial& trial, const Session::State& session, NodeId root) {
  std::map<DomainId, std::vector<NodeId>> wanted;
  for (NodeId node : measured_below(trial.graph, root)) wanted[trial.graph[node].domain].push_back(node);
  std::string text;
  for (const auto& [domain, nodes] : wanted) {
    ROUX_TRY(Plan plan, lower(trial.graph, trial.rehearsal.inputs().all(),
                              {.outputs = {}, .numbers = nodes, .domain = domain, .known = {}, .carried = {},
                               .threads = session.options.threads, .optimize = session.options.optimize, .span = {}}));
    ROUX_DO(fit_memory(plan, session.options, {}));
    text += describe(plan, false);
  }
  return text.empty() ? std::string(kReadsNothing) : text;
}

Result<std::string> plan_of_value(Trial& trial, const Session::State& session, const Value& value) {
  auto* data = value.get<Data>();
  if (auto* soup = value.get<Soup>()) {
    SpaceContext context = trial.evaluator.context({});
    return plan_of_value(trial, session, Value(soup_mean(context, *soup)));
  }
  if (!data) return std::string(kReadsNothing);
  if (data->space == Space::number) return plan_of_number(trial, session, data->node);
  ROUX_TRY(const PreparedOutput prepared,
           prepare_output(trial.graph, trial.rehearsal.inputs(),
                          {.value = data, .path = "value", .dtype = "widest", .metadata = {}, .span = {}},
                          session.options, [](NodeId) -> Result<double> { return 1.0; }));
  return describe(prepared.plan, false);
}

std::string formula_lines(const Value& value, const Trial& trial, const NodeNames& names) {
  if (auto* data = value.get<Data>()) return formula(trial.graph, data->node, names, kWholeFormula, Digits::all);
  if (auto* list = value.get<List>()) {
    std::vector<std::string> lines;
    for (const Value& item : list->items) lines.push_back(formula_lines(item, trial, names));
    return join(lines, "\n");
  }
  return to_text(value, trial.graph);
}

}  // namespace

Result<std::string> Session::type_of(const std::string& text) {
  return try_out(*state_, text, [&](Trial& trial) -> Result<std::string> {
    return type_text(last_value(trial), trial.graph, state_->engine.sources);
  });
}

Result<std::string> Session::plan_of(const std::string& text) {
  return try_out(*state_, text, [&](Trial& trial) -> Result<std::string> {
    const Value value = last_value(trial);
    if (value.is<NoneValue>() || trial.rehearsal.has_scored()) return trial.rehearsal.summary().text;
    return plan_of_value(trial, *state_, value);
  });
}

Result<std::string> Session::formula_of(const std::string& text) {
  return try_out(*state_, text, [&](Trial& trial) -> Result<std::string> {
    Value value = last_value(trial);
    if (auto* soup = value.get<Soup>()) {
      SpaceContext context = trial.evaluator.context({});
      value = soup_mean(context, *soup);
    }
    return formula_lines(value, trial, NodeNames(trial.graph, trial.rehearsal.inputs(), *state_->scope));
  });
}

namespace {

// Of a record, such as the names of an imported file; null: there is none of this name.
const Value* field_of(const Value* value, std::string_view name) {
  auto* record = value ? value->get<Record>() : nullptr;
  if (!record) return nullptr;
  for (const auto& [field, held] : record->fields)
    if (field == name) return &held;
  return nullptr;
}

}  // namespace

std::optional<MethodDocument> Session::documentation(const std::string& name) const {
  const SourceMap& sources = state_->engine.sources;
  const std::size_t dot = name.find('.');
  const Value* value = state_->scope->find(name.substr(0, dot));
  if (dot != std::string::npos) value = field_of(value, name.substr(dot + 1));
  if (value) {
    auto* function = value->get<Function>();
    auto* method = function ? std::get_if<MethodValue>(function) : nullptr;
    if (!method) return std::nullopt;
    return document_of(sources, *method->module, *method->method);
  }
  const MethodRef method = state_->engine.library.find(name);
  if (!method.method) return std::nullopt;
  return document_of(sources, *method.module, *method.method);
}

std::string Session::last_as_json() const {
  const Value* last = state_->scope->find(kLastValue);
  return to_json(last ? *last : Value(), state_->graph);
}

std::vector<NameInScope> Session::names() const {
  const Session::State& session = *state_;
  const ShowContext context{session.graph, session.performance.inputs(), *session.scope};
  std::vector<NameInScope> names;
  for (const auto& [name, value] : session.scope->values())
    names.push_back({name, type_text(value, session.graph, session.engine.sources),
                     show_line(value, context, kNameColumns)});
  return names;
}

}  // namespace roux
