#include "compiler/lower/lower.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "base/limits.h"
#include "base/text.h"
#include "compiler/lower/fuse.h"
#include "compiler/lower/roots.h"
#include "compiler/lower/schedule.h"
#include "compiler/passes/simplify.h"
#include "runtime/checkpoint/tied.h"

namespace roux {
namespace {

constexpr std::uint64_t kTileElements = 1u << 16;

class Lowering {
 public:
  Lowering(Graph& graph, std::span<const Checkpoint::Ptr> sources, const LowerRequest& request)
      : graph_(graph), checkpoints_(sources), request_(request) {}

  Result<Plan> run() {
    collect_roots();
    schedule_.emplace(graph_, roots_);
    if (schedule_->nodes().size() > limits::kGraphValues)
      return error(DiagnosticKind::limit, request_.span,
                   "this is computed from " + std::to_string(schedule_->nodes().size()) +
                       " values, more than the limit of " + std::to_string(limits::kGraphValues))
          .hint("save what it is computed from, and load that");
    choose_domain();
    collect_sources();
    place_tensors();
    classify();
    SlotBuilder slots(graph_, *schedule_, plan_, selection_lane_);
    for (NodeId node : schedule_->nodes())  // operands first: slots come before their uses
      if (!is_fine(graph_[node].level)) slots.slot(node);
    count_ties_once(slots);
    build_stages(slots);
    for (std::size_t i = request_.outputs.size(); i < roots_.size(); ++i)
      plan_.numbers.push_back(slots.slot(roots_[i]));
    order_tensors();
    plan_.threads = request_.threads;
    plan_.tile_elements = kTileElements;
    estimate_bytes();
    ROUX_DO(verify(plan_));
    return std::move(plan_);
  }

 private:
  void collect_roots() {
    for (const OutputRoot& output : request_.outputs) roots_.push_back(graph_.number(output.node));
    for (NodeId number : request_.numbers) roots_.push_back(number);
    if (!request_.known.empty()) roots_ = substitute(graph_, roots_, request_.known);
    if (request_.optimize) roots_ = simplify(graph_, roots_);
  }

  // The sources that the graph reads; those only named by a zero coefficient stay out.
  void collect_sources() {
    source_index_.assign(checkpoints_.size(), kNone);
    for (NodeId node : schedule_->nodes())
      if (graph_[node].kind == NodeKind::source) add_source(graph_[node].attribute);
    plan_.carried = request_.carried;
    for (CarriedTensor& carried : plan_.carried)
      for (CarriedTensor::Place& place : carried.places) {
        add_source(place.source);
        place.source = source_index_[place.source];
      }
  }

  void add_source(std::uint32_t source) {
    if (source_index_[source] != kNone) return;
    source_index_[source] = static_cast<std::uint32_t>(plan_.sources.size());
    plan_.sources.push_back({checkpoints_[source]->path(), source});
    used_.push_back(checkpoints_[source]);
  }

  // The tensors of the output; where only a part of a model is wanted whose largest elements were chosen over
  // the whole, those of the whole.
  void choose_domain() {
    domain_ = request_.domain;
    for (const Schedule::Made& made : schedule_->made()) {
      const DomainId measured = measured_domain(made.node);
      if (graph_.includes(domain_, measured)) continue;
      std::optional<Domain> both = join(graph_.domain(domain_), graph_.domain(measured));
      ROUX_CHECK(both.has_value());  // numbers over other models are known by now
      domain_ = graph_.intern(std::move(*both));
    }
    std::set<DomainId> domains;
    for (NodeId node : schedule_->nodes()) {
      domains.insert(graph_[node].domain);
      domains.insert(graph_[node].parts.begin(), graph_[node].parts.end());
    }
    for (const Schedule::Made& made : schedule_->made()) domains.insert(measured_domain(made.node));
    domains.insert(request_.domain);
    domains.erase(kNone);
    domains_.assign(domains.begin(), domains.end());
  }

  // What a reduction or selection goes over. A mask that was taken apart was made over the whole.
  DomainId measured_domain(NodeId id) const {
    const Node& node = graph_[id];
    return node.kind == NodeKind::reduction ? node.domain : graph_[node.operands[0]].domain;
  }

  void place_tensors() {
    for (const OutputRoot& output : request_.outputs) plan_.outputs.push_back({output.name, {}});
    std::size_t at = 0;  // in the list of the output's tensors
    const Domain& wanted = graph_.domain(request_.domain);
    for (const Domain::Tensor& tensor : graph_.domain(domain_).tensors) {
      PlannedTensor planned{.name = tensor.name, .shape = tensor.shape, .element_count = tensor.element_count,
                            .facts = tensor.facts};
      for (const Checkpoint::Ptr& checkpoint : used_) {
        const auto index = checkpoint->find(tensor.name);
        planned.in_source.push_back(index ? static_cast<std::uint32_t>(*index) : kNone);
      }
      const bool is_wanted = at < wanted.tensors.size() && wanted.tensors[at].name == tensor.name;
      for (std::size_t i = 0; i < request_.outputs.size(); ++i) {
        const OutputRoot& output = request_.outputs[i];
        planned.in_output.push_back(is_wanted ? output.positions[at] : kNone);
        plan_.outputs[i].dtypes.push_back(is_wanted ? output.dtypes[at] : DType::f32);
      }
      at += is_wanted;
      plan_.tensors.push_back(std::move(planned));
    }
  }

  // Where an input of a statistic over the model ties a tensor to another, the two count once in it.
  void count_ties_once(SlotBuilder& slots) {
    std::map<std::uint32_t, std::vector<TiedTensor>> tying;  // by source
    for (const PlannedSource& source : plan_.sources)
      for (const TiedTensor& tied : tied_tensors(*checkpoints_[source.id]))
        if (mark_copy(tied)) tying[source.id].push_back(tied);
    for (const auto& [node, when] : schedule_->made()) {
      if (tying.empty() || graph_[node].scope != Level::recipe || !ties_within(node, tying)) continue;
      if (graph_[node].kind == NodeKind::reduction)
        plan_.slots[slots.slot(node)].once = true;
      else if (graph_[node].kind != NodeKind::ordinal)
        plan_.selections[slots.selection(node, when.stage).selection].once = true;
    }
  }

  bool mark_copy(const TiedTensor& tied) {
    const auto named = [&](const std::string& name) {
      return std::find_if(plan_.tensors.begin(), plan_.tensors.end(),
                          [&](const PlannedTensor& tensor) { return tensor.name == name; });
    };
    const auto copy = named(tied.copy), original = named(tied.original);
    if (copy == plan_.tensors.end() || original == plan_.tensors.end()) return false;
    copy->copy_of = static_cast<std::uint32_t>(original - plan_.tensors.begin());
    return true;
  }

  // Whether a statistic goes over both tensors of a pair that one of its inputs ties.
  bool ties_within(NodeId root, const std::map<std::uint32_t, std::vector<TiedTensor>>& tying) const {
    const Domain& domain = graph_.domain(measured_domain(root));
    const auto is_within = [&](const TiedTensor& tied) {
      return find_tensor(domain, tied.copy) && find_tensor(domain, tied.original);
    };
    std::set<NodeId> seen;
    std::vector<NodeId> pending = graph_[root].operands;
    while (!pending.empty()) {
      const NodeId id = pending.back();
      pending.pop_back();
      if (id == kNone || graph_[id].level == Level::recipe || !seen.insert(id).second) continue;
      if (graph_[id].kind == NodeKind::source)
        if (const auto found = tying.find(graph_[id].attribute); found != tying.end())
          if (std::any_of(found->second.begin(), found->second.end(), is_within)) return true;
      pending.insert(pending.end(), graph_[id].operands.begin(), graph_[id].operands.end());
    }
    return false;
  }

  void classify() {
    std::map<std::vector<DomainId>, std::set<std::uint32_t>> read;  // sources, by the domains that tensors are in
    for (std::size_t t = 0; t < plan_.tensors.size(); ++t) {
      PlannedTensor& tensor = plan_.tensors[t];
      TensorClass tensor_class{.lane = request_.in_f64 ? LaneType::f64 : LaneType::f32};
      for (DomainId domain : domains_)
        if (find_tensor(graph_.domain(domain), tensor.name)) tensor_class.domains.push_back(domain);
      auto [sources, fresh] = read.try_emplace(tensor_class.domains);
      if (fresh) sources->second = sources_read(tensor_class);
      for (std::uint32_t s = 0; s < used_.size(); ++s) {
        const std::uint32_t index = tensor.in_source[s];
        const bool is_read = index != kNone && sources->second.contains(s);
        const DType dtype = is_read ? used_[s]->tensors()[index].dtype : DType::f32;
        tensor_class.sources.push_back(dtype);
        if (dtype == DType::f64) tensor_class.lane = LaneType::f64;
      }
      if (tensor_class.lane == LaneType::f64) selection_lane_ = LaneType::f64;
      for (const PlannedOutput& output : plan_.outputs) tensor_class.outputs.push_back(output.dtypes[t]);
      auto found = std::find(classes_.begin(), classes_.end(), tensor_class);
      tensor.tensor_class = static_cast<std::uint32_t>(found - classes_.begin());
      if (found == classes_.end()) classes_.push_back(std::move(tensor_class));
    }
  }

  // The sources whose elements are read for tensors of a class.
  std::set<std::uint32_t> sources_read(const TensorClass& tensor_class) const {
    std::vector<NodeId> pending;
    if (tensor_class.is_in(request_.domain))
      pending.assign(roots_.begin(), roots_.begin() + static_cast<std::ptrdiff_t>(request_.outputs.size()));
    for (const Schedule::Made& made : schedule_->made())
      if (tensor_class.is_in(measured_domain(made.node)))
        pending.insert(pending.end(), graph_[made.node].operands.begin(), graph_[made.node].operands.end());
    std::set<std::uint32_t> sources;
    std::set<NodeId> seen;
    while (!pending.empty()) {
      const NodeId id = tensor_class.at_hand(graph_, pending.back());
      pending.pop_back();
      if (graph_[id].level != Level::element || !seen.insert(id).second) continue;
      if (graph_[id].kind == NodeKind::source) sources.insert(source_index_[graph_[id].attribute]);
      for (NodeId operand : graph_[id].operands)
        if (operand != kNone) pending.push_back(operand);
    }
    return sources;
  }

  // Everything whose operands are known at the beginning of this phase, apart by how it goes through a tensor.
  // What is offered to selections is a launch of its own: it is swept more than once.
  std::vector<LaunchRoots> roots_at(Moment moment, SlotBuilder& slots) {
    RootSorter sorter(graph_, slots, moment);
    for (std::size_t i = 0; i < request_.outputs.size(); ++i)
      if (schedule_->known(roots_[i]) == moment) sorter.add_output(roots_[i], static_cast<std::uint32_t>(i));
    for (const Schedule::Made& made : schedule_->made())
      if (made.when == moment) sorter.add(made.node);
    return sorter.take();
  }

  void build_stages(SlotBuilder& slots) {
    for (std::uint32_t s = 0; s < schedule_->stage_count(); ++s) {
      Stage stage;
      std::vector<std::vector<LaunchRoots>> phases;
      for (std::uint32_t p = 0; p < schedule_->phase_count(s); ++p) phases.push_back(roots_at({s, p}, slots));
      stage.reason = reason_of(phases);
      for (const TensorClass& tensor_class : classes_) {
        std::vector<Phase> of_class;
        for (const auto& launches : phases) {
          Phase phase;
          for (const LaunchRoots& launch : launches)
            if (const LaunchRoots own = roots_in(launch, tensor_class); !own.empty())
              phase.launches.push_back(add_launch(own, tensor_class, slots));
          of_class.push_back(std::move(phase));
        }
        stage.classes.push_back(std::move(of_class));
      }
      plan_.stages.push_back(std::move(stage));
    }
  }

  // Those of the roots that range over tensors of the class.
  LaunchRoots roots_in(const LaunchRoots& roots, const TensorClass& tensor_class) const {
    LaunchRoots own;
    own.shape = roots.shape;
    own.stage = roots.stage;
    if (tensor_class.is_in(request_.domain)) own.outputs = roots.outputs;
    for (NodeId node : roots.reductions)
      if (tensor_class.is_in(measured_domain(node))) own.reductions.push_back(node);
    for (const auto& [node, selection] : roots.selections)
      if (tensor_class.is_in(graph_[node].domain)) own.selections.emplace_back(node, selection);
    for (const auto& [node, ordering] : roots.orderings)
      if (tensor_class.is_in(graph_[node].domain)) own.orderings.emplace_back(node, ordering);
    return own;
  }

  Launch add_launch(const LaunchRoots& roots, const TensorClass& tensor_class, SlotBuilder& slots) {
    Fused fused = fuse(graph_, roots, tensor_class, source_index_, selection_lane_, slots);
    auto same = std::find(plan_.kernels.begin(), plan_.kernels.end(), fused.kernel);
    fused.launch.kernel = static_cast<std::uint32_t>(same - plan_.kernels.begin());
    if (same == plan_.kernels.end()) plan_.kernels.push_back(std::move(fused.kernel));
    return std::move(fused.launch);
  }

  std::string reason_of(const std::vector<std::vector<LaunchRoots>>& phases) const {
    std::size_t statistics = 0, orderings = 0, outputs = 0;
    std::map<Level, std::size_t> reductions;
    for (const auto& launches : phases) {
      for (const LaunchRoots& roots : launches) {
        statistics += roots.selections.size();
        orderings += roots.orderings.size();
        outputs += roots.outputs.size();
        for (NodeId node : roots.reductions) ++reductions[graph_[node].scope];
      }
    }
    std::vector<std::string> texts;
    if (statistics) texts.push_back(format_count(statistics, "threshold"));
    if (orderings) texts.push_back(format_count(orderings, "ordering"));
    for (const Level scope : {Level::row, Level::column, Level::tensor, Level::recipe})
      if (reductions[scope])
        texts.push_back(format_count(reductions[scope], "reduction") +
                        (scope == Level::recipe ? " over the " : " over each ") + std::string(scope_name(scope)));
    if (outputs) texts.push_back(format_count(outputs, "output"));
    return join(texts, ", ");
  }

  // In the order of the files, so that reading is sequential.
  void order_tensors() {
    for (std::uint32_t t = 0; t < plan_.tensors.size(); ++t) plan_.order.push_back(t);
    if (used_.empty()) return;
    const auto place = [&](std::uint32_t t) {
      const std::uint32_t index = plan_.tensors[t].in_source[0];
      if (index == kNone) return std::pair(~0u, std::uint64_t{0});
      const TensorInfo& info = used_[0]->tensors()[index];
      return std::pair(info.file, info.offset);
    };
    std::stable_sort(plan_.order.begin(), plan_.order.end(),
                     [&](std::uint32_t a, std::uint32_t b) { return place(a) < place(b); });
  }

  // How often what a launch reads is read: a selection goes over its values more than once.
  std::uint64_t rounds_of(const Launch& launch, bool is_in_flat_stage) const {
    std::uint64_t rounds = 1;
    for (const StoreTarget& store : launch.stores) {
      if (store.kind != StoreTarget::Kind::selection) continue;
      const Selection& selection = plan_.selections[store.index];
      const std::uint64_t digits = selection.lane == LaneType::f32 ? 4 : 8;
      // Picked from the row itself, or, over the model, known after one sweep where a sample can be taken.
      const bool once = selection.scope == Level::row || (selection.scope == Level::recipe && is_in_flat_stage);
      rounds = std::max<std::uint64_t>(rounds, selection.scope == Level::column ? digits : once ? 1 : 2);
    }
    return rounds;
  }

  // Bytes per element that a phase of a class reads, once for each way through a tensor, and writes.
  std::pair<std::uint64_t, std::uint64_t> bytes_per_element(const Phase& phase, const TensorClass& of,
                                                            bool is_in_flat_stage) const {
    std::map<LaunchShape, std::set<std::uint32_t>> read;
    std::map<LaunchShape, std::uint64_t> rounds;
    std::uint64_t in = 0, stored = 0;
    for (const Launch& launch : phase.launches) {
      std::set<std::uint32_t>& sources = read[launch.shape];
      rounds[launch.shape] = std::max(rounds[launch.shape], rounds_of(launch, is_in_flat_stage));
      sources.insert(launch.inputs.begin(), launch.inputs.end());
      for (const auto& table : launch.tables)
        for (const TableSource& entry : table) sources.insert(entry.source);
      for (std::size_t i = 0; i < launch.stores.size(); ++i)
        if (launch.stores[i].kind == StoreTarget::Kind::output)
          stored += static_cast<std::uint64_t>(bytes_of(plan_.kernels[launch.kernel].stores[i].dtype));
    }
    for (const auto& [shape, sources] : read)
      for (std::uint32_t source : sources)
        in += rounds[shape] * static_cast<std::uint64_t>(bytes_of(of.sources[source]));
    return {in, stored};
  }

  void estimate_bytes() {
    std::vector<std::uint64_t> elements(classes_.size());
    for (const PlannedTensor& tensor : plan_.tensors) elements[tensor.tensor_class] += tensor.element_count;
    for (std::uint32_t stage = 0; stage < plan_.stages.size(); ++stage)
      for (std::size_t c = 0; c < classes_.size(); ++c)
        for (const Phase& phase : plan_.stages[stage].classes[c]) {
          const auto [in, stored] = bytes_per_element(phase, classes_[c], is_flat(plan_, stage));
          plan_.bytes_read += elements[c] * in;
          plan_.bytes_written += elements[c] * stored;
        }
    for (const CarriedTensor& carried : plan_.carried) {
      plan_.bytes_read += carried.byte_count * carried.places.size();
      plan_.bytes_written += carried.byte_count * carried.in_output.size();
    }
  }

  Graph& graph_;
  std::span<const Checkpoint::Ptr> checkpoints_;
  const LowerRequest& request_;
  Plan plan_;
  std::vector<NodeId> roots_;
  DomainId domain_ = kNone;         // the tensors of the plan
  std::vector<DomainId> domains_;   // all that the graph speaks of, ascending
  std::optional<Schedule> schedule_;
  std::vector<std::uint32_t> source_index_;
  std::vector<Checkpoint::Ptr> used_;
  std::vector<TensorClass> classes_;
  LaneType selection_lane_ = LaneType::f32;
};

}  // namespace

Result<Plan> lower(Graph& graph, std::span<const Checkpoint::Ptr> sources, const LowerRequest& request) {
  return Lowering(graph, sources, request).run();
}

}  // namespace roux
