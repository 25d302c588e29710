#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "base/limits.h"
#include "runtime/kernel/plan.h"
#include "runtime/kernel/verify.h"

namespace roux {
namespace {

// When something is known or made: in a stage, and there in a phase.
using Moment = std::pair<std::uint32_t, std::uint32_t>;

// Walks a plan once and notes the first thing that is wrong with it.
class PlanVerifier {
 public:
  explicit PlanVerifier(const Plan& plan) : plan_(plan) {}

  Status run() {
    for (const Kernel& kernel : plan_.kernels) ROUX_DO(verify(kernel));
    check_options();
    check_tensors();
    check_carried();
    for (SlotId id = 0; id < plan_.slots.size() && problem_.empty(); ++id) check_slot(id);
    for (std::uint32_t id = 0; id < plan_.selections.size() && problem_.empty(); ++id)
      check_selection(id);
    for (std::uint32_t stage = 0; stage < plan_.stages.size() && problem_.empty(); ++stage)
      check_stage(stage);
    where_ = "the plan";
    for (SlotId number : plan_.numbers)
      if (!is_slot(number) || plan_.slots[number].level != Level::recipe)
        refuse("wants a number that is no slot of the recipe");
    if (problem_.empty()) return ok();
    return error(DiagnosticKind::internal, {}, "malformed plan: " + problem_);
  }

 private:
  void refuse(const std::string& what) {
    if (problem_.empty()) problem_ = where_ + " " + what;
  }
  bool is_slot(SlotId id) const { return id < plan_.slots.size(); }

  void check_options() {
    where_ = "the plan";
    if (plan_.tile_elements == 0 || plan_.tile_elements % kBlock != 0)
      refuse("has tiles that are no multiple of a block");
    if (plan_.threads < 1 || plan_.threads > limits::kThreads)
      refuse("has an odd number of threads");
    std::vector<std::uint32_t> sorted = plan_.order;
    std::sort(sorted.begin(), sorted.end());
    for (std::size_t i = 0; i < sorted.size(); ++i)
      if (sorted[i] != i) refuse("visits some tensor twice, or one that is none");
    if (sorted.size() != plan_.tensors.size()) refuse("does not visit every tensor");
    for (const PlannedOutput& output : plan_.outputs)
      if (output.dtypes.size() != plan_.tensors.size())
        refuse("has an output without a dtype per tensor");
  }

  void check_tensors() {
    for (std::size_t i = 0; i < plan_.tensors.size(); ++i) {
      const PlannedTensor& tensor = plan_.tensors[i];
      where_ = "tensor " + tensor.name;
      if (i > 0 && !(plan_.tensors[i - 1].name < tensor.name)) refuse("is not in canonical order");
      if (tensor.in_source.size() != plan_.sources.size()) refuse("has no place for each source");
      if (tensor.in_output.size() != plan_.outputs.size()) refuse("has no place for each output");
      for (const Stage& stage : plan_.stages)
        if (tensor.tensor_class >= stage.classes.size())
          refuse("is of a class that does not exist");
    }
  }

  void check_carried() {
    for (const CarriedTensor& tensor : plan_.carried) {
      where_ = "carried tensor " + tensor.name;
      if (is_floating(tensor.dtype)) refuse("is floating");
      if (tensor.places.empty()) refuse("is nowhere");
      for (const CarriedTensor::Place& place : tensor.places)
        if (place.source >= plan_.sources.size()) refuse("is in a source that does not exist");
      if (tensor.in_output.size() != plan_.outputs.size()) refuse("has no place for each output");
    }
  }

  // --- slots
  // ----------------------------------------------------------------------------------------

  void check_slot(SlotId id) {
    const Slot& slot = plan_.slots[id];
    where_ = "slot $" + std::to_string(id);
    using Kind = Slot::Kind;
    const bool is_within = slot.level == Level::tensor;
    switch (slot.kind) {
      case Kind::constant:
      case Kind::reduction: return;
      case Kind::fact:
        if (!is_within) refuse("is a fact of no tensor");
        return;
      case Kind::given:
        if (!is_within || slot.given.size() != plan_.tensors.size()) refuse("has no number for each tensor");
        return;
      case Kind::key_low:
      case Kind::key_high:
        if (!is_within) refuse("is a key of no tensor");
        return check_operand(id, slot.a);
      case Kind::operation: {
        const SlotId operands[] = {slot.a, slot.b, slot.c};
        for (int i = 0; i < facts_of(slot.op).arity; ++i) check_operand(id, operands[i]);
        return;
      }
      case Kind::linear:
        if (slot.a != kNone) check_operand(id, slot.a);
        for (const LinearScalar& term : slot.terms) {
          check_operand(id, term.coefficient);
          check_operand(id, term.value);
        }
        return;
      case Kind::threshold:
      case Kind::cut: return check_selected(slot);
    }
  }

  void check_operand(SlotId user, SlotId id) {
    if (id >= user) return refuse("uses a slot that does not come before it");
    const Slot& operand = plan_.slots[id];
    if (operand.level == Level::tensor && plan_.slots[user].level == Level::recipe)
      refuse("of the recipe uses a number of a tensor");
    check_known(operand, {plan_.slots[user].stage, plan_.slots[user].phase});
  }

  void check_selected(const Slot& slot) {
    if (slot.selection >= plan_.selections.size())
      return refuse("is of a selection that does not exist");
    const Selection& selection = plan_.selections[slot.selection];
    const bool is_within = slot.level == Level::tensor;
    if (slot.kind == Slot::Kind::cut && !is_within) refuse("is a cut in no tensor");
    if (selection.scope == Level::tensor && !is_within) refuse("is a threshold of no tensor");
    if (selection.scope == Level::recipe && slot.kind == Slot::Kind::threshold && is_within)
      refuse("of a tensor is a threshold of the recipe");
    check_made(slot, selection.scope, {selection.stage, selection.phase});
  }

  void check_known(const Slot& slot, Moment when) {
    const bool known = slot.level == Level::recipe ? slot.stage <= when.first
                                                   : Moment{slot.stage, slot.phase} <= when;
    if (!known) refuse("needs a number that is not known yet");
  }

  // What is made over the whole recipe is known in the next stage, within a tensor in the next
  // phase.
  void check_made(const Slot& slot, Level scope, Moment when) {
    const bool later =
        scope == Level::recipe ? slot.stage > when.first : Moment{slot.stage, slot.phase} > when;
    if (!later) refuse("makes a number that is said to be known before");
  }

  void check_selection(std::uint32_t id) {
    const Selection& selection = plan_.selections[id];
    where_ = "selection " + std::to_string(id);
    if (selection.stage >= plan_.stages.size())
      return refuse("is made in a stage that does not exist");
    if (!is_slot(selection.rank)) return refuse("has a rank that is no slot");
    const Slot& rank = plan_.slots[selection.rank];
    if (selection.scope == Level::recipe && rank.level == Level::tensor)
      refuse("of the recipe has a rank for each tensor");
    check_known(rank, {selection.stage, selection.phase});
  }

  // --- launches
  // -------------------------------------------------------------------------------------

  void check_stage(std::uint32_t stage) {
    const Stage& checked = plan_.stages[stage];
    for (std::uint32_t c = 0; c < checked.classes.size(); ++c)
      for (std::uint32_t phase = 0; phase < checked.classes[c].size(); ++phase) {
        std::set<SlotId> made;
        for (const Launch& launch : checked.classes[c][phase].launches) {
          where_ = "a launch of stage " + std::to_string(stage) + ", class " + std::to_string(c) +
                   ", phase " + std::to_string(phase);
          if (launch.kernel >= plan_.kernels.size())
            return refuse("runs a kernel that does not exist");
          check_launch(launch, plan_.kernels[launch.kernel], c, {stage, phase});
          for (SlotId slot : launch.reductions)
            if (!made.insert(slot).second) refuse("makes a number that another makes too");
        }
      }
  }

  void check_launch(const Launch& launch, const Kernel& kernel, std::uint32_t tensor_class,
                    Moment when) {
    if (launch.inputs.size() != kernel.inputs.size() ||
        launch.tables.size() != kernel.tables.size() ||
        launch.scalars.size() != kernel.scalar_count ||
        launch.stores.size() != kernel.stores.size() ||
        launch.reductions.size() != kernel.reductions.size())
      return refuse("does not match its kernel");
    check_reads(launch, tensor_class, when);
    for (SlotId slot : launch.scalars) {
      if (!is_slot(slot)) return refuse("has a scalar that is no slot");
      check_known(plan_.slots[slot], when);
    }
    check_stores(launch, kernel, tensor_class, when);
    for (std::size_t i = 0; i < launch.reductions.size(); ++i) {
      if (!is_slot(launch.reductions[i])) return refuse("has a reduction that is no slot");
      const Slot& slot = plan_.slots[launch.reductions[i]];
      if (slot.kind != Slot::Kind::reduction) refuse("reduces into a slot of another kind");
      if (slot.reduce != kernel.reductions[i].op) refuse("reduces otherwise than its slot says");
      check_made(slot, slot.level, when);
    }
    if (kernel.lane == LaneType::f32) check_thresholds(kernel);
  }

  // A source is read into one buffer per phase, so whoever reads it must see the same dtype; the
  // executor checks that against the file.
  void check_reads(const Launch& launch, std::uint32_t tensor_class, Moment when) {
    const auto check_source = [&](std::uint32_t source, bool always) {
      if (source >= plan_.sources.size()) return refuse("reads a source that does not exist");
      for (const PlannedTensor& tensor : plan_.tensors)
        if (always && tensor.tensor_class == tensor_class && tensor.in_source[source] == kNone)
          refuse("reads " + tensor.name + " where it does not exist");
    };
    for (std::uint32_t source : launch.inputs) check_source(source, true);
    for (const std::vector<TableSource>& table : launch.tables)
      for (const TableSource& entry : table) {
        check_source(entry.source, false);
        if (!is_slot(entry.coefficient)) return refuse("has a coefficient that is no slot");
        check_known(plan_.slots[entry.coefficient], when);
      }
  }

  void check_stores(const Launch& launch, const Kernel& kernel, std::uint32_t tensor_class,
                    Moment when) {
    for (std::size_t i = 0; i < launch.stores.size(); ++i) {
      const std::uint32_t index = launch.stores[i].index;
      const DType dtype = kernel.stores[i].dtype;
      if (launch.stores[i].kind == StoreTarget::Kind::selection) {
        if (index >= plan_.selections.size())
          return refuse("feeds a selection that does not exist");
        const Selection& selection = plan_.selections[index];
        if (Moment{selection.stage, selection.phase} != when)
          refuse("feeds a selection of another phase");
        if (dtype != (selection.lane == LaneType::f32 ? DType::f32 : DType::f64))
          refuse("feeds a selection with another type of value");
        continue;
      }
      if (index >= plan_.outputs.size()) return refuse("stores to an output that does not exist");
      for (std::size_t t = 0; t < plan_.tensors.size(); ++t)
        if (plan_.tensors[t].tensor_class != tensor_class) {
          continue;
        } else if (plan_.tensors[t].in_output[index] == kNone) {
          refuse("stores " + plan_.tensors[t].name + " where it does not belong");
        } else if (plan_.outputs[index].dtypes[t] != dtype)
          refuse("stores " + plan_.tensors[t].name + " in another dtype than the output's");
    }
  }

  // The executor may replace a threshold for f32 lanes, which must not change anything else.
  void check_thresholds(const Kernel& kernel) {
    std::set<ScalarId> replaced, used;
    for (const Instruction& i : kernel.body) {
      using Kind = Instruction::Kind;
      if (i.kind == Kind::top) replaced.insert({i.b, i.c});
      if (i.kind == Kind::scalar) used.insert(i.a);
      if (i.kind == Kind::linear && i.a != kNone) used.insert(i.a);
      if (i.kind == Kind::linear && i.d != kNone) used.insert(i.d);
      if (i.kind == Kind::uniform || i.kind == Kind::normal || i.kind == Kind::bernoulli)
        used.insert({i.a, i.b, i.c, i.d});
    }
    for (const LinearTerm& term : kernel.terms) used.insert(term.scale);
    for (ScalarId scalar : replaced)
      if (used.contains(scalar))
        refuse("uses the scalar of a threshold for something else as well");
  }

  const Plan& plan_;
  std::string where_, problem_;
};

}  // namespace

Status verify(const Plan& plan) { return PlanVerifier(plan).run(); }

}  // namespace roux
