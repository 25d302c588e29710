// A plan: everything an executor has to do to compute some outputs and numbers over one list of tensors,
// as a plain value. It knows nothing of recipes, files or threads: sources and outputs are indices that the
// executor is handed checkpoints and writers for.
//
// A plan is a list of stages. Stages are separated by barriers: numbers over the whole model made in one
// stage are known in the next. In a stage every tensor goes through its phases: numbers over the tensor
// made in one phase are known in the next, while the tensor is still warm. A phase is a list of kernel
// launches; what is launched depends on the tensor's class (the dtypes of its inputs and outputs).
//
// Numbers live in slots: one f64 for the run (level `recipe`), one per tensor, or as many as the tensor at hand
// has rows, columns or elements. These last, the fine ones, live only while their tensor is at hand, in one
// stage; a later stage makes them anew. A slot says how it is computed and from which stage and phase on it is
// known.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/source.h"
#include "runtime/kernel/kernel.h"

namespace roux {

using SlotId = std::uint32_t;

// How fine a value is. `element` is what kernels compute, and the positions that an ordering makes.
enum class Level : std::uint8_t { recipe, tensor, row, column, element };

// The level of what is computed from both. Rows and columns cross in elements.
constexpr Level join(Level a, Level b) {
  const bool crossed = std::min(a, b) == Level::row && std::max(a, b) == Level::column;
  return crossed ? Level::element : std::max(a, b);
}
constexpr bool is_no_finer(Level a, Level than) { return join(a, than) == than; }
constexpr bool is_fine(Level level) { return level > Level::tensor; }

// "model", "tensor", "row", "column": the scope whose results are of this level.
std::string_view scope_name(Level scope);

// A tensor as the matrix view(shape[0], -1). One axis is one row, no axis 1x1.
struct MatrixView {
  std::uint64_t rows = 1, columns = 1;
  bool operator==(const MatrixView&) const = default;
};
MatrixView matrix_view(std::span<const std::int64_t> shape);
// How many numbers of a level a tensor has.
std::uint64_t extent(Level level, const MatrixView& view);

// What a tensor's name and shape tell, as numbers.
enum class TensorFact : std::uint8_t { layer, layer_count, depth, ndim, numel, rows, columns };
inline constexpr int kTensorFacts = 7;

struct LinearScalar {
  SlotId coefficient, value;
};

struct Slot {
  enum class Kind : std::uint8_t {
    constant,     // `constant`
    fact,         // `fact` of the tensor
    given,        // `given`, a number for each tensor of the plan
    key_low,      // low 32 bits of XXH3-64(tensor name, seed = slot a), as a whole number
    key_high,     // the high 32 bits
    operation,    // op(a, b, c) in f64; masks are 0 and 1
    linear,       // constant slot a (or none) + sum of coefficient * value, in order, as kernels do it
    reduction,    // `reduce` over what the level names: each tensor, row or column, or (level recipe) all
                  // tensors in canonical order
    threshold,    // of selection `selection`: the n-th largest value
    cut,          // of selection `selection`: the element index of the last kept tie in this tensor
    ordinal,      // of ordering `selection`: the position of each element
  };
  Kind kind = Kind::constant;
  Level level = Level::recipe;
  Op op{};
  ReduceOp reduce{};
  TensorFact fact{};
  double constant = 0;
  std::vector<double> given{};
  SlotId a = kNone, b = kNone, c = kNone;
  std::vector<LinearScalar> terms;
  std::uint32_t selection = kNone;
  bool once = false;  // reduction of level recipe: leaves out tensors that are copies
  // Known at the beginning of this phase; recipe level: of this stage. Fine slots: in no other stage.
  std::uint32_t stage = 0, phase = 0;
};

// An exact order statistic: the n-th largest of a run of lane values, in IEEE totalOrder with NaN above
// +inf; among equal values the lower canonical index counts as larger. Its values come from the launches
// whose stores name it; those launches are repeated until it is known.
struct Selection {
  Level scope;                  // recipe: over all tensors of the plan; tensor, row, column: within each
  LaneType lane;                // f64 if any tensor computes in f64
  SlotId rank;                  // n, from 1; 0 selects nothing; more than there are selects everything
  std::uint32_t stage, phase;   // in which its values are made
  bool once = false;            // over the model: leaves out tensors that are copies, and treats them as their
                                // originals
};

// The 0-based position of each value of a run in ascending IEEE totalOrder, NaN above +inf; among equal values
// the lower index comes first. The values, in the lane type, come from the stores that name it. Positions over
// the whole model are kept until the run ends, all others are fine.
struct Ordering {
  Level scope;
  LaneType lane;
  std::uint32_t stage, phase;
};

// Where a kernel's store goes.
struct StoreTarget {
  enum class Kind : std::uint8_t { output, selection, ordering, operand };
  Kind kind;
  std::uint32_t index;  // operand (of a reduction over columns): unused
};

// A reduction over columns: the executor adds up rows that the kernel stores in the lane type.
struct ColumnReduction {
  std::uint32_t a, b;  // stores of the launch; b: of a dot, else kNone
  SlotId slot;         // says which
};

struct TableSource {
  std::uint32_t source;
  SlotId coefficient;  // an entry whose coefficient is 0 is left out and not read
};

// How a launch goes through a tensor, and so what it can make and take:
enum class LaunchShape : std::uint8_t {
  flat,     // tiles of the whole run. Reduces over tensors and the model; fine numbers are spread
  rows,     // row by row: its kernel starts anywhere. Reduces over rows; numbers of rows are scalars
  columns,  // strips of columns, row by row. Makes numbers of columns; numbers of rows are scalars
};

struct Launch {
  std::uint32_t kernel;
  std::vector<std::uint32_t> inputs;               // sources, one per kernel input
  std::vector<std::vector<TableSource>> tables;    // per kernel table
  std::vector<SlotId> scalars;                     // per kernel scalar
  std::vector<StoreTarget> stores;                 // per kernel store
  std::vector<SlotId> reductions;                  // per kernel reduction: the slot it makes
  LaunchShape shape = LaunchShape::flat;
  std::vector<SlotId> spreads = {};                // per kernel spread: a fine slot
  std::vector<ColumnReduction> column_reductions = {};
};

struct Phase {
  std::vector<Launch> launches;
};

struct Stage {
  std::vector<std::vector<Phase>> classes;  // [class][phase]
  std::string reason;                       // for people: "global threshold of 3 task vectors"
};

struct PlannedTensor {
  std::string name;
  std::vector<std::int64_t> shape;
  std::uint64_t element_count = 0;
  std::uint32_t tensor_class = 0;
  std::uint32_t copy_of = kNone;         // the tensor that it is tied to, which statistics count in its place
  std::array<double, kTensorFacts> facts{};
  std::vector<std::uint32_t> in_source;  // per source: the index of the tensor there, or kNone
  std::vector<std::uint32_t> in_output;  // per output: the index of the tensor there; kNone where it is not in it
};

// An integer or boolean tensor that is carried along, not computed.
struct CarriedTensor {
  enum class Rule : std::uint8_t {
    equal,    // all must be equal, to the byte
    largest,  // whole numbers: the largest, element by element
  };
  std::string name;
  Rule rule = Rule::equal;
  DType dtype{};
  std::uint64_t byte_count = 0;
  struct Place {
    std::uint32_t source, tensor;
  };
  std::vector<Place> places;             // the first is copied
  std::vector<std::uint32_t> in_output;  // per output; kNone where it does not belong
};

struct PlannedSource {
  std::string name;      // for people: the path
  std::uint32_t id = 0;  // what whoever made the plan calls it
};

struct PlannedOutput {
  std::string name;
  std::vector<DType> dtypes;  // per planned tensor
};

struct Plan {
  std::vector<PlannedSource> sources;
  std::vector<PlannedOutput> outputs;
  std::vector<PlannedTensor> tensors;  // in canonical order
  std::vector<std::uint32_t> order;    // tensors in the order in which to visit them (that of the files)
  std::vector<CarriedTensor> carried;
  std::vector<Kernel> kernels;
  std::vector<Slot> slots;             // operands come before their uses
  std::vector<Selection> selections;
  std::vector<Ordering> orderings;
  std::vector<Stage> stages;
  std::vector<SlotId> numbers;         // recipe-level slots whose values are wanted at the end

  // Told before anything runs.
  std::uint64_t tile_elements = 1u << 16;  // a multiple of kBlock
  std::uint64_t collect_limit = 1u << 22;  // values a selection over the model may hold in memory
  int threads = 1;
  std::uint64_t bytes_read = 0;
  std::uint64_t bytes_written = 0;
  std::uint64_t peak_bytes = 0;            // buffers of all threads, selections, slots
};

// Sweeps, bytes, memory and kernels, for people.
std::string describe(const Plan& plan, bool with_kernels);

// How often it goes over its inputs. (A look at a few values beforehand is no sweep.)
int sweep_count(const Plan& plan);

// Whether nothing within tensors waits in a stage: its tiles may come in any order.
bool is_flat(const Plan& plan, std::uint32_t stage);
// Whether what is stored there is a number of a row, a column or an element, or leads to one.
bool makes_fine(const Plan& plan, const StoreTarget& store);

// Operands before uses, indices in range, launches that match their kernels, levels that fit.
Status verify(const Plan& plan);

}  // namespace roux
