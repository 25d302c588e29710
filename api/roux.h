// Roux for embedders: compile a recipe, bind it to parameters and inputs, say what it will cost, run it.
// Everything that the command line does, it does through this header; docs/embedding.md is its guide.
//
//   roux::Result<roux::Engine> engine = roux::Engine::create({.threads = 4});
//   auto recipe = engine->compile("soup.merge", text);               // the text alone
//   auto bound = engine->bind(*recipe, {.settings = {{"k", "0.3"}}});  // headers of the inputs: all that can be told
//   if (!bound) std::cerr << engine->render(bound.error());
//   auto report = engine->run(*bound, {});                           // tensors
//
// Nothing here prints, throws or aborts; errors are diagnostics, as data. There is no global state: engines
// are independent. An Engine is used from one thread at a time (cancel from any); callbacks run on the
// thread that called, and what they throw ends the call with a diagnostic.
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

#include "api/checkpoint.h"
#include "base/host_model.h"
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
  bool resume = false;                          // go on with what a process that has ended left of a run, and leave
                                                // behind what there is of one that fails
  bool save_to_memory = true;                   // whether `save(model, "memory:NAME")` is allowed
  ReadImport read_import = nullptr;             // empty: `import_from_files`
  // For tests and measurements; results do not depend on them.
  int vector_width = 0;                         // 0: what suits the CPU; 4, 8, 16
  bool optimize = true;                         // simplify graphs, optimise machine code
  std::uint64_t tile_elements = 0;              // 0: chosen by the planner; a multiple of 4096
};

// A recipe that parsed. What is wrong with its names and calls is told by `bind`, together with what the inputs'
// headers tell. Belongs to the engine that compiled it. Immutable, cheap to copy.
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
  std::string text_with_kernels;           // the same with every kernel
};

// What the host scores models with, in place of a command. It is given a model to read, whose path (if it was merged
// for this) is gone when it returns. `score_error` says why there is no score.
using ScoreFunction = std::function<Result<double>(const CheckpointReader& model)>;
Diagnostic score_error(std::string message);

enum class Goal : unsigned char { max, min };
struct HostScorer {
  ScoreFunction score = nullptr;
  Goal goal = Goal::max;  // which way is better
};

// What a recipe leaves open.
struct Arguments {
  Settings settings = {};
  std::map<std::string, HostModel> models = {};    // by name: `load("memory:NAME")`, `load_all("memory:ft-*")`
  std::map<std::string, HostScorer> scorers = {};  // by the name of a `param NAME: scorer`
};

// A recipe with its arguments, after all that can be told before a tensor is read. Immutable, cheap to copy, holds
// no file open. To run the recipe with other values, bind it anew: nothing is parsed again, and kernels serve all
// values that leave the same arithmetic to be done.
class BoundRecipe {
 public:
  struct State;
  explicit BoundRecipe(std::shared_ptr<const State> state) : state_(std::move(state)) {}

  const Diagnostics& notes() const;    // notes and warnings
  const PlanSummary& plan() const;     // what a run does
  const State& state() const { return *state_; }

 private:
  std::shared_ptr<const State> state_;
};

struct RunProgress {
  std::string activity;           // "scoring model 3", "out/soup"
  std::uint64_t bytes_done = 0;
  std::uint64_t bytes_total = 0;  // 0: how long it takes is not known
  double seconds = 0;
};

// What happens during a run, told on the calling thread. All may be empty.
struct Events {
  std::function<void(const std::string& line)> on_print = nullptr;       // `print(...)`
  std::function<void(const Diagnostic&)> on_note = nullptr;              // notes and warnings, as they arise
  std::function<void(const RunProgress&)> on_progress = nullptr;
  std::function<void(const std::string& line)> on_log = nullptr;         // what is being done, step by step
  std::function<void(const std::string& line)> on_resume = nullptr;      // with `Options::resume`: what was kept
  const std::atomic<bool>* cancel = nullptr;                   // set from any thread: the call ends soon
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
  std::string path;                        // "memory:NAME": see `model`
  std::uint64_t tensors = 0;
  std::uint64_t bytes = 0;
  std::string dtype;                       // "bf16", or "f32, bf16"
  std::optional<double> score;             // where the recipe has one scorer
  std::vector<NonfiniteTensor> nonfinite;  // those that have any
  std::optional<HostModel> model = {};     // where it is saved to memory; may be given to the next recipe
};

struct Report {
  std::vector<SavedOutput> outputs;
  std::vector<UsedPolicy> policies;        // each use, in the order of the recipe
  std::uint64_t bytes_read = 0;
  std::uint64_t bytes_written = 0;
  std::uint64_t kernels_compiled = 0;      // that no run of this engine had needed before
  std::uint64_t plans_run = 0;
  std::uint64_t models_scored = 0;
  double seconds = 0;
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

  // `name` is what diagnostics print (usually the path). Touches no file but those that the recipe imports, and
  // these by `Options::read_import`.
  Result<Recipe> compile(std::string name, std::string text);

  // Rehearses the recipe against the headers of its inputs: everything that can be told before a tensor is read.
  // Of the events only log and cancel are used.
  Result<BoundRecipe> bind(const Recipe& recipe, const Arguments& arguments, const Events& events = {});
  // The files and folders that the last `compile` and `bind` looked at, there or not.
  std::vector<std::string> paths_seen() const;
  // Outputs appear whole, at the end, or not at all. Opens the inputs anew: what changed since `bind` is told.
  Result<Report> run(const BoundRecipe& recipe, const Events& events);
  // Binds, then runs.
  Result<Report> run(const Recipe& recipe, const Arguments& arguments, const Events& events);
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
  Session interact(const Arguments& arguments);

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
