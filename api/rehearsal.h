// The host of a rehearsal: opens headers, plans and checks every save, and reads, scores and writes
// nothing. What it collects is what `check` and `plan` show.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "api/host_scorer.h"
#include "api/inputs.h"
#include "api/roux.h"
#include "api/run_log.h"
#include "compiler/interpret/host.h"
#include "runtime/checkpoint/room.h"

namespace roux {

class Rehearsal : public Host {
 public:
  // `inputs`: the checkpoints behind the graph's sources so far.
  Rehearsal(Graph& graph, const Options& options, Inputs inputs, const Events& events,
            const std::map<std::string, HostScorer>& scorers)
      : graph_(graph), options_(options), inputs_(std::move(inputs)), events_(events), scorers_(scorers) {}

  bool rehearsing() const override { return true; }
  Result<std::uint32_t> open(const std::string& path, const std::string& space, Span span) override {
    paths_seen_.insert(path);
    const std::size_t known = inputs_.all().size();
    Result<std::uint32_t> source = inputs_.open(path, space, span);
    RunLog(events_).opened(inputs_, known);
    return source;
  }
  Result<std::vector<std::string>> glob(const std::string& pattern, Span span) override {
    // A folder changes when something in it comes or goes.
    const std::size_t slash = pattern.substr(0, pattern.find_first_of("*?[")).rfind('/');
    paths_seen_.insert(slash == pattern.npos ? "." : pattern.substr(0, slash + 1));
    return inputs_.glob(pattern, span);
  }
  const Checkpoint& checkpoint(std::uint32_t source) const override { return *inputs_.all()[source]; }
  Checkpoint::Ptr share(std::uint32_t source) const override { return inputs_.all()[source]; }
  std::uint32_t add(Checkpoint::Ptr view, const std::string& space) override {
    return inputs_.add(std::move(view), space);
  }
  const std::string& space(std::uint32_t source) const override { return inputs_.space(source); }
  Span loaded_at(const std::string& path) const override { return inputs_.loaded_at(path); }
  // A guess from headers: bases that look alike are compared by digest only in the run.
  Result<bool> same_checkpoint(std::uint32_t a, std::uint32_t b) override {
    return checkpoint(a).header_digest() == checkpoint(b).header_digest();
  }
  bool is_known(NodeId) const override { return false; }
  Status measure(const std::vector<NodeId>&, Span) override { return ok(); }
  Result<double> number(NodeId, Span) override { throw InternalError("a number was asked for in a rehearsal"); }
  std::optional<Scorer> scorer_for(const std::string& parameter) const override {
    return host_scorer(scorers_, parameter);
  }
  Result<std::optional<double>> score(const Scorer& scorer, const Data& model, Span span) override;
  Status save(const SaveRequest& request) override;
  void print(const std::string&) override { prints_ = true; }
  void note(Diagnostic diagnostic) override { notes_.push_back(std::move(diagnostic)); }
  bool is_cancelled() const override { return events_.cancel && *events_.cancel; }
  const Options& options() const { return options_; }
  void count(const std::string&, std::uint64_t) override {}  // notes say it
  // Whether a run would leave no trace.
  bool is_idle() const { return saves_.empty() && !prints_; }

  bool has_scored() const { return !scored_.empty(); }
  const Inputs& inputs() const { return inputs_; }
  // The hint where what is saved is none of the models that were scored.
  void advise(std::string hint) { advice_to_score_ = std::move(hint); }

  const Diagnostics& notes() const { return notes_; }
  // Files and folders that were asked for, there or not.
  const std::set<std::string>& paths_seen() const { return paths_seen_; }
  const std::vector<std::string>& output_paths() const { return output_paths_; }
  // What the run would do.
  PlanSummary summary() const;

 private:
  bool is_as_it_is(NodeId node) const;

  struct RehearsedSave {
    std::string path;
    std::uint64_t bytes;
    Plan plan;
  };
  std::string text_of(const PlanSummary& summary, bool with_kernels) const;

  Graph& graph_;
  const Options& options_;
  Inputs inputs_;
  const Events& events_;
  const std::map<std::string, HostScorer>& scorers_;
  bool prints_ = false;
  std::string advice_to_score_ = "score what you save, too";
  Diagnostics notes_;
  std::set<NodeId> scored_;
  std::set<std::string> paths_seen_;
  std::vector<std::string> output_paths_;
  std::vector<Span> output_spans_;  // of the saves
  std::vector<RehearsedSave> saves_;
  std::vector<WantedRoom> wanted_;  // by those that the run makes for certain
};

}  // namespace roux
