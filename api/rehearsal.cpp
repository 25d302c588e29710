#include "api/rehearsal.h"

#include "api/output.h"
#include "base/text.h"
#include "compiler/interpret/spaces.h"
#include "runtime/checkpoint/host_memory.h"
#include "runtime/kernel/text.h"

namespace roux {
namespace {

// Any number will do where only headers are looked at.
Result<double> unknown_number(NodeId) { return 1.0; }

}  // namespace

// Whether a model is a checkpoint whose files hold it, so that it is scored where it stands.
bool Rehearsal::is_as_it_is(NodeId node) const {
  return graph_[node].kind == NodeKind::source && checkpoint(graph_[node].attribute).parts().empty();
}

Result<std::optional<double>> Rehearsal::score(const Scorer& scorer, const Data& model, Span span) {
  if (scored_.insert(model.node).second && !is_as_it_is(model.node))
    ROUX_DO(prepare_output(graph_, inputs_,
                           {.value = &model, .path = "candidate", .dtype = "widest", .in_f64 = scorer.in_f64,
                            .span = span},
                           options_, unknown_number));
  return std::optional<double>();
}

Status Rehearsal::save(const SaveRequest& request) {
  const Data& value = *request.value.get<Data>();
  ROUX_TRY(PreparedOutput prepared,
           prepare_output(graph_, inputs_,
                          {.value = &value, .path = request.path, .dtype = request.dtype,
                           .shard_bytes = request.shard_bytes, .overwrite = request.overwrite, .in_f64 = request.in_f64,
                           .metadata = {},
                           .span = request.span},
                          options_, unknown_number));
  for (std::size_t i = 0; i < output_paths_.size(); ++i) {
    const std::string& earlier = output_paths_[i];
    if (Inputs::same_path(request.path, earlier)) {
      if (request.is_speculative) continue;  // of two branches the run takes one
      return error(DiagnosticKind::output_exists, request.span,
                   "the recipe saves to " + quoted(request.path) + " twice")
          .note(output_spans_[i], "saved here first");
    }
    if (Inputs::is_inside(request.path, earlier) || Inputs::is_inside(earlier, request.path))
      return error(DiagnosticKind::output_exists, request.span,
                   "the recipe saves to " + quoted(request.path) + " and to " + quoted(earlier) +
                       ", one inside the other")
          .note(output_spans_[i], quoted(earlier) + " is saved here");
  }
  ROUX_DO(check_output(prepared.layout, prepared.bytes, inputs_.all()));
  if (is_host_path(request.path) && !options_.save_to_memory)
    return error(DiagnosticKind::output_exists, request.span, "nothing here takes models in memory")
        .hint("save to a file or a folder: `memory:` is for programs that embed Roux");
  if (!request.is_speculative && !is_host_path(request.path)) {
    wanted_.push_back({request.path, prepared.bytes, request.span});
    ROUX_DO(check_room(wanted_));
  }
  if (!scored_.empty() && !scored_.contains(value.node) && is_model(graph_, request.value))
    note(roux::note(DiagnosticKind::not_scored, request.span,
                    "what is saved here is none of the models that are scored on the way")
             .hint(advice_to_score_));
  inputs_.promise(prepared.layout);
  output_paths_.push_back(request.path);
  output_spans_.push_back(request.span);
  saves_.push_back({request.path, prepared.bytes, std::move(prepared.plan)});
  return ok();
}

PlanSummary Rehearsal::summary() const {
  PlanSummary summary;
  for (const NodeId node : scored_)
    ++(is_as_it_is(node) ? summary.checkpoints_scored : summary.candidates_scored);
  for (const RehearsedSave& save : saves_) {
    const Plan& plan = save.plan;
    summary.saves.push_back({.path = save.path,
                             .tensors = plan.tensors.size() + plan.carried.size(),
                             .bytes = save.bytes,
                             .sweeps = static_cast<std::uint64_t>(sweep_count(plan)),
                             .bytes_read = plan.bytes_read,
                             .bytes_written = plan.bytes_written,
                             .memory_bytes = plan.peak_bytes,
                             .tile_elements = plan.tile_elements,
                             .threads = plan.threads});
    for (const Kernel& kernel : plan.kernels) summary.saves.back().kernels.push_back(to_text(kernel));
  }
  summary.text = text_of(summary, false);
  summary.text_with_kernels = text_of(summary, true);
  return summary;
}

std::string Rehearsal::text_of(const PlanSummary& summary, bool with_kernels) const {
  std::string text;
  if (!scored_.empty())
    text += "scores: " + format_count(summary.checkpoints_scored, "checkpoint") + " as they are, up to " +
            format_count(summary.candidates_scored, "merged candidate") + "\n\n";
  for (const RehearsedSave& save : saves_)
    text += "save " + save.path + " (" + format_bytes(save.bytes) + ")\n" +
            roux::describe(save.plan, with_kernels) + "\n";
  if (saves_.empty()) text += "saves nothing\n";
  return text;
}

}  // namespace roux
