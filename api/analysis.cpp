#include "api/analysis.h"

#include <algorithm>

#include "api/completion.h"
#include "api/modules.h"
#include "api/session_state.h"
#include "api/show.h"
#include "base/text.h"
#include "compiler/sema/definitions.h"
#include "compiler/sema/manual.h"
#include "compiler/syntax/parse.h"

namespace roux {
namespace {

constexpr int kRepairs = 8;             // lines that are left out of a text that does not parse
constexpr std::size_t kShownColumns = 80;

bool holds(Span span, SourceId source, std::size_t offset) {
  return span.source == source && span.begin <= offset && offset <= span.end;
}

// A method and the file that it stands in.
struct MethodPlace {
  const ast::Module* module = nullptr;
  const ast::Method* method = nullptr;
};

// What stands at a place of the text.
struct NameUse {
  std::string text;
  Span span;
  ast::ExprId expr = ast::kNoExpr;    // the name as an expression
  ast::ExprId callee = ast::kNoExpr;  // it is the name of an argument of this
  ast::ExprId object = ast::kNoExpr;  // it is a member of this
};

// The line of a byte, replaced by blanks: what follows stays where it is.
void leave_out_line(std::string& text, std::size_t offset) {
  offset = std::min(offset, text.size());
  const std::size_t before = offset == 0 ? std::string::npos : text.rfind('\n', offset - 1);
  const std::size_t begin = before == std::string::npos ? 0 : before + 1;
  const std::size_t end = std::min(text.find('\n', offset), text.size());
  std::fill(text.begin() + static_cast<std::ptrdiff_t>(begin), text.begin() + static_cast<std::ptrdiff_t>(end), ' ');
}

}  // namespace

struct Analysis::State {
  State(Engine::State& engine_state, std::string name_of_text, std::string whole)
      : engine(engine_state), name(std::move(name_of_text)), text(std::move(whole)),
        session(new Session::State(engine_state, {})), door(std::unique_ptr<Session::State>(session)) {}

  void read();
  void tell_symbols();
  std::optional<NameUse> use_at(std::size_t offset) const;
  MethodPlace method_named(const NameUse& use) const;
  MethodPlace method_called(ast::ExprId callee) const;
  std::optional<Span> definition_of(const NameUse& use) const;
  const Export* imported(const std::string& wanted) const;
  const Export* member_of(ast::ExprId object, const std::string& wanted) const;
  std::string value_text(const std::string& wanted) const;
  std::string local_text(Span bound) const;

  Engine::State& engine;
  std::string name, text;
  SourceId source = kNoSource;   // of the text, or of what was left of it to parse
  Diagnostics findings;
  std::vector<Symbol> symbols;
  ast::Module module;
  std::map<ast::ExprId, ast::BoundName> definitions;
  Session::State* session;       // knows the names of the text; `door` owns it
  Session door;
  std::unique_ptr<Trial> trial;  // functions in the session's scope need it
};

// Statements that do not parse are left out, line by line, so that the others are understood.
void Analysis::State::read() {
  std::string rest = text;
  for (int repairs = 0;; ++repairs) {
    source = engine.sources.add(name, rest);
    Result<ast::Module> parsed = parse(engine.sources, source);
    if (parsed) {
      module = *std::move(parsed);
      break;
    }
    if (repairs == kRepairs) return;
    for (const Diagnostic& finding : parsed.error()) leave_out_line(rest, finding.span.begin);
  }
  definitions = definitions_in(module);
  load_imports(engine.sources, engine.library, session->options.read_import, name, module, session->imports);
  trial = std::make_unique<Trial>(*session, module);
  session->graph = trial->graph;
  session->performance.take_inputs(trial->rehearsal.inputs());
  session->scope = trial->scope;
  tell_symbols();
}

void Analysis::State::tell_symbols() {
  for (const ast::Statement& statement : module.statements) {
    Symbol symbol{.begin = statement.span.begin, .end = statement.span.end};
    const ast::BoundName* bound = nullptr;
    if (auto* bind = std::get_if<ast::Bind>(&statement.node)) bound = &bind->name;
    if (auto* param = std::get_if<ast::Param>(&statement.node)) {
      bound = &param->parameter.name;
      symbol.kind = Symbol::Kind::parameter;
    }
    if (auto* method = std::get_if<ast::Method>(&statement.node)) {
      bound = &method->name;
      symbol.kind = Symbol::Kind::method;
    }
    if (!bound) continue;
    symbol.name = bound->text;
    symbol.name_begin = bound->span.begin;
    symbol.name_end = bound->span.end;
    if (const Value* value = session->scope->find(bound->text); value && !value->is<Poison>())
      symbol.detail = type_text(*value, session->graph, engine.sources);
    symbols.push_back(std::move(symbol));
  }
}

std::optional<NameUse> Analysis::State::use_at(std::size_t offset) const {
  const auto is_here = [&](Span span) { return holds(span, source, offset); };
  for (ast::ExprId id = 0; id < module.exprs.size(); ++id) {
    const ast::Expr& expr = module[id];
    if (auto* used = std::get_if<ast::Name>(&expr.node); used && is_here(expr.span))
      return NameUse{.text = used->text, .span = expr.span, .expr = id};
    if (auto* member = std::get_if<ast::Member>(&expr.node); member && is_here(member->name_span))
      return NameUse{.text = member->name, .span = member->name_span, .object = member->object};
    if (auto* call = std::get_if<ast::Call>(&expr.node))
      for (const ast::Argument& argument : call->arguments)
        if (!argument.name.empty() && is_here(argument.name_span))
          return NameUse{.text = argument.name, .span = argument.name_span, .callee = call->callee};
  }
  for (const auto& [id, bound] : definitions)  // where a name that is used somewhere is bound
    if (is_here(bound.span)) return NameUse{.text = bound.text, .span = bound.span, .expr = id};
  for (const Symbol& symbol : symbols)
    if (symbol.name_begin <= offset && offset <= symbol.name_end) {
      const Span span{source, static_cast<std::uint32_t>(symbol.name_begin), static_cast<std::uint32_t>(symbol.name_end)};
      return NameUse{.text = symbol.name, .span = span};
    }
  return std::nullopt;
}

// A name that an import brings along as it is.
const Export* Analysis::State::imported(const std::string& wanted) const {
  for (const ast::Statement& statement : module.statements)
    if (auto* import = std::get_if<ast::Import>(&statement.node); import && !import->alias)
      if (const ImportedFile* file = session->imports.find(*import))
        if (const Export* found = file->find(wanted)) return found;
  return nullptr;
}

// `wanted` in `m.wanted`, where `m` is an imported file.
const Export* Analysis::State::member_of(ast::ExprId object, const std::string& wanted) const {
  auto* alias = std::get_if<ast::Name>(&module[object].node);
  for (const ast::Statement& statement : module.statements)
    if (auto* import = std::get_if<ast::Import>(&statement.node); import && alias && import->alias)
      if (import->alias->text == alias->text)
        if (const ImportedFile* file = session->imports.find(*import)) return file->find(wanted);
  return nullptr;
}

MethodPlace Analysis::State::method_named(const NameUse& use) const {
  if (use.object != ast::kNoExpr) {
    const Export* found = member_of(use.object, use.text);
    return found ? MethodPlace{found->module, found->method} : MethodPlace{};
  }
  const auto bound = definitions.find(use.expr);
  for (const ast::Statement& statement : module.statements)
    if (auto* own = std::get_if<ast::Method>(&statement.node); own && own->name.text == use.text)
      if (use.expr == ast::kNoExpr || (bound != definitions.end() && bound->second.span == own->name.span))
        return {&module, own};
  if (bound != definitions.end() || use.expr == ast::kNoExpr) return {};
  if (const Export* found = imported(use.text)) return {found->module, found->method};
  const MethodRef found = engine.library.find(use.text);
  return {found.module, found.method};
}

MethodPlace Analysis::State::method_called(ast::ExprId callee) const {
  const ast::Expr& expr = module[callee];
  if (auto* used = std::get_if<ast::Name>(&expr.node))
    return method_named({.text = used->text, .span = expr.span, .expr = callee});
  if (auto* member = std::get_if<ast::Member>(&expr.node))
    return method_named({.text = member->name, .span = member->name_span, .object = member->object});
  return {};
}

std::optional<Span> Analysis::State::definition_of(const NameUse& use) const {
  if (use.callee != ast::kNoExpr) {
    const MethodPlace called = method_called(use.callee);
    if (called.method)
      for (const ast::Parameter& parameter : called.method->parameters)
        if (parameter.name.text == use.text) return parameter.name.span;
    return std::nullopt;
  }
  if (use.object != ast::kNoExpr) {
    const Export* found = member_of(use.object, use.text);
    return found ? std::optional(found->name.span) : std::nullopt;
  }
  if (const auto bound = definitions.find(use.expr); bound != definitions.end()) return bound->second.span;
  if (use.expr == ast::kNoExpr) return use.span;
  if (const Export* found = imported(use.text)) return found->name.span;
  const MethodRef found = engine.library.find(use.text);
  return found.method ? std::optional(found.method->name.span) : std::nullopt;
}

// Type and value of a name at the top of the text, as a session shows them.
std::string Analysis::State::value_text(const std::string& wanted) const {
  const Value* value = session->scope->find(wanted);
  if (!value || value->is<Poison>()) return "";
  const ShowContext context{session->graph, session->performance.inputs(), *session->scope};
  return "```roux\n" + wanted + ": " + type_text(*value, session->graph, engine.sources) + "\n```\n" +
         show_line(*value, context, kShownColumns);
}

// --- the door ---------------------------------------------------------------------------------------

namespace {

std::string code(const std::string& text) { return "```roux\n" + text + "\n```\n"; }

std::string declared(const DocumentedParameter& parameter) {
  return parameter.name + (parameter.type.empty() ? "" : ": " + parameter.type) +
         (parameter.default_value.empty() ? "" : " = " + parameter.default_value);
}

std::string method_markdown(const MethodDocument& method) {
  std::string out = code(method.signature) + method.documentation + "\n";
  for (const DocumentedParameter& parameter : method.parameters)
    if (!parameter.documentation.empty()) out += "\n- `" + parameter.name + "`: " + parameter.documentation;
  for (const std::string& reference : method.references) out += "\n\n" + reference;
  return out;
}

std::string parameter_markdown(const MethodDocument& method, const std::string& name) {
  for (const DocumentedParameter& parameter : method.parameters) {
    if (parameter.name != name) continue;
    const std::string& text = parameter.documentation;
    return code(declared(parameter)) + text + (text.empty() ? "" : "\n\n") + "of `" + method.name + "`";
  }
  return "";
}

std::string shortened(std::string_view text) {
  const std::string line(text.substr(0, std::min(text.find('\n'), kShownColumns)));
  return line.size() == text.size() ? line : line + " ...";
}

// A recipe that must be given a value is not wrong in an editor: nobody has run it yet.
Diagnostics as_an_editor_shows(Diagnostics findings) {
  for (Diagnostic& finding : findings)
    if (finding.kind == DiagnosticKind::missing_parameter) finding.severity = Severity::note;
  return findings;
}

Diagnostics findings_of(Engine& engine, const std::string& name, const std::string& text) {
  const Result<Recipe> recipe = engine.compile(name, text);
  if (!recipe) return recipe.error();
  const Result<BoundRecipe> bound = engine.bind(*recipe, {});
  return bound ? bound->notes() : bound.error();
}

}  // namespace

// What a name is that is bound inside a statement: a parameter, a loop variable, a binding of a block.
std::string Analysis::State::local_text(Span bound) const {
  const SourceMap& sources = engine.sources;
  const std::string name_of_it(sources.text(bound));
  const auto among = [&](const std::vector<ast::BoundName>& names) {
    return std::any_of(names.begin(), names.end(), [&](const ast::BoundName& each) { return each.span == bound; });
  };
  for (const ast::Statement& statement : module.statements)
    if (auto* method = std::get_if<ast::Method>(&statement.node))
      for (const ast::Parameter& parameter : method->parameters)
        if (parameter.name.span == bound)
          return parameter_markdown(document_of(sources, module, *method), parameter.name.text);
  for (const ast::Expr& expr : module.exprs) {
    if (auto* lambda = std::get_if<ast::Lambda>(&expr.node); lambda && among(lambda->parameters))
      return code(name_of_it) + "parameter of `" + shortened(sources.text(expr.span)) + "`";
    if (auto* loop = std::get_if<ast::Comprehension>(&expr.node))
      for (const ast::Generator& generator : loop->generators)
        if (among(generator.targets))
          return code(name_of_it) + "of each item of `" + shortened(sources.text(module[generator.source].span)) + "`";
    if (auto* block = std::get_if<ast::Block>(&expr.node))
      for (const ast::Statement& statement : block->statements)
        if (auto* bind = std::get_if<ast::Bind>(&statement.node); bind && bind->name.span == bound)
          return code(shortened(sources.text(statement.span)));
  }
  return "";
}

Analysis Engine::analyse(std::string name, std::string text) {
  auto state = std::make_unique<Analysis::State>(*state_, std::move(name), std::move(text));
  state->findings = as_an_editor_shows(findings_of(*this, state->name, state->text));
  const Status read = guarded([&]() -> Status {
    state->read();
    return ok();
  });
  if (!read) state->findings.insert(state->findings.end(), read.error().begin(), read.error().end());
  return Analysis(std::move(state));
}

Analysis::Analysis(std::unique_ptr<State> state) : state_(std::move(state)) {}
Analysis::Analysis(Analysis&&) noexcept = default;
Analysis& Analysis::operator=(Analysis&&) noexcept = default;
Analysis::~Analysis() = default;

const Diagnostics& Analysis::findings() const { return state_->findings; }
const std::vector<Symbol>& Analysis::symbols() const { return state_->symbols; }

std::optional<Stretch> Analysis::stretch_of(Span span) const {
  const SourceMap& sources = state_->engine.sources;
  if (!sources.holds(span)) return std::nullopt;
  Stretch stretch{.file = std::string(sources.name(span.source)), .text = std::string(sources.text(span.source)),
                  .begin = span.begin, .end = span.end, .in_library = state_->engine.library.owns(span.source)};
  if (stretch.file == state_->name) stretch.text = state_->text;  // with the lines that did not parse
  return stretch;
}

std::optional<Hover> Analysis::hover(std::size_t offset) const {
  const std::optional<NameUse> use = state_->use_at(offset);
  if (!use) return std::nullopt;
  const SourceMap& sources = state_->engine.sources;
  Hover hover{.begin = use->span.begin, .end = use->span.end, .markdown = {}};
  const bool is_argument = use->callee != ast::kNoExpr;
  const MethodPlace method = is_argument ? state_->method_called(use->callee) : state_->method_named(*use);
  if (method.method) {
    const MethodDocument document = document_of(sources, *method.module, *method.method);
    hover.markdown = is_argument ? parameter_markdown(document, use->text) : method_markdown(document);
  } else if (use->object == ast::kNoExpr && !is_argument) {
    const std::optional<Span> bound = state_->definition_of(*use);
    const bool is_top = !bound || std::any_of(state_->symbols.begin(), state_->symbols.end(), [&](const Symbol& symbol) {
      return symbol.name_begin == bound->begin;
    });
    hover.markdown = is_top ? state_->value_text(use->text) : state_->local_text(*bound);
  }
  return hover.markdown.empty() ? std::nullopt : std::optional(std::move(hover));
}

std::optional<Stretch> Analysis::definition(std::size_t offset) const {
  for (const ast::Statement& statement : state_->module.statements) {
    auto* import = std::get_if<ast::Import>(&statement.node);
    if (!import || !holds(import->path_span, state_->source, offset)) continue;
    const ImportedFile* file = state_->session->imports.find(*import);
    return file ? stretch_of({file->module.source, 0, 0}) : std::nullopt;
  }
  const std::optional<NameUse> use = state_->use_at(offset);
  const std::optional<Span> bound = use ? state_->definition_of(*use) : std::nullopt;
  return bound ? stretch_of(*bound) : std::nullopt;
}

std::optional<Signature> Analysis::signature(std::size_t offset) const {
  const OpenCall call = call_around(std::string_view(state_->text).substr(0, offset));
  const auto method = call.callee.empty() ? std::nullopt : state_->door.documentation(call.callee);
  if (!method) return std::nullopt;
  Signature signature{.label = method->name + "(", .documentation = method->documentation, .active = call.position};
  for (const DocumentedParameter& parameter : method->parameters) {
    if (!signature.parameters.empty()) signature.label += ", ";
    if (parameter.name == call.parameter) signature.active = signature.parameters.size();
    const std::size_t begin = signature.label.size();
    signature.label += declared(parameter);
    signature.parameters.push_back({begin, signature.label.size(), parameter.documentation});
  }
  signature.label += ")" + (method->result.empty() ? "" : " -> " + method->result);
  return signature;
}

Completion Analysis::complete(std::size_t offset) const { return state_->door.complete(state_->text, offset); }

}  // namespace roux
