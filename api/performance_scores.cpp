// Scoring: of models on the way, whose values are remembered, and of what was saved at the end.
#include <algorithm>
#include <chrono>
#include <filesystem>

#include "api/nonfinite.h"
#include "api/output.h"
#include "api/performance.h"
#include "base/text.h"
#include "runtime/checkpoint/host_memory.h"
#include "runtime/score/command.h"

namespace roux {
namespace {

// Where a candidate goes that has no room in shared memory: beside what the recipe saves.
std::string folder_for_candidates(const std::vector<std::string>& outputs) {
  const auto file = std::find_if_not(outputs.begin(), outputs.end(), [](const std::string& path) { return is_host_path(path); });
  if (file == outputs.end()) return outputs.empty() ? "." : std::filesystem::temp_directory_path().string();
  const std::filesystem::path parent = std::filesystem::path(*file).parent_path();
  return parent.empty() ? "." : parent.string();
}

}  // namespace

// The path of a file or folder that holds this model until `candidates_` is cleared.
Result<std::string> Performance::write_candidate(const Data& model, bool in_f64, Span span) {
  OutputWish wish{.value = &model, .path = "candidate", .dtype = "widest", .in_f64 = in_f64, .metadata = {},
                  .span = span};
  ROUX_TRY(PreparedOutput prepared, prepare(wish));
  const bool folder = prepared.layout.companions != nullptr;
  ROUX_TRY(prepared.layout.path,
           candidates_.place(prepared.bytes, options_.memory_bytes - prepared.plan.peak_bytes, folder,
                             folder_for_candidates(recipe_.output_paths), span));
  ROUX_TRY(auto writer, CheckpointWriter::create(prepared.layout));
  ROUX_TRY(const ExecuteResult result, run_plan(prepared.plan, {writer.get()}, "merging a candidate"));
  if (!result.nonfinite.empty() && !std::exchange(told_of_candidate_, true))
    ROUX_DO(tell_nonfinite(result, "a model that is scored", false, span));
  ROUX_DO(writer->finish(false));
  ROUX_DO(writer->commit());
  return prepared.layout.path;
}

Result<double> Performance::run_scorer(const Scorer& scorer, const std::string& path, Span span) {
  if (!scorer.host.empty()) {
    ROUX_TRY(Checkpoint::Ptr model, Checkpoint::open(path, span));
    return ask_host(scorer, std::move(model), span);
  }
  ROUX_DO(commit_if_named(scorer.command));
  return run_command({scorer.command, scorer.metric, scorer.timeout_seconds}, path, span, events_.cancel);
}

Result<double> Performance::ask_host(const Scorer& scorer, Checkpoint::Ptr model, Span span) {
  return call_scorer(arguments_.scorers.at(scorer.host), scorer.host, std::move(model), span);
}

// Where the model is a checkpoint as it was loaded, that one is scored; a command needs it in a file.
Result<double> Performance::score_candidate(const Scorer& scorer, const Data& model, Span span) {
  if (events_.on_progress) events_.on_progress({"scoring model " + std::to_string(report_.models_scored + 1), 0, 0, 0});
  const auto begin = std::chrono::steady_clock::now();
  const auto told = [&](const std::string& what, Result<double> score) {
    if (score) log_.scored(what, *score, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    return score;
  };
  const Node& node = graph_[model.node];
  if (node.kind == NodeKind::source) {
    const Checkpoint::Ptr& loaded = inputs_.all()[node.attribute];
    if (!scorer.host.empty()) return told(quoted(loaded->path()), ask_host(scorer, loaded, span));
    if (loaded->parts().empty() && !is_host_path(loaded->path()))
      return told(quoted(loaded->path()), run_scorer(scorer, loaded->path(), span));
  }
  ROUX_TRY(const std::string path, write_candidate(model, scorer.in_f64, span));
  Result<double> score = told("a candidate", run_scorer(scorer, path, span));
  candidates_.clear();  // it counts as memory, which the next plan may need
  return score;
}

Result<std::optional<double>> Performance::score(const Scorer& scorer, const Data& model, Span span) {
  scorers_.emplace(scorer.id, scorer);
  const auto key = std::pair(scorer.id, model.node);
  if (auto known = scores_.find(key); known != scores_.end()) return std::optional(known->second);
  ROUX_TRY(const double score, score_candidate(scorer, model, span));
  ++report_.models_scored;
  scores_[key] = score;
  return std::optional(score);
}

// Whether the scorer's candidate of this model holds the same values: one score is then that of both.
bool Performance::is_as_candidate(const SavedModel& saved, const Scorer& scorer) {
  if (scorer.in_f64 != saved.in_f64) return false;
  const auto candidate = prepare({.value = &saved.value, .path = "candidate", .dtype = "widest",
                                  .in_f64 = saved.in_f64, .metadata = {}, .span = scorer.span});
  return candidate && candidate->plan.outputs[0].dtypes == saved.dtypes;
}

Result<double> Performance::score_output(const Scorer& scorer, const SavedOutput& output) {
  if (!output.model) return run_scorer(scorer, output.path, scorer.span);
  ROUX_TRY(Checkpoint::Ptr model, open_host_model(output.path, *output.model, scorer.span));
  return ask_host(scorer, std::move(model), scorer.span);
}

void Performance::score_outputs(Scores wanted) {
  if (scorers_.size() != 1) return;
  const auto& [id, scorer] = *scorers_.begin();
  for (const SavedModel& saved : saved_) {
    SavedOutput& output = report_.outputs[saved.report_index];
    const auto key = std::pair(id, saved.value.node);
    const auto known = scores_.find(key);
    if (wanted == Scores::known && known == scores_.end()) continue;
    const bool is_candidate = is_as_candidate(saved, scorer);
    if (is_candidate && known != scores_.end()) {
      output.score = known->second;
      continue;
    }
    if (wanted == Scores::known || (output.model && scorer.host.empty())) continue;  // a command sees no memory
    if (events_.on_progress) events_.on_progress({"scoring " + output.path, 0, 0, 0});
    const Result<double> score = score_output(scorer, output);
    if (score) {
      output.score = *score;
      if (is_candidate) scores_.emplace(key, *score);
      ++report_.models_scored;
    } else if (events_.on_note) {
      for (Diagnostic finding : score.error()) {
        finding.severity = Severity::warning;
        finding.message = quoted(output.path) + " is saved, but could not be scored: " + finding.message;
        events_.on_note(finding);
      }
    }
  }
}

}  // namespace roux
