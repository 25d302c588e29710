// Calls: of methods (recipe, library, primitives), of functions, of scorers.
#include <algorithm>
#include <utility>

#include "base/limits.h"
#include "base/text.h"
#include "compiler/interpret/conform.h"
#include "compiler/interpret/depth_guard.h"
#include "compiler/interpret/evaluator.h"
#include "compiler/interpret/failure.h"
#include "compiler/interpret/primitives.h"
#include "compiler/sema/arguments.h"
#include "compiler/sema/types.h"

namespace roux {
namespace {

bool any_poison(const std::vector<Value>& values) {
  return std::any_of(values.begin(), values.end(), [](const Value& value) {
    if (value.is<Poison>()) return true;
    auto* list = value.get<List>();
    return list && any_poison(list->items);
  });
}

// A reduction over a scope looks inside one value, so there a soup is its mean, not the list of its models.
void look_inside_soups(SpaceContext context, const std::vector<ast::Parameter>& parameters,
                       std::vector<Value>& values) {
  const auto over = std::find_if(parameters.begin(), parameters.end(),
                                 [](const ast::Parameter& parameter) { return parameter.name.text == "over"; });
  if (over == parameters.end() || values[static_cast<std::size_t>(over - parameters.begin())].is<NoneValue>()) return;
  for (std::size_t p = 0; p < parameters.size(); ++p)
    if (auto* soup = values[p].get<Soup>(); soup && parameters[p].type && parameters[p].type->name == "operands")
      values[p] = soup_mean(context, *soup);
}

}  // namespace

Value Evaluator::eval_node(const ast::Call& node, Span span, Frame& frame) {
  const Value callee = eval(node.callee, frame);
  if (callee.is<Poison>()) return callee;
  if (auto* function = callee.get<Function>())
    if (auto* method = std::get_if<MethodValue>(function))
      return call_method(*method, node.arguments, {}, frame.module, span, &frame);

  std::vector<Value> arguments;
  bool partial = false;
  for (const ast::Argument& argument : node.arguments) {
    if (callee.is<Scorer>() && argument.name == "partial") {
      const Span place = frame.module[argument.value].span;
      partial = control_number(eval(argument.value, frame), "`partial`", place).value_or(0) != 0;
      continue;
    }
    if (!argument.name.empty())
      fail(error(DiagnosticKind::unknown_argument, argument.name_span,
                 "a function without a name takes its arguments by position"));
    arguments.push_back(eval(argument.value, frame));
  }
  if (any_poison(arguments)) return Poison{};
  if (!callee.is<Function>() && !callee.is<Scorer>())
    fail(error(DiagnosticKind::not_callable, frame.module[node.callee].span,
               describe_kind(callee, graph_) + " cannot be called"));
  if (auto* scorer = callee.get<Scorer>(); scorer && arguments.size() == 1)
    return score(*scorer, arguments[0], partial, span);
  return call(callee, std::move(arguments), span);
}

Value Evaluator::call(const Value& function, std::vector<Value> arguments, Span span) {
  if (auto* scorer = function.get<Scorer>()) {
    if (arguments.size() != 1)
      fail(error(DiagnosticKind::too_many_arguments, span,
                 "a scorer takes one model, got " + format_count(arguments.size(), "argument")));
    return score(*scorer, arguments[0], false, span);
  }
  auto* callable = function.get<Function>();
  if (!callable)
    fail(error(DiagnosticKind::not_callable, span, describe_kind(function, graph_) + " cannot be called"));
  if (auto* closure = std::get_if<Closure>(callable)) return call_closure(*closure, std::move(arguments), span);
  return call_method(std::get<MethodValue>(*callable), {}, std::move(arguments), {}, span, nullptr);
}

Value Evaluator::call_closure(const Closure& closure, std::vector<Value> arguments, Span span) {
  const DepthGuard guard(call_depth_, limits_.call_depth, "calls", span);
  const auto& parameters = closure.lambda->parameters;
  if (arguments.size() != parameters.size())
    fail(error(DiagnosticKind::too_many_arguments, span,
               "the function takes " + format_count(parameters.size(), "argument") + ", got " +
                   std::to_string(arguments.size()))
             .note(closure.span, "the function"));
  Frame inner{*closure.module, std::make_shared<Environment>(closure.environment)};
  for (std::size_t i = 0; i < parameters.size(); ++i)
    inner.environment->bind(parameters[i].text, std::move(arguments[i]));
  // What a function drops is an expression of its own each time that it is called.
  const std::optional<LoneStream> of_caller = std::exchange(lone_stream_, std::nullopt);
  Value result = eval(closure.lambda->body, inner);
  lone_stream_ = of_caller;
  return result;
}

// An argument whose parameter is an enumeration reads a bare word as its choice first.
Value Evaluator::eval_argument(const ast::Parameter& parameter, ast::ExprId id, Frame& frame) {
  auto* name = std::get_if<ast::Name>(&frame.module[id].node);
  if (name && parameter.type) {
    const std::vector<std::string> choices = choices_of(*parameter.type);
    if (std::find(choices.begin(), choices.end(), name->text) != choices.end()) return name->text;
  }
  return eval(id, frame);
}

// What a printed expression is joined from: the parts of a text, or the one value of anything else.
std::vector<Value> Evaluator::parts_of(ast::ExprId id, Frame& frame) {
  auto* text = std::get_if<ast::String>(&frame.module[id].node);
  if (!text) return {eval(id, frame)};
  std::vector<Value> parts;
  for (const ast::StringPart& part : text->parts) {
    parts.push_back(part.value == ast::kNoExpr ? Value(part.text) : eval(part.value, frame));
    if (part.value != ast::kNoExpr) check_printable(parts.back(), frame.module[part.value].span);
  }
  return parts;
}

// Arguments come as syntax (with a caller's frame) or as values, by position.
Value Evaluator::call_method(const MethodValue& method, const std::vector<ast::Argument>& arguments,
                             std::vector<Value> plain, const ast::Module& module, Span span, Frame* caller) {
  const DepthGuard guard(call_depth_, limits_.call_depth, "calls", span);
  const std::vector<ast::Parameter>& parameters = method.method->parameters;
  const std::string& name = method.method->name.text;
  std::vector<ast::Argument> positional(plain.size());
  ast::Module placeholder;
  placeholder.exprs.resize(plain.size(), {ast::None{}, span});
  for (std::size_t i = 0; i < plain.size(); ++i) positional[i].value = static_cast<ast::ExprId>(i);

  const Callee callee{sources_, *method.module, *method.method};
  const ArgumentPlan plan = unwrap(caller ? plan_arguments(callee, arguments, module, span)
                                          : plan_arguments(callee, positional, placeholder, span));
  const auto value_of = [&](const ast::Parameter& parameter, std::size_t i) {
    return caller ? eval_argument(parameter, arguments[i].value, *caller) : plain[i];
  };
  const auto span_of = [&](std::size_t i) { return caller ? module[arguments[i].value].span : span; };

  const bool prints = name == "print" && is_primitive(*method.module, *method.method);
  if (prints && caller) {  // the numbers in a text wait with it
    const ast::ExprId value = arguments[*plan.of_parameter[0]].value;
    print(parts_of(value, *caller), module[value].span);
    return {};
  }
  Frame inner{*method.module,
              std::make_shared<Environment>(method.environment ? method.environment : root_)};
  std::vector<Value> values(parameters.size());
  std::vector<Span> spans(parameters.size(), span);
  for (std::size_t p = 0; p < parameters.size(); ++p) {
    if (!plan.of_parameter[p]) continue;
    spans[p] = span_of(*plan.of_parameter[p]);
    if (p == 0 && !plan.gathered.empty()) {
      List list;
      for (std::size_t i : plan.gathered) list.items.push_back(value_of(parameters[p], i));
      values[p] = std::move(list);
    } else {
      values[p] = value_of(parameters[p], *plan.of_parameter[p]);
    }
  }
  if (any_poison(values)) return Poison{};

  try {
    look_inside_soups(context(span), parameters, values);
    for (std::size_t p = 0; p < parameters.size(); ++p) {
      if (!plan.of_parameter[p]) values[p] = default_of(parameters[p], inner);
      if (parameters[p].type) {
        SpaceContext where = context(spans[p]);
        values[p] = conform(where, values[p], *parameters[p].type,
                            "argument " + quoted(parameters[p].name.text) + " of " + quoted(name));
      }
      inner.environment->bind(parameters[p].name.text, values[p]);
    }
    const Span of_caller = std::exchange(recipe_call_, in_library(span) ? recipe_call_ : span);
    Value result = finish_call(method, inner.environment, std::move(values), spans, span);
    recipe_call_ = of_caller;
    return result;
  } catch (Failure& failure) {
    const Span* blamed = nullptr;
    for (std::size_t p = 0; p < parameters.size(); ++p)
      if (plan.of_parameter[p] && parameters[p].name.text == failure.argument) blamed = &spans[p];
    bool is_settled = false;
    for (Diagnostic& finding : failure.diagnostics) {
      if (in_library(finding.span)) {
        blame_caller(finding, blamed ? *blamed : span, failure.argument.empty(), name);
        is_settled = !in_library(span);
      } else if (blamed) {
        if (finding.span != *blamed) finding.notes.push_back({finding.span, "said here, in " + quoted(name)});
        finding.span = *blamed;
        is_settled = true;
      }
    }
    if (is_settled) failure.argument.clear();  // whoever calls the caller may have a parameter of that name, too
    throw;
  }
}

// What goes wrong inside the library is the business of whoever called it: point there. Where inside it went
// wrong is of interest only where neither an argument nor an input is at fault.
void Evaluator::blame_caller(Diagnostic& finding, Span call, bool show_library, const std::string& name) const {
  const bool of_the_recipe = fault_of(finding.kind) == Fault::user && finding.checkpoints.empty();
  if (show_library && of_the_recipe && !in_library(call))
    finding.notes.push_back({finding.span, "in the library's " + quoted(name)});
  finding.span = call;
}

// A default that fails is told as such, since nobody wrote it.
Value Evaluator::default_of(const ast::Parameter& parameter, Frame& frame) {
  try {
    return eval_argument(parameter, parameter.default_value, frame);
  } catch (Failure& failure) {
    for (Diagnostic& finding : failure.diagnostics) {
      if (!in_library(finding.span)) continue;
      finding.notes.push_back({{}, quoted(parameter.name.text) + " was not given; its default is " +
                                       quoted(sources_.text(frame.module[parameter.default_value].span))});
    }
    if (failure.argument.empty()) failure.argument = parameter.name.text;
    throw;
  }
}

Value Evaluator::finish_call(const MethodValue& method, std::shared_ptr<Environment> environment,
                             std::vector<Value> values, std::vector<Span> spans, Span span) {
  const std::string& name = method.method->name.text;
  Value result;
  if (is_primitive(*method.module, *method.method)) {
    const PrimitiveCall call{std::move(values), std::move(spans), span};
    const auto op = op_from_name(name);
    const Primitive primitive = find_primitive(name);
    ROUX_CHECK(primitive || op);
    result = primitive ? primitive(*this, call) : call_elementwise(*this, *op, call);
  } else {
    Frame inner{*method.module, std::move(environment)};
    result = eval(method.method->body, inner);
  }
  if (!method.method->result || result.is<Poison>()) return result;
  SpaceContext where = context(span);
  return conform(where, result, *method.method->result, "the result of " + quoted(name));
}

}  // namespace roux
