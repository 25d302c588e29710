// `match name { "*.mlp.*" => ..., _ => ... }`: an expression for each tensor, chosen by its name. In an arm every
// free value is restricted to the arm's tensors, so that statistics over a model mean those.
#include <algorithm>

#include "base/text.h"
#include "compiler/interpret/by_name.h"
#include "compiler/interpret/domains.h"
#include "compiler/interpret/evaluator.h"
#include "compiler/interpret/failure.h"
#include "compiler/syntax/free_names.h"

namespace roux {
namespace {

using ast::MatchArm;

std::optional<NamePattern> pattern_of(const MatchArm& arm) {
  switch (arm.pattern) {
    case MatchArm::Pattern::glob: return NamePattern{NamePattern::Kind::glob, arm.text};
    case MatchArm::Pattern::regex: return NamePattern{NamePattern::Kind::regex, arm.text};
    case MatchArm::Pattern::anything: break;
  }
  return std::nullopt;
}

NameTest test_of_arm(const MatchArm& arm) {
  const auto pattern = pattern_of(arm);
  if (!pattern) return [](const std::string&) { return true; };
  std::optional<NameTest> test = test_of(*pattern);
  if (!test) throw Failure{};  // reported with the text
  return *std::move(test);
}

std::vector<NameTest> tests_of(const ast::Match& node) {
  std::vector<NameTest> tests;
  for (const MatchArm& arm : node.arms) tests.push_back(test_of_arm(arm));
  return tests;
}

Diagnostic no_arm_fits(const std::vector<std::string>& names, Span span) {
  return error(DiagnosticKind::no_match, span,
               "no arm fits " + format_count(names.size(), "tensor") + ": " + list_some(names))
      .hint("a last arm `_ => ...` takes whatever is left");
}

std::string spelled(const MatchArm& arm) {
  if (arm.pattern == MatchArm::Pattern::anything) return "`_`";
  const std::string text = string_literal(arm.text);
  return "`" + (arm.pattern == MatchArm::Pattern::regex ? "regex(" + text + ")" : text) + "`";
}

Diagnostic taken_before(const MatchArm& arm) {
  return error(DiagnosticKind::no_match, arm.pattern_span,
               "every tensor that fits " + spelled(arm) + " belongs to an arm above")
      .hint("the first arm that fits wins: put narrower patterns first, or leave this arm out");
}

// `sources`: the checkpoints whose tensors are meant.
Diagnostic matches_nothing(const MatchArm& arm, const Domain& whole, const Host& host,
                           std::span<const std::uint32_t> sources) {
  const NameTest test = test_of_arm(arm);
  const bool taken = std::any_of(whole.tensors.begin(), whole.tensors.end(),
                                 [&](const Domain::Tensor& tensor) { return test(tensor.name); });
  if (taken) return taken_before(arm);
  Diagnostic none = error(DiagnosticKind::no_match, arm.pattern_span, "no tensor fits " + spelled(arm));
  none.help = tensor_name_hint(whole, arm.text);
  if (const std::string instead = carried_instead(host, sources, test); !instead.empty()) {
    none.message += instead;
    none.help = "leave this arm out: what is saved carries them along all the same";
  }
  return none;
}

// All tensors that the values of a `match` range over, by name. Where their shapes differ the first counts.
struct Matched {
  Domain tensors{.is_part = true, .facts_told = true};
  std::vector<NodeId> nodes;

  void add(const Graph& graph, const Value& value) {
    for_each_data(graph, value, [&](const Data& data) {
      nodes.push_back(data.node);
      const Domain& domain = graph.domain(graph[data.node].domain);
      const Domain news =
          part_of(domain, [&](const Domain::Tensor& tensor) { return !find_tensor(tensors, tensor.name); });
      const bool is_part = tensors.is_part && domain.is_part;
      tensors = *join(tensors, news);
      tensors.is_part = is_part;
    });
  }
};

// The tensors of each arm, in the order of the arms.
std::vector<ArmTensors> split_by_arms(SpaceContext& context, const ast::Module& module, const ast::Match& node,
                                      const Matched& matched) {
  const Domain& all = matched.tensors;
  const std::vector<NameTest> tests = tests_of(node);
  std::vector<ArmTensors> arms(tests.size());
  std::vector<std::string> uncovered;
  for (const Domain::Tensor& tensor : all.tensors) {
    const auto at = std::find_if(tests.begin(), tests.end(), [&](const NameTest& test) { return test(tensor.name); });
    if (at == tests.end())
      uncovered.push_back(tensor.name);
    else
      arms[static_cast<std::size_t>(at - tests.begin())].names.push_back(tensor.name);
  }
  Diagnostics findings;
  for (std::size_t i = 0; i < arms.size(); ++i) {
    arms[i].span = module[node.arms[i].value].span;
    if (arms[i].names.empty())
      findings.push_back(
          matches_nothing(node.arms[i], all, context.host, sources_of(context.graph, matched.nodes)));
    arms[i].usual = context.graph.intern(
        part_of(all, [&](const Domain::Tensor& tensor) { return arms[i].contains(tensor.name); }));
  }
  if (!uncovered.empty()) findings.push_back(no_arm_fits(uncovered, context.span));
  if (!findings.empty()) throw Failure{std::move(findings)};
  return arms;
}

std::vector<std::uint32_t> sources_in(const Graph& graph) {
  std::vector<std::uint32_t> sources;
  for (NodeId id = 0; id < graph.size(); ++id)
    if (graph[id].kind == NodeKind::source) sources.push_back(graph[id].attribute);
  return sources;
}

}  // namespace

// `tensors`: those of the arm, or null where no value of the `match` has any yet.
Value Evaluator::eval_arm(const MatchArm& arm, const ArmTensors* tensors, Frame& frame) {
  Frame inner{frame.module, std::make_shared<Environment>(frame.environment)};
  SpaceContext where = context(frame.module[arm.value].span);
  if (tensors)
    for (const std::string& name : ast::free_names(frame.module, arm.value))
      if (const Value* found = frame.environment->find(name))
        inner.environment->bind(name, restricted(where, *found, *tensors));
  ++arm_depth_;
  Value value = eval(arm.value, inner);
  --arm_depth_;
  return value;
}

Value Evaluator::eval_node(const ast::Match& node, Span span, Frame& frame) {
  SpaceContext where = context(span);
  Matched free;
  for (const MatchArm& arm : node.arms)
    for (const std::string& name : ast::free_names(frame.module, arm.value))
      if (const Value* found = frame.environment->find(name)) free.add(graph_, *found);
  const bool has_tensors = !free.tensors.tensors.empty();
  std::vector<ArmTensors> arms;
  if (has_tensors) arms = split_by_arms(where, frame.module, node, free);
  std::vector<Value> values;
  for (std::size_t i = 0; i < node.arms.size(); ++i)
    values.push_back(eval_arm(node.arms[i], has_tensors ? &arms[i] : nullptr, frame));
  if (has_tensors) return joined(where, values, arms, free.tensors.is_part);

  Matched made;  // of values that the arms themselves load
  for (const Value& value : values) made.add(graph_, value);
  if (made.tensors.tensors.empty()) return match_numbers(node, values, span);
  return joined(where, values, split_by_arms(where, frame.module, node, made), made.tensors.is_part);
}

// Numbers alone: the choice waits for the tensors that it meets. Without a last `_` the arms must fit every tensor of
// every model, those that are loaded later included.
Value Evaluator::match_numbers(const ast::Match& node, const std::vector<Value>& values, Span span) {
  const bool takes_all = node.arms.back().pattern == MatchArm::Pattern::anything;
  if (!takes_all && graph_.domain_count() == 0)
    fail(error(DiagnosticKind::no_match, span, "the last arm of a `match` between numbers must be `_` where no model "
                                               "is loaded yet")
             .hint("it meets its tensors only where it is used: say what the number is for all others, `_ => ...`"));
  for (std::size_t i = 0; i + 1 < node.arms.size(); ++i)
    if (!pattern_of(node.arms[i])) fail(taken_before(node.arms[i + 1]));
  check_patterns(node);
  if (!takes_all) {
    WholeMatch match{tests_of(node), span, 0};
    check_whole_match(match);
    whole_matches_.push_back(std::move(match));
  }
  SpaceContext where = context(span);
  return joined(where, values, [&](std::span<const Value> numbers) {
    Value chosen = numbers.back();
    for (std::size_t i = numbers.size() - 1; i-- > 0;)
      chosen = choose(where, number_data(graph_.named(*pattern_of(node.arms[i]))), numbers[i], chosen);
    return chosen;
  });
}

// Of what was loaded since the last look at this `match`.
void Evaluator::check_whole_match(WholeMatch& match) const {
  std::vector<std::string> uncovered;
  for (; match.checked < graph_.domain_count() && uncovered.empty(); ++match.checked)
    for (const Domain::Tensor& tensor : graph_.domain(match.checked).tensors)
      if (std::none_of(match.tests.begin(), match.tests.end(), [&](const NameTest& test) { return test(tensor.name); }))
        uncovered.push_back(tensor.name);
  if (!uncovered.empty()) fail(no_arm_fits(uncovered, match.span));
}

void Evaluator::check_whole_matches() {
  for (WholeMatch& match : whole_matches_) check_whole_match(match);
}

// An arm that fits no tensor of any checkpoint loaded so far is a misspelled one.
void Evaluator::check_patterns(const ast::Match& node) const {
  if (graph_.domain_count() == 0) return;
  const std::vector<NameTest> tests = tests_of(node);
  std::vector<bool> fits(tests.size());
  for (DomainId id = 0; id < graph_.domain_count(); ++id)
    for (const Domain::Tensor& tensor : graph_.domain(id).tensors) {
      const auto at = std::find_if(tests.begin(), tests.end(), [&](const NameTest& test) { return test(tensor.name); });
      if (at != tests.end()) fits[static_cast<std::size_t>(at - tests.begin())] = true;
    }
  for (std::size_t i = 0; i < fits.size(); ++i)
    if (!fits[i] && pattern_of(node.arms[i]))
      fail(matches_nothing(node.arms[i], graph_.domain(0), host_, sources_in(graph_)));
}

}  // namespace roux
