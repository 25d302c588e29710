#include "compiler/sema/check.h"

#include <algorithm>
#include <optional>
#include <regex>
#include <set>

#include "base/text.h"
#include "compiler/sema/arguments.h"
#include "compiler/sema/types.h"

namespace roux {
namespace {

// Primitives that do something; a statement may consist of a call that reaches one of them.
constexpr std::string_view kEffects[] = {"save", "print", "fail"};

struct Scope {
  const Scope* parent = nullptr;
  std::vector<ast::BoundName> names{};

  const ast::BoundName* find_here(std::string_view name) const {
    for (const ast::BoundName& bound : names)
      if (bound.text == name) return &bound;
    return nullptr;
  }
  const ast::BoundName* find(std::string_view name) const {
    for (const Scope* scope = this; scope; scope = scope->parent)
      if (auto* bound = scope->find_here(name)) return bound;
    return nullptr;
  }
};

bool is_regex(const std::string& text) {
  try {
    std::regex compiled(text);
    return true;
  } catch (const std::regex_error&) {
    return false;
  }
}

class Checker {
 public:
  Checker(const SourceMap& sources, const ast::Module& module, Library& library, const CheckOptions& options)
      : sources_(sources), module_(module), library_(library), options_(options) {}

  Diagnostics run() {
    for (const std::string& name : options_.bound) session_.names.push_back({name, Span{}});
    Scope scope{.parent = &session_};
    for (const ast::Statement& statement : module_.statements)  // methods may be used before they stand
      if (auto* method = std::get_if<ast::Method>(&statement.node)) methods_.push_back(method);
    for (const ast::Statement& statement : module_.statements) visit(statement, scope);
    std::stable_sort(findings_.begin(), findings_.end(),
                     [](const Diagnostic& a, const Diagnostic& b) { return a.span.begin < b.span.begin; });
    return std::move(findings_);
  }

 private:
  void report(Diagnostic finding) { findings_.push_back(std::move(finding)); }

  void not_yet(Span span, const std::string& what) {
    report(error(DiagnosticKind::not_yet, span, what + " is part of the language, but not yet of this version"));
  }

  // --- statements ---

  void visit(const ast::Statement& statement, Scope& scope) {
    if (auto* bind = std::get_if<ast::Bind>(&statement.node)) {
      visit(bind->value, scope);
      define(bind->name, scope);
    } else if (auto* param = std::get_if<ast::Param>(&statement.node)) {
      visit_parameter(param->parameter, scope);
      define(param->parameter.name, scope);
    } else if (auto* method = std::get_if<ast::Method>(&statement.node)) {
      visit_method(*method, scope);
    } else if (auto* import = std::get_if<ast::Import>(&statement.node)) {
      not_yet(import->path_span, "`import`");
    } else if (auto* plain = std::get_if<ast::ExprStatement>(&statement.node)) {
      visit(plain->value, scope);
      if (!options_.allow_plain_expressions && !has_effect(plain->value, scope, 0))
        report(error(DiagnosticKind::no_effect, module_[plain->value].span, "this expression has no effect")
                   .hint("bind it to a name, `save` it or `print` it"));
    }
  }

  void visit_method(const ast::Method& method, Scope& scope) {
    define(method.name, scope);
    Scope inner{.parent = &scope};
    for (const ast::Parameter& parameter : method.parameters) {
      visit_parameter(parameter, inner);
      define(parameter.name, inner);
    }
    if (method.result) visit(*method.result);
    visit(method.body, inner);
  }

  void visit_parameter(const ast::Parameter& parameter, Scope& scope) {
    if (parameter.type) visit(*parameter.type);
    if (parameter.default_value == ast::kNoExpr) return;
    if (parameter.type && is_choice(parameter.default_value, choices_of(*parameter.type))) return;
    visit(parameter.default_value, scope);
  }

  void define(const ast::BoundName& name, Scope& scope) {
    if (auto* earlier = scope.find_here(name.text)) {
      report(error(DiagnosticKind::rebound, name.span, quoted(name.text) + " is already bound")
                 .note(earlier->span, "bound here first")
                 .hint("a name is bound once; choose another"));
      return;
    }
    if (scope.parent == &session_ && library_.contains(name.text))
      report(note(DiagnosticKind::shadowed, name.span,
                  quoted(name.text) + " now hides the library's method of that name"));
    for (const auto& hidden : {constant_names(), tensor_names()})
      if (scope.parent == &session_ && std::find(hidden.begin(), hidden.end(), name.text) != hidden.end())
        report(note(DiagnosticKind::shadowed, name.span,
                    quoted(name.text) + " now hides the library's number of that name"));
    scope.names.push_back(name);
  }

  void visit(const ast::Type& type) {
    for (const ast::Type& part : type.arguments) visit(part);
    if (type.kind != ast::Type::Kind::named) return;
    const TypeName* known = find_type(type.name);
    if (!known) {
      Diagnostic unknown = error(DiagnosticKind::unknown_name, type.span, "unknown type " + quoted(type.name));
      if (auto near = nearest(type.name, type_names())) unknown.help = "nearest is " + quoted(*near);
      report(std::move(unknown));
    } else if (*known == TypeName::layers || *known == TypeName::net || *known == TypeName::dataset) {
      not_yet(type.span, "the type " + quoted(type.name));
    }
  }

  // --- expressions ---

  bool is_choice(ast::ExprId id, const std::vector<std::string>& choices) const {
    auto* name = std::get_if<ast::Name>(&module_[id].node);
    return name && std::find(choices.begin(), choices.end(), name->text) != choices.end();
  }

  const ast::Method* own_method(std::string_view name) const {
    for (const ast::Method* method : methods_)
      if (method->name.text == name) return method;
    return nullptr;
  }

  bool is_known(std::string_view name, const Scope& scope) const {
    const auto among = [&](const std::vector<std::string>& names) {
      return std::find(names.begin(), names.end(), name) != names.end();
    };
    return scope.find(name) || own_method(name) || library_.contains(name) || among(constant_names()) ||
           among(tensor_names());
  }

  void visit_name(const ast::Name& name, Span span, const Scope& scope, const std::string& what = "name") {
    if (is_known(name.text, scope)) return;
    if (name.text == "name")
      return report(error(DiagnosticKind::wrong_place, span,
                          "`name`, the name of the tensor at hand, is known only to `match name { ... }`")
                        .hint("`match name { \"*.mlp.*\" => ..., _ => ... }` chooses by it"));
    if (name.text == "align") return not_yet(span, "`align`");
    std::vector<std::string> candidates;  // of equally near ones the first is proposed
    for (const Scope* s = &scope; s; s = s->parent)
      for (const ast::BoundName& bound : s->names) candidates.push_back(bound.text);
    for (const ast::Method* method : methods_) candidates.push_back(method->name.text);
    const std::vector<std::string> reserved = {"true", "false", "none"};
    for (const auto& names : {reserved, library_.names(), constant_names(), tensor_names()})
      candidates.insert(candidates.end(), names.begin(), names.end());
    Diagnostic unknown = error(DiagnosticKind::unknown_name, span, "unknown " + what + " " + quoted(name.text));
    if (auto near = nearest(name.text, candidates)) unknown.help = "nearest is " + quoted(*near);
    report(std::move(unknown));
  }

  // The signature that a call will meet, where its callee is a name that cannot mean anything else.
  struct Known {
    const ast::Module* module = nullptr;
    const ast::Method* method = nullptr;
  };
  Known known_callee(const ast::Call& call, const Scope& scope) {
    auto* name = std::get_if<ast::Name>(&module_[call.callee].node);
    if (!name) return {};
    const ast::BoundName* bound = scope.find(name->text);
    const ast::Method* own = own_method(name->text);
    if (own && (!bound || bound->span == own->name.span)) return {&module_, own};
    if (bound) return {};
    const MethodRef found = library_.find(name->text);
    return {found.module, found.method};
  }

  void visit_call(const ast::Call& call, Span span, const Scope& scope) {
    if (auto* name = std::get_if<ast::Name>(&module_[call.callee].node))
      visit_name(*name, module_[call.callee].span, scope, "method");
    else
      visit(call.callee, scope);
    const Known known = known_callee(call, scope);
    if (!known.method) {
      // What the callee takes is told only when it runs; a bare word may be one of its choices.
      for (const ast::Argument& argument : call.arguments)
        if (argument.name.empty() || !std::holds_alternative<ast::Name>(module_[argument.value].node))
          visit(argument.value, scope);
      return;
    }
    const Callee callee{sources_, *known.module, *known.method};
    const Result<ArgumentPlan> plan = plan_arguments(callee, call.arguments, module_, span);
    if (!plan)
      for (const Diagnostic& finding : plan.error()) report(finding);

    std::vector<std::vector<std::string>> choices(call.arguments.size());
    if (!plan) return visit_unplaced(call, *known.method, scope);
    for (std::size_t p = 0; p < plan->of_parameter.size(); ++p)
      if (plan->of_parameter[p] && known.method->parameters[p].type)
        choices[*plan->of_parameter[p]] = choices_of(*known.method->parameters[p].type);
    for (std::size_t i = 0; i < call.arguments.size(); ++i) visit_argument(call.arguments[i], choices[i], scope);
  }

  // Where arguments do not fit the parameters, a bare word may be a choice of any of them.
  void visit_unplaced(const ast::Call& call, const ast::Method& method, const Scope& scope) {
    std::vector<std::string> choices;
    for (const ast::Parameter& parameter : method.parameters)
      if (parameter.type)
        for (std::string& choice : choices_of(*parameter.type)) choices.push_back(std::move(choice));
    for (const ast::Argument& argument : call.arguments)
      if (!is_choice(argument.value, choices)) visit(argument.value, scope);
  }

  // A bare word that is neither bound nor a choice was meant as a choice.
  void visit_argument(const ast::Argument& argument, const std::vector<std::string>& choices,
                      const Scope& scope) {
    if (is_choice(argument.value, choices)) return;
    auto* name = std::get_if<ast::Name>(&module_[argument.value].node);
    if (!name || choices.empty() || is_known(name->text, scope)) return visit(argument.value, scope);
    Diagnostic wrong = error(DiagnosticKind::not_a_choice, module_[argument.value].span,
                             quoted(name->text) + " is not one of " + list_of_choices(choices));
    if (auto near = nearest(name->text, choices)) wrong.help = "nearest is " + quoted(*near);
    report(std::move(wrong));
  }

  void visit(ast::ExprId id, const Scope& scope) {
    const ast::Expr& expr = module_[id];
    std::visit([&](const auto& node) { visit_node(node, expr.span, scope); }, expr.node);
  }

  void visit_all(const std::vector<ast::ExprId>& ids, const Scope& scope) {
    for (ast::ExprId id : ids) visit(id, scope);
  }

  void visit_node(const ast::Number&, Span, const Scope&) {}
  void visit_node(const ast::Bool&, Span, const Scope&) {}
  void visit_node(const ast::None&, Span, const Scope&) {}
  void visit_node(const ast::Name& node, Span span, const Scope& scope) { visit_name(node, span, scope); }
  void visit_node(const ast::String& node, Span, const Scope& scope) {
    for (const ast::StringPart& part : node.parts)
      if (part.value != ast::kNoExpr) visit(part.value, scope);
  }
  void visit_node(const ast::List& node, Span, const Scope& scope) { visit_all(node.items, scope); }
  void visit_node(const ast::Tuple& node, Span, const Scope& scope) { visit_all(node.items, scope); }
  void visit_node(const ast::Record& node, Span, const Scope& scope) {
    std::set<std::string> seen;
    for (const ast::Field& field : node.fields) {
      visit(field.value, scope);
      if (!seen.insert(field.name).second)
        report(error(DiagnosticKind::rebound, field.name_span, "the record has " + quoted(field.name) + " twice"));
    }
  }
  void visit_node(const ast::Unary& node, Span, const Scope& scope) { visit(node.operand, scope); }
  void visit_node(const ast::Binary& node, Span, const Scope& scope) {
    visit(node.left, scope);
    visit(node.right, scope);
  }
  void visit_node(const ast::If& node, Span, const Scope& scope) {
    visit(node.condition, scope);
    visit(node.then_value, scope);
    visit(node.else_value, scope);
  }
  void visit_node(const ast::As& node, Span, const Scope& scope) {
    visit(node.value, scope);
    visit(node.type);
  }
  void visit_node(const ast::Call& node, Span span, const Scope& scope) { visit_call(node, span, scope); }
  void visit_node(const ast::Index& node, Span, const Scope& scope) {
    visit(node.object, scope);
    visit(node.index, scope);
  }
  void visit_node(const ast::Member& node, Span, const Scope& scope) { visit(node.object, scope); }
  void visit_node(const ast::Lambda& node, Span, const Scope& scope) {
    Scope inner{.parent = &scope};
    for (const ast::BoundName& parameter : node.parameters) define(parameter, inner);
    visit(node.body, inner);
  }
  void visit_node(const ast::Comprehension& node, Span, const Scope& scope) {
    std::vector<std::unique_ptr<Scope>> scopes;
    const Scope* current = &scope;
    for (const ast::Generator& generator : node.generators) {
      visit(generator.source, *current);
      scopes.push_back(std::make_unique<Scope>(Scope{.parent = current}));
      for (const ast::BoundName& target : generator.targets) define(target, *scopes.back());
      current = scopes.back().get();
      visit_all(generator.conditions, *current);
    }
    visit(node.value, *current);
  }
  void visit_node(const ast::Match& node, Span, const Scope& scope) {
    if (node.subject != "name")
      report(error(DiagnosticKind::wrong_type, node.subject_span,
                   "`match` looks at the name of the tensor at hand, not at " + quoted(node.subject))
                 .hint("write `match name { ... }`; to choose by a value: `if ... then ... else ...`"));
    for (const ast::MatchArm& arm : node.arms) {
      if (arm.pattern == ast::MatchArm::Pattern::regex && !is_regex(arm.text))
        report(error(DiagnosticKind::bad_literal, arm.pattern_span, quoted(arm.text) + " is no regular expression")
                   .hint("brackets and parentheses in pairs; a dot is written `\\\\.`"));
      visit(arm.value, scope);
    }
  }
  void visit_node(const ast::Block& node, Span, const Scope& scope) {
    Scope inner{.parent = &scope};
    for (const ast::Statement& statement : node.statements) visit(statement, inner);
    visit(node.result, inner);
  }

  // --- effects ---

  // Whether evaluating this as a statement can do anything: it reaches `save`, `print` or `fail`, or calls
  // something whose body is not known here.
  bool has_effect(ast::ExprId id, const Scope& scope, int depth) {
    auto* call = std::get_if<ast::Call>(&module_[id].node);
    if (!call) return has_effect_inside(id, scope, depth);
    auto* name = std::get_if<ast::Name>(&module_[call->callee].node);
    if (!name) return true;
    if (auto* own = own_method(name->text))
      return depth > 16 || has_effect(own->body, scope, depth + 1);
    if (scope.find(name->text) || !library_.contains(name->text)) return true;
    if (std::find(std::begin(kEffects), std::end(kEffects), name->text) != std::end(kEffects)) return true;
    return std::any_of(call->arguments.begin(), call->arguments.end(), [&](const ast::Argument& argument) {
      return has_effect(argument.value, scope, depth + 1) && !is_plain(argument.value);
    });
  }

  bool has_effect_inside(ast::ExprId id, const Scope& scope, int depth) {
    const auto& node = module_[id].node;
    if (auto* block = std::get_if<ast::Block>(&node)) {
      for (const ast::Statement& statement : block->statements)
        if (auto* plain = std::get_if<ast::ExprStatement>(&statement.node))
          if (has_effect(plain->value, scope, depth + 1)) return true;
      return has_effect(block->result, scope, depth + 1);
    }
    if (auto* choice = std::get_if<ast::If>(&node))
      return has_effect(choice->then_value, scope, depth + 1) ||
             has_effect(choice->else_value, scope, depth + 1);
    if (auto* loop = std::get_if<ast::Comprehension>(&node)) return has_effect(loop->value, scope, depth + 1);
    if (auto* lambda = std::get_if<ast::Lambda>(&node)) return has_effect(lambda->body, scope, depth + 1);
    return false;
  }

  bool is_plain(ast::ExprId id) const { return std::holds_alternative<ast::Name>(module_[id].node); }

  const SourceMap& sources_;
  const ast::Module& module_;
  Library& library_;
  const CheckOptions& options_;
  Scope session_;  // around the module's own
  std::vector<const ast::Method*> methods_;
  Diagnostics findings_;
};

}  // namespace

const std::vector<std::string>& constant_names() {
  static const std::vector<std::string> names = {"pi", "inf"};
  return names;
}

const std::vector<std::string>& tensor_names() {
  static const std::vector<std::string> names = {"layer", "layer_count", "depth", "ndim", "numel"};
  return names;
}

Diagnostics check(const SourceMap& sources, const ast::Module& module, Library& library,
                  const CheckOptions& options) {
  return Checker(sources, module, library, options).run();
}

}  // namespace roux
