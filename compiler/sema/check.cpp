#include "compiler/sema/check.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <regex>
#include <set>
#include <utility>

#include "base/text.h"
#include "compiler/sema/arguments.h"
#include "compiler/sema/effects.h"
#include "compiler/sema/names.h"
#include "compiler/sema/recursion.h"
#include "compiler/sema/types.h"

namespace roux {
namespace {

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
      : sources_(sources), module_(module), library_(library), options_(options), names_(module) {}

  Diagnostics run() {
    for (const std::string& name : options_.bound) session_.names.push_back({name, Span{}});
    Scope scope{.parent = &session_};
    for (const ast::Statement& statement : module_.statements) visit(statement, scope);
    for (Diagnostic& circle : find_recursion(uses_)) report(std::move(circle));
    std::stable_sort(findings_.begin(), findings_.end(),
                     [](const Diagnostic& a, const Diagnostic& b) { return a.span.begin < b.span.begin; });
    return std::move(findings_);
  }

  std::vector<Export> exports() {
    Scope scope;
    for (const ast::Statement& statement : module_.statements)
      if (auto* import = std::get_if<ast::Import>(&statement.node)) visit_import(*import, scope);
    std::vector<Export> all;
    const auto add = [&](const ast::BoundName& name, const ast::Method* method) {
      const bool has_effect_or_is_open = !method || effects().has_effect(method->body, scope);
      if (!name.text.starts_with('_')) all.push_back({name, &module_, method, has_effect_or_is_open});
    };
    for (const ast::Statement& statement : module_.statements) {
      if (auto* bind = std::get_if<ast::Bind>(&statement.node)) add(bind->name, nullptr);
      if (auto* param = std::get_if<ast::Param>(&statement.node)) add(param->parameter.name, nullptr);
      if (auto* method = std::get_if<ast::Method>(&statement.node)) add(method->name, method);
    }
    return all;
  }

 private:
  Effects effects() const { return {module_, library_, names_}; }

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
      visit_import(*import, scope);
    } else if (auto* plain = std::get_if<ast::ExprStatement>(&statement.node)) {
      visit(plain->value, scope);
      if (options_.is_imported)
        return report(error(DiagnosticKind::wrong_place, statement.span,
                            "an imported file holds methods, bindings, parameters and imports, and does nothing else")
                          .hint("make it a method, and call that in the recipe"));
      if (!options_.allow_plain_expressions && !names_unknown_ &&
          !effects().has_effect(plain->value, scope))
        report(error(DiagnosticKind::no_effect, module_[plain->value].span, "this expression has no effect")
                   .hint("bind it to a name, `save` it or `print` it"));
    }
  }

  void visit_method(const ast::Method& method, Scope& scope) {
    define(method.name, scope);
    const ast::Method* const outer = std::exchange(visited_method_, &method);
    Scope inner{.parent = &scope};
    for (const ast::Parameter& parameter : method.parameters) {
      visit_parameter(parameter, inner);
      define(parameter.name, inner);
    }
    if (method.result) visit(*method.result);
    visit(method.body, inner);
    visited_method_ = outer;
  }

  void visit_parameter(const ast::Parameter& parameter, Scope& scope) {
    if (parameter.type) visit(*parameter.type);
    if (parameter.default_value == ast::kNoExpr) return;
    if (parameter.type && is_choice(parameter.default_value, choices_of(*parameter.type))) return;
    visit(parameter.default_value, scope);
  }

  // --- names ---

  void define(const ast::BoundName& name, Scope& scope) {
    if (auto* earlier = scope.find_here(name.text)) {
      const bool is_imported = earlier->span.source != name.span.source;
      report(error(DiagnosticKind::rebound, name.span, quoted(name.text) + " is already bound")
                 .note(earlier->span, is_imported ? "imported from here" : "bound here first")
                 .hint("a name is bound once; choose another" +
                       std::string(is_imported ? ", or import the file `as` a name of its own" : "")));
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

  void visit_import(const ast::Import& import, Scope& scope) {
    const ImportedFile* file = options_.imports ? options_.imports->find(import) : nullptr;
    if (import.alias) {
      define(*import.alias, scope);
      names_.add_alias(*import.alias, file);
    } else if (file) {
      for (const Export& each : file->exports) define_imported(each, *file, import, scope);
    } else {
      names_unknown_ = true;  // those of a file that could not be read
    }
  }

  // A name that a file brings along. What it hides of the library is noted where the file is checked.
  void define_imported(const Export& each, const ImportedFile& file, const ast::Import& import, Scope& scope) {
    auto* earlier = scope.find_here(each.name.text);
    if (earlier && earlier->span == each.name.span) return;  // the same file once more
    if (!earlier) {
      scope.names.push_back(each.name);
      names_.add_imported(each);
      return;
    }
    report(error(DiagnosticKind::rebound, import.path_span,
                 quoted(each.name.text) + " of " + quoted(file.name) + " is already bound")
               .note(earlier->span, "bound here first")
               .note(each.name.span, "and here again")
               .hint("give the file's names a prefix: `import \"...\" as m`, then `m." + each.name.text + "`"));
  }

  void visit(const ast::Type& type) {
    for (const ast::Type& part : type.arguments) visit(part);
    if (type.kind != ast::Type::Kind::named) return;
    const TypeName* known = find_type(type.name);
    if (!known) {
      report(unknown_name("type", type.name, type.span, type_names()));
    } else if (*known == TypeName::layers || *known == TypeName::net || *known == TypeName::dataset) {
      not_yet(type.span, "the type " + quoted(type.name));
    }
  }

  // --- expressions ---

  bool is_choice(ast::ExprId id, const std::vector<std::string>& choices) const {
    auto* name = std::get_if<ast::Name>(&module_[id].node);
    return name && std::find(choices.begin(), choices.end(), name->text) != choices.end();
  }

  bool is_known(std::string_view name, const Scope& scope) const {
    const auto among = [&](const std::vector<std::string>& names) {
      return std::find(names.begin(), names.end(), name) != names.end();
    };
    return scope.find(name) || names_.own_method(name) || library_.contains(name) || among(constant_names()) ||
           among(tensor_names());
  }

  void visit_name(const ast::Name& name, Span span, const Scope& scope, const std::string& what = "name") {
    if (const ast::Method* own = names_.meant_method(name.text, scope); own && visited_method_)
      uses_.push_back({visited_method_, own, span});
    if (names_unknown_ || is_known(name.text, scope)) return;
    if (name.text == "name")
      return report(error(DiagnosticKind::wrong_place, span,
                          "`name`, the name of the tensor at hand, is known only to `match name { ... }`")
                        .hint("`match name { \"*.mlp.*\" => ..., _ => ... }` chooses by it"));
    std::vector<std::string> candidates;  // of equally near ones the first is proposed
    for (const Scope* s = &scope; s; s = s->parent)
      for (const ast::BoundName& bound : s->names) candidates.push_back(bound.text);
    for (const ast::Method* method : names_.methods()) candidates.push_back(method->name.text);
    const std::vector<std::string> reserved = {"true", "false", "none"};
    for (const auto& names : {reserved, library_.names(), constant_names(), tensor_names()})
      candidates.insert(candidates.end(), names.begin(), names.end());
    report(unknown_name(what, name.text, span, candidates));
  }

  // The signature that a call will meet, where its callee is a name that cannot mean anything else.
  struct Known {
    const ast::Module* module = nullptr;
    const ast::Method* method = nullptr;
  };
  Known known_callee(const ast::Call& call, const Scope& scope) {
    if (const Export* found = names_.imported_callee(call.callee, scope)) return {found->module, found->method};
    auto* name = std::get_if<ast::Name>(&module_[call.callee].node);
    if (!name) return {};
    if (const ast::Method* own = names_.meant_method(name->text, scope)) return {&module_, own};
    if (scope.find(name->text) || names_unknown_) return {};
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
    if (auto near = nearest_choice(name->text, choices)) wrong.help = "nearest is " + quoted(*near);
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
  void visit_node(const ast::Member& node, Span, const Scope& scope) {
    visit(node.object, scope);
    const ImportedFile* file = names_.aliased(node.object, scope);
    if (!file || file->find(node.name)) return;
    std::vector<std::string> names;
    for (const Export& each : file->exports) names.push_back(each.name.text);
    Diagnostic unknown = error(DiagnosticKind::unknown_member, node.name_span,
                               quoted(file->name) + " has no name " + quoted(node.name));
    if (auto near = nearest(node.name, names)) unknown.help = "nearest is " + quoted(*near);
    if (node.name.starts_with('_')) unknown.help = "names that begin with `_` stay in their file";
    report(std::move(unknown));
  }
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

  const SourceMap& sources_;
  const ast::Module& module_;
  Library& library_;
  const CheckOptions& options_;
  Scope session_;  // around the module's own
  Names names_;
  const ast::Method* visited_method_ = nullptr;
  std::vector<MethodUse> uses_;
  bool names_unknown_ = false;  // those of a file that could not be read may be any
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

std::vector<Export> exports_of(const SourceMap& sources, const ast::Module& module, Library& library,
                               const CheckOptions& options) {
  return Checker(sources, module, library, options).exports();
}

}  // namespace roux
