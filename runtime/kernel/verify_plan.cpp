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
      if (tensor.copy_of != kNone) check_copy(tensor);
      for (const Stage& stage : plan_.stages)
        if (tensor.tensor_class >= stage.classes.size())
          refuse("is of a class that does not exist");
    }
  }

  void check_copy(const PlannedTensor& tensor) {
    if (tensor.copy_of >= plan_.tensors.size()) return refuse("is the copy of none");
    const PlannedTensor& original = plan_.tensors[tensor.copy_of];
    if (original.copy_of != kNone) refuse("is the copy of a copy");
    if (original.shape != tensor.shape) refuse("is a copy of another shape");
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
    const bool is_of_tensor = slot.level == Level::tensor;
    if (slot.level == Level::element && slot.kind != Kind::ordinal) refuse("is a number of elements");
    switch (slot.kind) {
      case Kind::constant:
      case Kind::reduction: return;
      case Kind::fact:
        if (!is_of_tensor) refuse("is a fact of no tensor");
        return;
      case Kind::given:
        if (!is_of_tensor || slot.given.size() != plan_.tensors.size()) refuse("has no number for each tensor");
        return;
      case Kind::key_low:
      case Kind::key_high:
        if (!is_of_tensor) refuse("is a key of no tensor");
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
      case Kind::ordinal: return check_ordinal(slot);
    }
  }

  void check_operand(SlotId user, SlotId id) {
    if (id >= user) return refuse("uses a slot that does not come before it");
    const Slot& operand = plan_.slots[id];
    if (!is_no_finer(operand.level, plan_.slots[user].level))
      refuse("uses a number of a " + std::string(scope_name(operand.level)));
    check_known(operand, {plan_.slots[user].stage, plan_.slots[user].phase});
  }

  void check_selected(const Slot& slot) {
    if (slot.selection >= plan_.selections.size())
      return refuse("is of a selection that does not exist");
    const Selection& selection = plan_.selections[slot.selection];
    if (slot.kind == Slot::Kind::cut && slot.level != std::max(selection.scope, Level::tensor))
      refuse(selection.scope <= Level::tensor ? "is a cut in no tensor" : "is a cut of another scope");
    if (slot.kind == Slot::Kind::threshold && slot.level != selection.scope)
      refuse("is a threshold of another scope");
    check_made(slot, selection.scope, {selection.stage, selection.phase});
  }

  void check_ordinal(const Slot& slot) {
    if (slot.selection >= plan_.orderings.size()) return refuse("is of an ordering that does not exist");
    if (slot.level != Level::element) refuse("is a position of no element");
    const Ordering& ordering = plan_.orderings[slot.selection];
    if (ordering.stage >= plan_.stages.size()) refuse("is made in a stage that does not exist");
    check_made(slot, ordering.scope, {ordering.stage, ordering.phase});
  }

  // Positions over the model are kept; what else is fine is gone when its stage ends.
  bool is_kept(const Slot& slot) const {
    return slot.kind == Slot::Kind::ordinal && plan_.orderings[slot.selection].scope == Level::recipe;
  }

  void check_known(const Slot& slot, Moment when) {
    const bool lives_on = !is_fine(slot.level) || is_kept(slot);
    const bool known = slot.level == Level::recipe || is_kept(slot) ? slot.stage <= when.first
                                                                    : Moment{slot.stage, slot.phase} <= when;
    if (!known) refuse("needs a number that is not known yet");
    if (!lives_on && slot.stage != when.first) refuse("needs a fine number of another stage");
  }

  // What is made over the whole recipe is known in the next stage, within a tensor in the next
  // phase.
  void check_made(const Slot& slot, Level scope, Moment when) {
    const bool later =
        scope == Level::recipe ? slot.stage > when.first : Moment{slot.stage, slot.phase} > when;
    if (!later) refuse("makes a number that is said to be known before");
    if (is_fine(scope) && slot.stage != when.first) refuse("makes a fine number for another stage");
  }

  void check_selection(std::uint32_t id) {
    const Selection& selection = plan_.selections[id];
    where_ = "selection " + std::to_string(id);
    if (selection.stage >= plan_.stages.size())
      return refuse("is made in a stage that does not exist");
    if (!is_slot(selection.rank)) return refuse("has a rank that is no slot");
    const Slot& rank = plan_.slots[selection.rank];
    if (!is_no_finer(rank.level, selection.scope))
      refuse("over each " + std::string(scope_name(selection.scope)) + " has a rank for each " +
             std::string(scope_name(rank.level)));
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
          for (const ColumnReduction& reduction : launch.column_reductions)
            if (!made.insert(reduction.slot).second) refuse("makes a number that another makes too");
        }
      }
  }

  void check_launch(const Launch& launch, const Kernel& kernel, std::uint32_t tensor_class,
                    Moment when) {
    if (launch.inputs.size() != kernel.inputs.size() ||
        launch.tables.size() != kernel.tables.size() ||
        launch.scalars.size() != kernel.scalar_count || launch.spreads.size() != kernel.spread_count ||
        launch.stores.size() != kernel.stores.size() ||
        launch.reductions.size() != kernel.reductions.size())
      return refuse("does not match its kernel");
    check_reads(launch, tensor_class, when);
    check_arguments(launch, when);
    if (launch.shape != LaunchShape::flat && !kernel.starts_anywhere)
      refuse("goes row by row with a kernel that does not start anywhere");
    check_stores(launch, kernel, tensor_class, when);
    check_reductions(launch, kernel, when);
    if (problem_.empty()) check_alone(launch);
    if (kernel.lane == LaneType::f32) check_thresholds(kernel);
  }

  void check_arguments(const Launch& launch, Moment when) {
    const Level finest = launch.shape == LaunchShape::flat ? Level::tensor : Level::row;
    for (SlotId slot : launch.scalars) {
      if (!is_slot(slot)) return refuse("has a scalar that is no slot");
      if (!is_no_finer(plan_.slots[slot].level, finest)) refuse("has a scalar that varies within a call");
      check_known(plan_.slots[slot], when);
    }
    for (SlotId slot : launch.spreads) {
      if (!is_slot(slot)) return refuse("has a spread that is no slot");
      if (is_no_finer(plan_.slots[slot].level, finest)) refuse("spreads a number that is a scalar");
      check_known(plan_.slots[slot], when);
    }
  }

  void check_reductions(const Launch& launch, const Kernel& kernel, Moment when) {
    for (std::size_t i = 0; i < launch.reductions.size(); ++i) {
      if (!is_slot(launch.reductions[i])) return refuse("has a reduction that is no slot");
      const Slot& slot = plan_.slots[launch.reductions[i]];
      if (slot.kind != Slot::Kind::reduction) refuse("reduces into a slot of another kind");
      if (slot.reduce != kernel.reductions[i].op) refuse("reduces otherwise than its slot says");
      const bool fits = launch.shape == LaunchShape::flat   ? !is_fine(slot.level)
                        : launch.shape == LaunchShape::rows ? slot.level == Level::row
                                                            : false;
      if (!fits) refuse("reduces over another scope than its shape");
      check_made(slot, slot.level, when);
    }
    if (!launch.column_reductions.empty() && launch.shape != LaunchShape::columns)
      refuse("reduces over another scope than its shape");
    for (const ColumnReduction& reduction : launch.column_reductions) {
      if (!is_slot(reduction.slot)) return refuse("has a reduction that is no slot");
      const Slot& slot = plan_.slots[reduction.slot];
      if (slot.kind != Slot::Kind::reduction || slot.level != Level::column)
        return refuse("reduces into a slot of another kind");
      const auto is_operand = [&](std::uint32_t s) {
        return s < launch.stores.size() && launch.stores[s].kind == StoreTarget::Kind::operand;
      };
      const bool takes_b = slot.reduce == ReduceOp::dot;
      if (!is_operand(reduction.a) || takes_b != is_operand(reduction.b))
        refuse("reduces columns of what is no operand");
      check_made(slot, Level::column, when);
    }
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
      switch (launch.stores[i].kind) {
        case StoreTarget::Kind::output: break;
        case StoreTarget::Kind::selection:
          if (index >= plan_.selections.size()) return refuse("feeds a selection that does not exist");
          check_offer(plan_.selections[index], "a selection", dtype, when);
          if (!can_offer(launch.shape, plan_.selections[index].scope))
            refuse("feeds a selection of another scope than its shape");
          continue;
        case StoreTarget::Kind::ordering:
          if (index >= plan_.orderings.size()) return refuse("feeds an ordering that does not exist");
          check_offer(plan_.orderings[index], "an ordering", dtype, when);
          if (launch.shape == LaunchShape::columns) refuse("feeds an ordering by columns");
          continue;
        case StoreTarget::Kind::operand:
          if (dtype != (kernel.lane == LaneType::f32 ? DType::f32 : DType::f64))
            refuse("stores an operand in another type than the lanes'");
          continue;
      }
      if (launch.shape == LaunchShape::columns) refuse("stores to an output by columns");
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

  // Order statistics of rows and columns take several rounds of their own, in which nothing else is made.
  void check_alone(const Launch& launch) {
    const auto is_fine_offer = [&](const StoreTarget& store) {
      return store.kind == StoreTarget::Kind::selection && is_fine(plan_.selections[store.index].scope);
    };
    const auto offers = std::count_if(launch.stores.begin(), launch.stores.end(), is_fine_offer);
    if (offers == 0) return;
    const bool alone = static_cast<std::size_t>(offers) == launch.stores.size() && launch.reductions.empty() &&
                       launch.column_reductions.empty();
    if (!alone) refuse("makes something else beside order statistics of rows or columns");
  }

  static bool can_offer(LaunchShape shape, Level scope) {
    if (scope == Level::column || shape == LaunchShape::columns)
      return scope == Level::column && shape == LaunchShape::columns;
    return scope != Level::row || shape == LaunchShape::rows;
  }

  // To a selection or an ordering.
  template <class Taker>
  void check_offer(const Taker& taker, const std::string& noun, DType dtype, Moment when) {
    if (Moment{taker.stage, taker.phase} != when) refuse("feeds " + noun + " of another phase");
    if (dtype != (taker.lane == LaneType::f32 ? DType::f32 : DType::f64))
      refuse("feeds " + noun + " with another type of value");
  }

  // The executor may replace a threshold for f32 lanes, which must not change anything else.
  void check_thresholds(const Kernel& kernel) {
    std::set<ScalarId> replaced, used;
    for (const Instruction& i : kernel.body) {
      using Kind = Instruction::Kind;
      if (i.kind == Kind::top && !is_spread(i.b)) replaced.insert({i.b, i.c});
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
