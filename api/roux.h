// Roux for embedders: compile a recipe, check it against the headers of its inputs, say what it will cost,
// run it. Everything that the command line does, it does through this header.
//
//   roux::Engine engine = *roux::Engine::create({.threads = 4});
//   auto recipe = engine.compile("soup.merge", text);             // syntax; reads what it imports
//   if (!recipe) std::cerr << engine.render(recipe.error());
//   auto report = engine.run(*recipe, {{"k", "0.3"}}, {});         // checks everything, then runs
//
// Nothing here prints, throws or aborts; errors are diagnostics, as data. There is no global state: engines
// are independent. An Engine is used from one thread at a time (cancel from any); callbacks run on the
// thread that called.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/method_document.h"
#include "base/result.h"

namespace roux {

std::string_view version();

// A file that a recipe imports.
struct ImportedText {
  std::string name;      // what diagnostics print; its own imports are relative to it
  std::string text;
  std::string identity;  // equal for one file under two names; empty: its name
};
// Reads what `import "path"` means in the file `importer`; called in `Engine::compile`. What goes wrong is
// reported at the import where it points nowhere.
using ReadImport = std::function<Result<ImportedText>(const std::string& path, const std::string& importer)>;

// From the file system, relative to the folder of the importing file.
Result<ImportedText> import_from_files(const std::string& path, const std::string& importer);

struct Options {
  int threads = 0;                              // 0: every core
  std::uint64_t memory_bytes = 1ull << 30;      // beyond the page cache
  std::string backend = "llvm";                 // or "reference": slow, the definition
  int max_depth = 256;                          // of calls inside each other
  std::uint64_t max_steps = 10'000'000;         // of control
  bool sync = true;                             // flush outputs to the device before they are renamed
  ReadImport read_import = nullptr;             // empty: `import_from_files`
  // For tests and measurements; results do not depend on them.
  int vector_width = 0;                         // 0: what suits the CPU; 4, 8, 16
  bool optimize = true;                         // simplify graphs, optimise machine code
  std::uint64_t tile_elements = 0;              // 0: chosen by the planner; a multiple of 4096
};

// A recipe that parsed. What is wrong with its names and calls is told by `check` and `run`, together with
// what the inputs' headers tell. Immutable, cheap to copy.
class Recipe {
 public:
  struct State;
  explicit Recipe(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  const State& state() const { return *state_; }

 private:
  std::shared_ptr<const State> state_;
};

// Values for the recipe's `param`s, as text (what `--set name=text` gives).
using Settings = std::map<std::string, std::string>;

struct RunProgress {
  std::string activity;           // "scoring model 3", "out/soup"
  std::uint64_t bytes_done = 0;
  std::uint64_t bytes_total = 0;  // 0: how long it takes is not known
  double seconds = 0;
};

// What happens during a run, told on the calling thread. All may be empty.
struct Events {
  std::function<void(const std::string& line)> on_print;       // `print(...)`
  std::function<void(const Diagnostic&)> on_note;              // notes and warnings, as they arise
  std::function<void(const RunProgress&)> on_progress;
  const std::atomic<bool>* cancel = nullptr;
};

// How many values of a saved tensor are infinite or NaN.
struct NonfiniteTensor {
  std::string name;
  std::uint64_t values = 0;
  std::uint64_t overflows = 0;             // of these: finite results that the dtype does not hold
};

// That `align` (or `load_all`) did something about tensors which do not match.
struct UsedPolicy {
  std::string policy;                      // "missing = base"
  std::uint64_t tensors = 0;
};

struct SavedOutput {
  std::string path;
  std::uint64_t tensors = 0;
  std::uint64_t bytes = 0;
  std::string dtype;                       // "bf16", or "f32, bf16"
  std::optional<double> score;             // where the recipe has one scorer
  std::vector<NonfiniteTensor> nonfinite;  // those that have any
};

struct Report {
  std::vector<SavedOutput> outputs;
  std::vector<UsedPolicy> policies;        // each use, in the order of the recipe
  std::uint64_t bytes_read = 0;
  std::uint64_t bytes_written = 0;
  std::uint64_t kernels_compiled = 0;
  std::uint64_t plans_run = 0;
  std::uint64_t models_scored = 0;
  double seconds = 0;
};

// A recipe that can run, and what there is to say of it all the same.
struct CheckReport {
  Diagnostics notes;  // notes and warnings
};

struct PlannedSave {
  std::string path;
  std::uint64_t tensors = 0;
  std::uint64_t bytes = 0;                 // of the output
  std::uint64_t sweeps = 0;                // over the inputs
  std::uint64_t bytes_read = 0;
  std::uint64_t bytes_written = 0;
  std::uint64_t memory_bytes = 0;          // at most, beyond the page cache
  std::uint64_t tile_elements = 0;
  int threads = 0;
  std::vector<std::string> kernels;        // their texts
};

// What a run would do.
struct PlanSummary {
  std::uint64_t checkpoints_scored = 0;    // as they are
  std::uint64_t candidates_scored = 0;     // merged for it, at most
  std::vector<PlannedSave> saves;
  std::string text;                        // for people
};

class Session;
class Analysis;

class Engine {
 public:
  struct State;
  static Result<Engine> create(const Options& options);
  Engine(Engine&&) noexcept;
  Engine& operator=(Engine&&) noexcept;
  ~Engine();

  // `name` is what diagnostics print (usually the path).
  Result<Recipe> compile(std::string name, std::string text);

  // Rehearses the recipe against the headers of its inputs: everything that can be told before a tensor is
  // read.
  Result<CheckReport> check(const Recipe& recipe, const Settings& settings);
  // The files and folders that the last `compile` and `check` looked at, there or not.
  std::vector<std::string> paths_seen() const;
  // What a run would do: sweeps, bytes, memory. `kernels`: with every kernel in the text for people.
  Result<PlanSummary> plan(const Recipe& recipe, const Settings& settings, bool kernels);
  // Checks, then runs. Outputs appear whole, at the end, or not at all.
  Result<Report> run(const Recipe& recipe, const Settings& settings, const Events& events);
  // The text in the one style of recipes, or its syntax errors. `name` as for `compile`; touches no file.
  Result<std::string> format(std::string name, std::string text);
  // What there is to read about the library's methods, and about those of a recipe, which need not pass `check`.
  Result<std::vector<MethodDocument>> methods();
  Result<std::vector<MethodDocument>> methods_of(std::string name, std::string text);
  // The value of one expression, as a session shows it.
  Result<std::string> evaluate(const std::string& expression, const Events& events);
  // The same as JSON: numbers, truth values, texts, null, lists (tuples, too) and records as such; what has no
  // counterpart there (models, functions, numbers that are not finite) as the text that the REPL would print.
  Result<std::string> evaluate_to_json(const std::string& expression, const Events& events);
  // What an editor asks of a text while it is being written (api/analysis.h). The engine must outlive it.
  Analysis analyse(std::string name, std::string text);
  // Statements one by one, each seeing the names of those before (api/session.h). The engine must outlive it.
  Session interact(const Settings& settings);

  // FILE:LINE:COLUMN: error[CODE]: message, the source line with the range marked, notes, a hint.
  std::string render(const Diagnostics& diagnostics) const;
  std::string render(const Diagnostic& diagnostic) const;
  // The same as a JSON array with one object for each; docs/diagnostics.md is its schema.
  std::string to_json(const Diagnostics& diagnostics) const;
  // Where a span of this engine's diagnostics is, in a recipe or a file of the library; nothing where it is
  // nowhere.
  std::optional<Place> place_of(Span span) const;

 private:
  explicit Engine(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// --- checkpoints, without a recipe --------------------------------------------------------------------

struct TensorSummary {
  std::string name;
  std::string dtype;                  // "bf16"
  std::vector<std::int64_t> shape;
  std::uint64_t byte_count = 0;
};

// A safetensors file or a checkpoint folder, opened for reading. Headers are checked at once, tensors read
// on demand. Thread-safe.
class CheckpointReader {
 public:
  static Result<CheckpointReader> open(const std::string& path);
  CheckpointReader(CheckpointReader&&) noexcept;
  ~CheckpointReader();

  const std::vector<TensorSummary>& tensors() const;       // by name
  const std::map<std::string, std::string>& metadata() const;
  std::optional<std::string> config() const;               // the text of config.json
  std::vector<std::string> files() const;
  // Values in row-major order, converted from whatever the tensor is stored in.
  Result<std::vector<float>> read_f32(const std::string& name) const;
  Result<std::vector<double>> read_f64(const std::string& name) const;

 private:
  struct State;
  explicit CheckpointReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

struct StoredInput {
  std::string name;    // the last part of its path
  std::string digest;  // XXH3-128 of its contents
};

// How a file or folder that Roux wrote was made.
struct StoredRecipe {
  std::string version;               // of Roux
  std::string text;
  Settings parameters;
  std::vector<StoredInput> inputs;
  std::map<std::string, std::string> imports;  // texts of imported files, by path from the recipe
};
// An error where it holds none.
Result<StoredRecipe> stored_recipe(const std::string& path);
// The same as text that can be run again: the recipe, with the rest as comments.
Result<std::string> recipe_inside(const std::string& path);
// Writes that recipe and the files that it imports into a folder, ready to be run; the paths written.
Result<std::vector<std::string>> extract_recipe(const std::string& path, const std::string& folder);

// --- what diagnostics mean ----------------------------------------------------------------------------

// The page of one kind of diagnostic: what it means, a recipe that provokes it with what is said to it, what to do.
struct Explanation {
  std::string code;   // "E0201"
  std::string kind;   // "unknown_name"
  std::string title;  // in a few words
  std::string text;   // Markdown
};

// Of every kind, by code.
const std::vector<Explanation>& explanations();
// By code or by name; an error that proposes the nearest where there is none.
Result<Explanation> explain(std::string_view code_or_kind);

// Text of diagnostics that point at no recipe (those of the functions above).
std::string render(const Diagnostics& diagnostics);
std::string to_json(const Diagnostics& diagnostics);

// "512MiB", "5GB", "1G"; nothing if it is no size.
std::optional<std::uint64_t> size_from_text(std::string_view text);

}  // namespace roux
