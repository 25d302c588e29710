// Statements: bindings, parameters, methods, imports.
#include <algorithm>

#include "base/text.h"
#include "compiler/interpret/conform.h"
#include "compiler/interpret/evaluator.h"
#include "compiler/interpret/failure.h"
#include "compiler/sema/types.h"
#include "compiler/syntax/parse.h"

namespace roux {

Evaluated Evaluator::evaluate(const ast::Module& module, const std::shared_ptr<Environment>& scope,
                              const std::map<std::string, std::string>& settings) {
  take_settings(module, settings);
  steps_ = 0;
  std::erase_if(captured_, [](const std::weak_ptr<Environment>& environment) { return environment.expired(); });
  recipe_ = scope;
  Frame frame{module, scope};
  Evaluated evaluated;
  execute_all(module, frame, evaluated);
  finish(evaluated.findings);
  return evaluated;
}

// In a rehearsal all statements, to find all that is wrong; in a run up to the first that fails.
void Evaluator::execute_all(const ast::Module& module, Frame& frame, Evaluated& evaluated) {
  for (const ast::Statement& statement : module.statements)  // methods may be used before they stand
    if (auto* method = std::get_if<ast::Method>(&statement.node))
      frame.environment->bind(method->name.text, Function(MethodValue{&module, method, capture(frame)}));
  for (const ast::Statement& statement : module.statements) {
    try {
      lone_stream_.reset();
      recipe_call_ = {};
      speculation_ = 0;
      arm_depth_ = 0;
      if (auto* import = std::get_if<ast::Import>(&statement.node))
        import_file(*import, frame, evaluated.findings);
      else if (auto* plain = std::get_if<ast::ExprStatement>(&statement.node))
        evaluated.values.push_back(eval(plain->value, frame));
      else
        execute(statement, frame);
      check_whole_matches();
    } catch (const Failure& failure) {
      for (const Diagnostic& finding : failure.diagnostics) evaluated.findings.push_back(with_loads(finding));
      if (auto* bind = std::get_if<ast::Bind>(&statement.node))
        frame.environment->bind(bind->name.text, Poison{});
      else if (auto* param = std::get_if<ast::Param>(&statement.node))
        frame.environment->bind(param->parameter.name.text, Poison{});
    }
    if (!evaluated.findings.empty() && (!host_.rehearsing() || host_.is_cancelled())) return;
  }
}

// The finding with the places where the checkpoints that it is about were loaded, unless it shows them already.
Diagnostic Evaluator::with_loads(Diagnostic finding) const {
  std::vector<std::pair<Span, std::vector<std::string>>> loads;
  for (const std::string& path : finding.checkpoints) {
    const Span at = host_.loaded_at(path);
    const Span& shown = finding.span;
    const bool is_shown = at.source == shown.source && at.begin >= shown.begin && at.end <= shown.end;
    if (!at.valid() || is_shown) continue;
    const auto known = std::find_if(loads.begin(), loads.end(), [&](const auto& load) { return load.first == at; });
    if (known == loads.end())
      loads.push_back({at, {quoted(path)}});
    else
      known->second.push_back(quoted(path));
  }
  for (const auto& [at, paths] : loads)
    finding.notes.push_back({at, join(paths, " and ") + (paths.size() == 1 ? " is" : " are") + " loaded here"});
  return finding;
}

void Evaluator::execute(const ast::Statement& statement, Frame& frame) {
  if (auto* bind = std::get_if<ast::Bind>(&statement.node)) {
    frame.environment->bind(bind->name.text, eval(bind->value, frame));
  } else if (auto* param = std::get_if<ast::Param>(&statement.node)) {
    frame.environment->bind(param->parameter.name.text, param_value(param->parameter, frame));
  } else if (auto* method = std::get_if<ast::Method>(&statement.node)) {
    frame.environment->bind(method->name.text, Function(MethodValue{&frame.module, method, capture(frame)}));
  } else if (auto* plain = std::get_if<ast::ExprStatement>(&statement.node)) {
    eval(plain->value, frame);
  }
}

// --- imports ----------------------------------------------------------------------------------------

void Evaluator::import_file(const ast::Import& import, Frame& frame, Diagnostics& findings) {
  const ImportedFile* file = imports_.find(import);
  const std::shared_ptr<Environment> names = file ? environment_of(*file, findings) : nullptr;
  const auto value_of = [&](const Export& each) {
    const Value* value = names->find(each.name.text);
    return value ? *value : Value(Poison{});  // its statement was not reached
  };
  if (!import.alias) {
    if (file)
      for (const Export& each : file->exports) frame.environment->bind(each.name.text, value_of(each));
    return;
  }
  Record record;
  if (file)
    for (const Export& each : file->exports) record.fields.emplace_back(each.name.text, value_of(each));
  frame.environment->bind(import.alias->text, file ? Value(std::move(record)) : Value(Poison{}));
}

std::shared_ptr<Environment> Evaluator::environment_of(const ImportedFile& file, Diagnostics& findings) {
  auto& names = imported_[&file];
  if (names) return names;
  names = std::make_shared<Environment>(root_);
  Frame frame{file.module, names};
  Evaluated evaluated;
  execute_all(file.module, frame, evaluated);
  findings.insert(findings.end(), evaluated.findings.begin(), evaluated.findings.end());
  return frame.environment;
}

// --- parameters -------------------------------------------------------------------------------------

void Evaluator::take_settings(const ast::Module& recipe, const std::map<std::string, std::string>& settings) {
  for (const Settable& settable : settables(recipe, imports_)) {
    setting_names_.emplace(settable.parameter, settable.name);
    const auto given = settings.find(settable.name);
    if (given != settings.end()) settings_[settable.parameter] = {settable.name, given->second};
  }
}

Value Evaluator::param_value(const ast::Parameter& parameter, Frame& frame) {
  const auto given = settings_.find(&parameter);
  const auto name = setting_names_.find(&parameter);
  Value value;
  SpaceContext where = context(parameter.name.span);
  if (given != settings_.end()) {
    value = setting_value(parameter, given->second, frame);
  } else if (auto scorer = name == setting_names_.end() ? std::nullopt : host_.scorer_for(name->second)) {
    scorer->span = parameter.name.span;
    scorer->id = next_scorer_id();
    value = *std::move(scorer);
  } else if (parameter.default_value == ast::kNoExpr) {
    fail(error(DiagnosticKind::missing_parameter, parameter.name.span,
               "parameter " + quoted(parameter.name.text) + " has no value")
             .hint(name != setting_names_.end()
                       ? "give one: `--set " + name->second + "=...`"
                       : "give it a default, or import this file in the recipe itself: then `--set` reaches it"));
  } else {
    value = eval_argument(parameter, parameter.default_value, frame);
  }
  if (!parameter.type) return value;
  return conform(where, value, *parameter.type, "parameter " + quoted(parameter.name.text));
}

// What `--set name=text` means: literal for a string, a path or glob for models, else an expression.
Value Evaluator::setting_value(const ast::Parameter& parameter, const Setting& given, Frame& frame) {
  const SettingKind kind = setting_kind(parameter.type);
  if (kind == SettingKind::text) return given.text;
  if (kind != SettingKind::expression) {
    const MethodRef loader = library_.find(kind == SettingKind::models ? "load_all" : "load");
    return call(Function(MethodValue{loader.module, loader.method, nullptr}), {given.text}, parameter.name.span);
  }
  const SourceId source = sources_.add("--set " + given.name, given.text);
  settings_modules_.push_back(unwrap(parse(sources_, source)));
  const ast::Module& module = settings_modules_.back();
  auto* plain = module.statements.size() == 1 ? std::get_if<ast::ExprStatement>(&module.statements[0].node)
                                              : nullptr;
  if (!plain)
    fail(error(DiagnosticKind::bad_literal, {source, 0, static_cast<std::uint32_t>(given.text.size())},
               "expected one expression for parameter " + quoted(parameter.name.text)));
  Frame inner{module, frame.environment};
  return eval_argument(parameter, plain->value, inner);
}

}  // namespace roux
