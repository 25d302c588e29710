#include "compiler/sema/arguments.h"

#include "base/text.h"
#include "compiler/sema/library.h"

namespace roux {
namespace {

// Words that other tools use for the same thing.
struct ForeignWord {
  const char* word;
  const char* ours;
  bool complement = false;  // ours is 1 minus theirs
};

constexpr ForeignWord kForeignWords[] = {
    {"lambda", "scale"},  {"lambda_", "scale"},  {"alpha", "t"},         {"weight", "weights"},
    {"density", "k"},     {"density", "keep"},   {"density", "p", true}, {"drop_rate", "p"},
    {"base_model", "base"}, {"output", "path"},  {"out", "path"},        {"torch_dtype", "dtype"},
    {"max_shard_size", "shard"}, {"out_shard_size", "shard"}, {"lambdas", "weights"},
};

// Words of other tools for what is another thing here, or nothing at all.
struct ForeignThing {
  const char* word;
  const char* hint;
};

constexpr ForeignThing kForeignThings[] = {
    {"normalize", "changes are added as they are; `mean(models, weights = ...)` normalises its weights"},
    {"int8_mask", "masks take no memory of their own here: leave it out"},
    {"filter", "a value per kind of tensor is written `match name { \"*mlp*\" => 0.5, _ => 0.3 }`"},
    {"t", "`t` steers `lerp(a, b, t)` and `slerp(a, b, t)`; here amounts are `scale` or `weights`"},
    {"merge_method", "the method is the call itself: `ties(models)`"},
    {"layer_range", "a gradient over the layers is a number per tensor: `t = 0.2 + 0.6*depth`"},
    {"tokenizer_source", "the tokenizer travels with the base: leave it out"},
    {"device", "models are streamed through the CPU: leave it out"},
    {"cuda", "models are streamed through the CPU: leave it out"},
    {"lazy_unpickle", "checkpoints are always streamed: leave it out"},
    {"low_cpu_memory", "checkpoints are always streamed; `--memory` is the budget of a run"},
};

std::string signature_of(const Callee& callee) {
  return signature_text(callee.sources, callee.module, callee.method);
}

bool has_parameter(const Callee& callee, std::string_view name) {
  for (const ast::Parameter& parameter : callee.method.parameters)
    if (parameter.name.text == name) return true;
  return false;
}

std::string hint_for(const Callee& callee, const ast::Argument& argument, const ast::Module& module) {
  for (const ForeignWord& row : kForeignWords) {
    if (argument.name != row.word || !has_parameter(callee, row.ours)) continue;
    std::string value(callee.sources.text(module[argument.value].span));
    if (row.complement) {
      auto* number = std::get_if<ast::Number>(&module[argument.value].node);
      const bool is_list = std::holds_alternative<ast::List>(module[argument.value].node);
      value = number ? format_number(1 - number->value) : is_list ? "[1 - x for x in " + value + "]" : "1 - " + value;
    }
    return "what other tools call `" + argument.name + "` is `" + row.ours + " = " + value + "` here";
  }
  std::vector<std::string> names;
  for (const ast::Parameter& parameter : callee.method.parameters) names.push_back(parameter.name.text);
  if (auto near = nearest(argument.name, names))
    return "nearest is " + quoted(*near);
  for (const ForeignThing& row : kForeignThings)
    if (argument.name == row.word) return row.hint;
  return "";
}

// `print(a, b)` as one text.
std::string printed_together(const Callee& callee, const std::vector<ast::Argument>& arguments,
                             const ast::Module& module) {
  std::string text;
  for (const ast::Argument& argument : arguments) {
    const std::string value(callee.sources.text(module[argument.value].span));
    const bool is_text = std::holds_alternative<ast::String>(module[argument.value].node);
    text += (text.empty() ? "" : " ") + (is_text ? value.substr(1, value.size() - 2) : "${" + value + "}");
  }
  return "several values are printed as one text: `print(\"" + text + "\")`";
}

}  // namespace

bool takes_operands(const std::vector<ast::Parameter>& parameters) {
  return !parameters.empty() && parameters[0].type && parameters[0].type->name == "operands";
}

Result<ArgumentPlan> plan_arguments(const Callee& callee, const std::vector<ast::Argument>& arguments,
                                    const ast::Module& module, Span call_span) {
  const std::vector<ast::Parameter>& parameters = callee.method.parameters;
  ArgumentPlan plan;
  plan.of_parameter.resize(parameters.size());
  Diagnostics findings;

  std::vector<std::size_t> positional;
  for (std::size_t i = 0; i < arguments.size(); ++i)
    if (arguments[i].name.empty()) positional.push_back(i);
  if (takes_operands(parameters) && positional.size() > 1) {
    plan.gathered = positional;
    plan.of_parameter[0] = positional[0];
    positional.clear();
  }
  for (std::size_t i = 0; i < positional.size(); ++i) {
    if (i < parameters.size()) {
      plan.of_parameter[i] = positional[i];
      continue;
    }
    findings.push_back(error(DiagnosticKind::too_many_arguments, module[arguments[positional[i]].value].span,
                             quoted(callee.method.name.text) + " takes " +
                                 format_count(parameters.size(), "argument") + ", got " +
                                 std::to_string(positional.size()))
                           .note({}, signature_of(callee))
                           .hint(callee.method.name.text == "print" ? printed_together(callee, arguments, module) : ""));
    break;
  }

  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const ast::Argument& argument = arguments[i];
    if (argument.name.empty()) continue;
    std::size_t at = 0;
    while (at < parameters.size() && parameters[at].name.text != argument.name) ++at;
    if (at == parameters.size()) {
      findings.push_back(error(DiagnosticKind::unknown_argument, argument.name_span,
                               quoted(callee.method.name.text) + " has no argument " + quoted(argument.name))
                             .note({}, signature_of(callee))
                             .hint(hint_for(callee, argument, module)));
    } else if (plan.of_parameter[at]) {
      findings.push_back(error(DiagnosticKind::doubled_argument, argument.name_span,
                               "argument " + quoted(argument.name) + " is given twice")
                             .note(module[arguments[*plan.of_parameter[at]].value].span, "here first")
                             .note({}, signature_of(callee)));
    } else {
      plan.of_parameter[at] = i;
    }
  }

  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (plan.of_parameter[i] || parameters[i].default_value != ast::kNoExpr) continue;
    findings.push_back(error(DiagnosticKind::missing_argument, call_span,
                             quoted(callee.method.name.text) + " needs " + quoted(parameters[i].name.text))
                           .note({}, signature_of(callee)));
  }
  // The signature once: all of them are about one call.
  for (std::size_t i = 1; i < findings.size(); ++i)
    std::erase_if(findings[i].notes, [](const Label& label) { return !label.span.valid(); });
  if (!findings.empty()) return findings;
  return plan;
}

}  // namespace roux
