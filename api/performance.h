// The host of a run: computes numbers, writes and scores candidates, writes outputs. Outputs stay hidden
// until `commit`, which puts all of them in place together; a Performance that is destroyed before leaves
// nothing behind.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "api/candidates.h"
#include "api/host_scorer.h"
#include "api/inputs.h"
#include "api/output.h"
#include "api/roux.h"
#include "api/run_log.h"
#include "compiler/interpret/host.h"
#include "runtime/exec/executor.h"

namespace roux {

struct RecipeFacts {
  std::string text;                             // kept inside every output
  std::map<std::string, std::string> imports;   // so are the texts of imported files, by path from the recipe
  std::map<std::string, std::string> settings;
  std::vector<std::string> output_paths;        // that the rehearsal saw
};

class Performance : public Host {
 public:
  // `arguments` and `events` must outlive it.
  Performance(Graph& graph, const Options& options, KernelCache& kernels, const Events& events,
              const Arguments& arguments, RecipeFacts recipe);

  bool rehearsing() const override { return false; }
  Result<std::uint32_t> open(const std::string& path, const std::string& space, Span span) override;
  Result<std::vector<std::string>> glob(const std::string& pattern, Span span) override;
  const Checkpoint& checkpoint(std::uint32_t source) const override { return *inputs_.all()[source]; }
  Checkpoint::Ptr share(std::uint32_t source) const override { return inputs_.all()[source]; }
  std::uint32_t add(Checkpoint::Ptr view, const std::string& space) override {
    return inputs_.add(std::move(view), space);
  }
  const std::string& space(std::uint32_t source) const override { return inputs_.space(source); }
  Span loaded_at(const std::string& path) const override { return inputs_.loaded_at(path); }
  Result<bool> same_checkpoint(std::uint32_t a, std::uint32_t b) override { return inputs_.same(a, b); }
  bool is_known(NodeId node) const override { return numbers_.contains(node); }
  Status measure(const std::vector<NodeId>& nodes, Span span) override;
  Result<double> number(NodeId node, Span span) override;
  std::optional<Scorer> scorer_for(const std::string& parameter) const override {
    return host_scorer(arguments_.scorers, parameter);
  }
  Result<std::optional<double>> score(const Scorer& scorer, const Data& model, Span span) override;
  Status save(const SaveRequest& request) override;
  void print(const std::string& line) override {
    if (events_.on_print) events_.on_print(line);
  }
  void note(Diagnostic diagnostic) override {
    if (events_.on_note) events_.on_note(diagnostic);
  }
  bool is_cancelled() const override { return events_.cancel && *events_.cancel; }

  // For a host of several recipes, one after the other: forgets what the last one did and has not committed.
  void begin(RecipeFacts recipe);
  // Goes on from what another host has opened.
  void take_inputs(Inputs inputs) { inputs_ = std::move(inputs); }
  void reuse_inputs(const Inputs& inputs) { inputs_.reuse(inputs); }

  void count(const std::string& policy, std::uint64_t tensors) override {
    report_.policies.push_back({policy, tensors});
  }

  // Everything written so far appears under its name.
  Status commit();
  // What a run that failed leaves behind for the next, where it does.
  void tell_left();
  enum class Scores { all, known };
  // Tells the scores of what was saved, where there is exactly one scorer; runs it only where `all` are wanted.
  void score_outputs(Scores wanted = Scores::all);
  const Inputs& inputs() const { return inputs_; }
  const Report& report() const { return report_; }

 private:
  struct SavedModel {
    Data value;
    bool in_f64;
    std::vector<DType> dtypes;  // in which it was written
    std::size_t report_index;
  };

  Result<ExecuteResult> run_plan(const Plan& plan, std::vector<CheckpointWriter*> writers,
                                 const std::string& activity);
  Result<PreparedOutput> prepare(const OutputWish& wish);
  Result<std::vector<NodeId>> arithmetic_of(const std::vector<NodeId>& roots, Span span) const;
  double apply(const Node& node) const;
  std::map<NodeId, double> known_below(const std::vector<NodeId>& roots) const;
  Result<std::string> write_candidate(const Data& model, bool in_f64, Span span);
  Result<double> score_candidate(const Scorer& scorer, const Data& model, Span span);
  Status tell_nonfinite(const ExecuteResult& result, const std::string& what, bool refuse, Span span);
  Result<double> run_scorer(const Scorer& scorer, const std::string& path, Span span);
  Result<double> ask_host(const Scorer& scorer, Checkpoint::Ptr model, Span span);
  Result<double> score_output(const Scorer& scorer, const SavedOutput& output);
  using Metadata = std::map<std::string, std::string>;
  std::vector<Checkpoint::Ptr> files_behind(NodeId node) const;
  Metadata metadata(const std::vector<Checkpoint::Ptr>& files, const std::vector<Digest>& digests) const;
  bool is_as_candidate(const SavedModel& saved, const Scorer& scorer);
  void hand_over(const std::string& path, const HostModel& model);
  template <class F>
  Status commit_if(F is_wanted);
  Status commit_if_named(const std::string& text);
  Status know_work(OutputLayout& layout, const SaveRequest& request);
  Result<ExecuteResult> fill(CheckpointWriter& writer, const PreparedOutput& prepared,
                             const std::vector<Checkpoint::Ptr>& files, const SaveRequest& request);

  Graph& graph_;
  const Options& options_;
  KernelCache& kernels_;
  const Events& events_;
  const Arguments& arguments_;
  RunLog log_;
  RecipeFacts recipe_;
  Inputs inputs_;
  CandidateFolder candidates_;
  std::map<NodeId, double> numbers_;
  std::map<std::pair<std::uint32_t, NodeId>, double> scores_;
  std::map<std::uint32_t, Scorer> scorers_;
  std::vector<std::unique_ptr<CheckpointWriter>> pending_;  // written, not yet in place
  std::vector<SavedModel> saved_;
  bool told_of_candidate_ = false;  // that values of one are not finite
  Report report_;
};

}  // namespace roux
