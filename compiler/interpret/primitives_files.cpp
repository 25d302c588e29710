// Checkpoints in and out, and scorers.
#include <algorithm>

#include "base/text.h"
#include "compiler/interpret/align.h"
#include "compiler/interpret/domains.h"
#include "compiler/interpret/failure.h"
#include "compiler/interpret/primitive_groups.h"

namespace roux::primitives {
namespace {

Data load_one(Evaluator& evaluator, const std::string& path, const Value& base, const std::string& wanted, Span span) {
  Host& host = evaluator.host();
  Graph& graph = evaluator.graph();
  const std::uint32_t source = unwrap(host.open(path, wanted, span));
  const Checkpoint& checkpoint = host.checkpoint(source);
  const std::string& space = host.space(source);
  Data data{.node = graph.source(source, graph.intern(domain_of(checkpoint))), .space = Space::combination};
  if (space == "tensors") {
    data.space = Space::tensors;
  } else {
    data.weight = graph.constant(space == "delta" ? 0 : 1);
    data.weight_magnitude = 1;
  }
  if (auto* given = base.get<Data>()) {
    SpaceContext context = evaluator.context(span);
    const Data pair[] = {data, *given};
    check_domains(context, pair);
    data.base = std::make_shared<const Data>(*given);
  }
  return data;
}

std::string text_argument(const PrimitiveCall& call, std::size_t i) { return *call.arguments[i].get<std::string>(); }

// The options of `align`, from the `first` argument on.
AlignPolicies policies_of(const PrimitiveCall& call, std::size_t first) {
  return {text_argument(call, first), text_argument(call, first + 1), text_argument(call, first + 2),
          text_argument(call, first + 3), text_argument(call, first + 4)};
}

List aligned(Evaluator& evaluator, const List& list, const Value& base, const AlignPolicies& policies, Span span) {
  SpaceContext context = evaluator.context(span);
  std::vector<Data> models;
  for (const Value& model : list.items) models.push_back(as_model(context, model));
  std::shared_ptr<const Data> wanted = common_base(context, models);
  if (auto* given = base.get<Data>()) wanted = std::make_shared<const Data>(*given);
  List result;
  for (const Data& model : roux::align(context, models, wanted.get(), policies)) result.items.push_back(model);
  return result;
}

}  // namespace

Value load(Evaluator& evaluator, const PrimitiveCall& call) try {
  return load_one(evaluator, text_argument(call, 0), call.arguments[1], text_argument(call, 2), call.spans[0]);
} catch (Failure& failure) {
  Diagnostic& finding = failure.diagnostics.front();
  if (finding.kind == DiagnosticKind::no_such_file && text_argument(call, 0).find('*') != std::string::npos)
    finding.help = "`load` opens one checkpoint; all that a glob matches: `load_all(" +
                   string_literal(text_argument(call, 0)) + ")`";
  throw;
}

Value load_all(Evaluator& evaluator, const PrimitiveCall& call) {
  const AlignPolicies policies = policies_of(call, 2);
  const bool matches = policies == AlignPolicies{};
  List models;
  Diagnostics findings;
  for (const std::string& path : unwrap(evaluator.host().glob(text_argument(call, 0), call.spans[0]))) {
    try {
      models.items.push_back(
          load_one(evaluator, path, matches ? call.arguments[1] : Value(), "auto", call.spans[0]));
    } catch (Failure& failure) {
      findings.insert(findings.end(), failure.diagnostics.begin(), failure.diagnostics.end());
    }
  }
  if (!findings.empty()) throw Failure{std::move(findings)};
  return matches ? models : aligned(evaluator, models, call.arguments[1], policies, call.span);
}

Value align(Evaluator& evaluator, const PrimitiveCall& call) {
  return aligned(evaluator, *call.arguments[0].get<List>(), call.arguments[1], policies_of(call, 2), call.span);
}

Value save(Evaluator& evaluator, const PrimitiveCall& call) {
  evaluator.refuse_inside_match("save", call.span);
  SpaceContext context = evaluator.context(call.spans[0]);
  Value value = call.arguments[0];
  const Graph& graph = evaluator.graph();
  auto* data = value.get<Data>();
  const bool plain_tensors = data && data->space == Space::tensors;
  if (!plain_tensors && !is_delta(graph, value)) value = as_model(context, value);
  data = value.get<Data>();
  if (graph[data->node].domain == kNone)
    fail(error(DiagnosticKind::wrong_type, call.spans[0], "there is no tensor to save in this value"));

  if (!*call.arguments[5].get<bool>()) refuse_part(context, *data, "saved", "save(part, path, partial = true)");

  const double shard = evaluator.control_number(call.arguments[3], "the shard size", call.spans[3]).value_or(1);
  if (!(shard >= 1 && shard <= 9007199254740992.0))
    fail(error(DiagnosticKind::out_of_range, call.spans[3], "the shard size is a size such as `5GB`"));
  evaluator.print_waiting();
  const Status saved = evaluator.host().save({.value = value,
                                              .path = text_argument(call, 1),
                                              .dtype = text_argument(call, 2),
                                              .shard_bytes = static_cast<std::uint64_t>(shard),
                                              .overwrite = *call.arguments[4].get<bool>(),
                                              .refuse_nonfinite = text_argument(call, 6) == "error",
                                              .in_f64 = text_argument(call, 7) == "f64",
                                              .is_speculative = evaluator.is_speculating(),
                                              .span = call.span});
  if (!saved) throw Failure{saved.error()};
  return {};
}

Value command(Evaluator& evaluator, const PrimitiveCall& call) {
  Scorer scorer;
  scorer.command = text_argument(call, 0);
  scorer.higher_is_better = text_argument(call, 1) == "max";
  if (auto* metric = call.arguments[2].get<std::string>()) scorer.metric = *metric;
  if (!call.arguments[3].is<NoneValue>())
    scorer.timeout_seconds = evaluator.control_number(call.arguments[3], "the timeout", call.spans[3]);
  if (scorer.timeout_seconds && !(*scorer.timeout_seconds > 0))
    fail(error(DiagnosticKind::out_of_range, call.spans[3],
               "the timeout is " + format_number(*scorer.timeout_seconds) + "; expected seconds, more than 0"));
  if (scorer.command.find("{model}") == std::string::npos)
    fail(error(DiagnosticKind::bad_literal, call.spans[0], "the command does not say where the model goes")
             .hint("write `{model}` where the path of the candidate belongs: `python3 score.py {model}`"));
  scorer.in_f64 = text_argument(call, 4) == "f64";
  scorer.span = call.span;
  scorer.id = evaluator.next_scorer_id();
  return scorer;
}

}  // namespace roux::primitives
