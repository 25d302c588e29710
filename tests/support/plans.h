// Plans made by hand for tests of the executor: a few tensors of telling sizes in several sources,
// slots and launches by one call each, and a run whose outputs come back as values.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "runtime/exec/executor.h"
#include "runtime/kernel/text.h"
#include "tests/support/memory_checkpoint.h"

namespace roux::testing {

struct Ran {
  std::vector<Bytes> outputs;  // of the first output, per planned tensor
  std::vector<double> numbers;
  ExecuteResult result;
};

class PlanMaker {
 public:
  Plan plan;
  std::vector<std::shared_ptr<MemoryCheckpoint>> sources;

  explicit PlanMaker(std::uint32_t source_count) {
    for (std::uint32_t i = 0; i < source_count; ++i) {
      sources.push_back(std::make_shared<MemoryCheckpoint>());
      plan.sources.push_back({"source" + std::to_string(i)});
    }
    plan.outputs.emplace_back();
  }

  // One tensor in every source (`values[source]`), stored to the output in its own type.
  template <class T>
  void add_tensor(const std::string& name, DType dtype, const std::vector<std::vector<T>>& values,
                  std::uint32_t tensor_class = 0) {
    PlannedTensor tensor;
    tensor.name = name;
    tensor.element_count = values[0].size();
    tensor.shape = {static_cast<std::int64_t>(tensor.element_count)};
    tensor.tensor_class = tensor_class;
    tensor.facts[static_cast<int>(TensorFact::numel)] = static_cast<double>(tensor.element_count);
    for (std::size_t s = 0; s < sources.size(); ++s)
      tensor.in_source.push_back(sources[s]->add(name, dtype, bytes_of_values(values[s])));
    const auto index = static_cast<std::uint32_t>(plan.tensors.size());
    tensor.in_output = {index};
    plan.order.insert(plan.order.begin(), index);  // not the canonical order
    plan.outputs[0].dtypes.push_back(dtype);
    plan.tensors.push_back(tensor);
  }

  SlotId slot(Slot slot) {
    plan.slots.push_back(std::move(slot));
    return static_cast<SlotId>(plan.slots.size() - 1);
  }
  SlotId constant(double value) {
    Slot made;
    made.constant = value;
    return slot(made);
  }
  SlotId fact(TensorFact fact) {
    Slot made;
    made.kind = Slot::Kind::fact;
    made.level = Level::tensor;
    made.fact = fact;
    return slot(made);
  }
  SlotId key(Slot::Kind kind, SlotId seed) {
    Slot made;
    made.kind = kind;
    made.level = Level::tensor;
    made.a = seed;
    return slot(made);
  }
  // Known when the latest of its operands is.
  SlotId operation(Op op, SlotId a, SlotId b = kNone) {
    Slot made;
    made.kind = Slot::Kind::operation;
    made.op = op;
    made.a = a;
    made.b = b;
    for (SlotId id : {a, b}) {
      if (id == kNone) continue;
      const Slot& operand = plan.slots[id];
      made.level = join(made.level, operand.level);
      if (std::pair(operand.stage, operand.phase) > std::pair(made.stage, made.phase))
        made.stage = operand.stage, made.phase = operand.phase;
    }
    return slot(made);
  }
  SlotId reduction(ReduceOp op, Level level, std::uint32_t stage, std::uint32_t phase) {
    Slot made;
    made.kind = Slot::Kind::reduction;
    made.reduce = op;
    made.level = level;
    made.stage = stage;
    made.phase = phase;
    return slot(made);
  }
  // The positions of a new ordering made in stage 0, phase 0.
  SlotId ordinal(Level scope, LaneType lane) {
    plan.orderings.push_back({scope, lane, 0, 0});
    Slot made;
    made.kind = Slot::Kind::ordinal;
    made.level = Level::element;
    made.selection = static_cast<std::uint32_t>(plan.orderings.size() - 1);
    (scope == Level::recipe ? made.stage : made.phase) = 1;
    return slot(made);
  }
  // Threshold and cut of a new selection made in stage 0, phase 0.
  std::pair<SlotId, SlotId> selection(Level scope, LaneType lane, SlotId rank) {
    plan.selections.push_back({scope, lane, rank, 0, 0});
    Slot made;
    made.kind = Slot::Kind::threshold;
    made.level = scope;
    made.selection = static_cast<std::uint32_t>(plan.selections.size() - 1);
    (scope == Level::recipe ? made.stage : made.phase) = 1;
    const SlotId threshold = slot(made);
    made.kind = Slot::Kind::cut;
    made.level = std::max(scope, Level::tensor);
    return {threshold, slot(made)};
  }

  std::uint32_t kernel(const std::string& text) {
    Result<Kernel> parsed = parse_kernel(text);
    EXPECT_TRUE(parsed.ok()) << text << parsed.error()[0].message;
    plan.kernels.push_back(*std::move(parsed));
    return static_cast<std::uint32_t>(plan.kernels.size() - 1);
  }
  void launch(std::uint32_t stage, std::uint32_t phase, Launch launch,
              std::uint32_t tensor_class = 0) {
    if (plan.stages.size() <= stage) plan.stages.resize(stage + 1);
    for (Stage& each : plan.stages)
      each.classes.resize(std::max<std::size_t>(each.classes.size(), class_count));
    auto& phases = plan.stages[stage].classes[tensor_class];
    if (phases.size() <= phase) phases.resize(phase + 1);
    phases[phase].launches.push_back(std::move(launch));
  }
  std::uint32_t class_count = 1;

  Result<Ran> run(KernelCache& kernels, int threads, std::uint64_t tile,
                  const ExecuteOptions& options = {}) {
    plan.threads = threads;
    plan.tile_elements = tile;
    ROUX_DO(verify(plan));
    std::vector<Checkpoint::Ptr> pointers(sources.begin(), sources.end());
    MemoryWriter writer;
    for (std::size_t t = 0; t < plan.tensors.size(); ++t)
      writer.add(plan.tensors[t].element_count *
                 static_cast<std::uint64_t>(roux::bytes_of(plan.outputs[0].dtypes[t])));
    for (const CarriedTensor& tensor : plan.carried) writer.add(tensor.byte_count);
    CheckpointWriter* writers[] = {&writer};
    ROUX_TRY(ExecuteResult result, execute(plan, pointers, writers, kernels, options));
    return Ran{std::move(writer.tensors), result.numbers, result};
  }
};

inline const StoreTarget kToOutput{StoreTarget::Kind::output, 0};
inline const StoreTarget kToSelection{StoreTarget::Kind::selection, 0};
inline const StoreTarget kToOrdering{StoreTarget::Kind::ordering, 0};
inline const StoreTarget kToOperand{StoreTarget::Kind::operand, 0};

inline KernelCache kernel_cache(const std::string& backend) {
  return KernelCache(*make_backend(backend, {}));
}

using Floats = std::vector<float>;

// Names in canonical order. `big` has its tiles dealt out, the others are small; `mid` ends inside
// a block.
inline const std::vector<std::pair<std::string, std::size_t>> kTensors = {
    {"a", 100}, {"big", 1'100'003}, {"empty", 0}, {"mid", 9'001}, {"one", 1}};

// Values with many ties, so that cuts matter.
inline Floats random_floats(std::mt19937_64& random, std::size_t count) {
  Floats values(count);
  for (float& value : values)
    value = static_cast<float>(static_cast<int>(random() % 4001) - 2000) / 64;
  return values;
}

// [tensor][source]
inline std::vector<std::vector<Floats>> add_tensors(PlanMaker& maker) {
  std::mt19937_64 random(7);
  std::vector<std::vector<Floats>> all;
  for (const auto& [name, count] : kTensors) {
    std::vector<Floats>& values = all.emplace_back();
    for (std::size_t s = 0; s < maker.sources.size(); ++s)
      values.push_back(random_floats(random, count));
    maker.add_tensor(name, DType::f32, values);
  }
  return all;
}

// Runs with several numbers of threads and tile sizes, and once by the definition; all must agree.
inline Ran run_everywhere(PlanMaker& maker) {
  KernelCache compiled = kernel_cache("llvm");
  const Result<Ran> first = maker.run(compiled, 1, 4096);
  if (!first) throw std::runtime_error(first.error()[0].message);
  const auto expect_same = [&](KernelCache& cache, int threads, std::uint64_t tile) {
    SCOPED_TRACE(::testing::Message() << threads << " threads, tiles of " << tile);
    const Result<Ran> other = maker.run(cache, threads, tile);
    ASSERT_TRUE(other.ok()) << other.error()[0].message;
    EXPECT_EQ(other->outputs, first->outputs);
    for (std::size_t i = 0; i < first->numbers.size(); ++i)
      EXPECT_EQ(std::bit_cast<std::uint64_t>(other->numbers[i]),
                std::bit_cast<std::uint64_t>(first->numbers[i]));
  };
  for (int threads : {1, 2, 7})
    for (std::uint64_t tile : {4096, 8192, 65536}) expect_same(compiled, threads, tile);
  KernelCache defined = kernel_cache("reference");
  expect_same(defined, 2, 8192);
  return *first;
}

template <class T>
void expect_values(const Bytes& bytes, const std::vector<T>& expected, const std::string& name) {
  const std::vector<T> got = values_of_bytes<T>(bytes);
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i)
    ASSERT_TRUE(std::memcmp(&got[i], &expected[i], sizeof(T)) == 0)
        << name << "[" << i << "] is " << got[i] << ", not " << expected[i];
}

}  // namespace roux::testing
