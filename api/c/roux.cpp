// The C interface: each function finds its objects, calls the C++ one, and turns what comes back into a handle or an
// error. Nothing is decided here.
#include "api/c/roux.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <new>

#include "api/roux.h"

using namespace roux;

namespace {

struct Finding {
  std::string code, message;
  std::optional<Place> place;
};

}  // namespace

struct roux_error {
  std::string text, json;
  std::vector<Finding> findings;
};
struct roux_engine {
  Engine engine;
};
struct roux_recipe {
  Recipe recipe;
};
struct roux_arguments {
  Arguments arguments;
};
struct roux_bound {
  BoundRecipe bound;
};
struct roux_cancel {
  std::atomic<bool> requested{false};
};
struct roux_checkpoint {
  CheckpointReader reader;
  std::optional<std::string> config = reader.config();
};
struct roux_report {
  Report report;
  std::vector<std::unique_ptr<roux_checkpoint>> models;  // by output
};

namespace {

// --- errors -------------------------------------------------------------------------------------------

// Where there is not even memory for an error.
roux_error& no_memory() {
  static roux_error error{"error[E0503]: out of memory\n", "[]", {{"E0503", "out of memory", std::nullopt}}};
  return error;
}

roux_error* error_of(const Diagnostics& findings, const Engine* engine) {
  auto error = std::make_unique<roux_error>();
  error->text = engine ? engine->render(findings) : render(findings);
  error->json = engine ? engine->to_json(findings) : to_json(findings);
  for (const Diagnostic& finding : findings)
    error->findings.push_back({std::string(code_of(finding.kind)), finding.message,
                               engine ? engine->place_of(finding.span) : std::nullopt});
  return error.release();
}

roux_error* bad_use(const std::string& message) {
  return error_of({error(DiagnosticKind::bad_option, {}, message)}, nullptr);
}

// Something that a function cannot do without.
roux_error* missing_of(std::initializer_list<const void*> needed) {
  for (const void* pointer : needed)
    if (!pointer) return bad_use("an argument is NULL that must not be");
  return nullptr;
}

// Nothing is thrown into C. What is called reports its errors itself; what is left is memory.
template <class F>
roux_error* guarded(std::initializer_list<const void*> needed, F body) {
  try {
    if (roux_error* missing = missing_of(needed)) return missing;
    return body();
  } catch (...) {
    return &no_memory();
  }
}

// `make` turns a result into the object behind the handle.
template <class T, class Handle, class Make>
roux_error* give(Result<T> result, const Engine* engine, Handle** handle, Make make) {
  if (!result) return error_of(result.error(), engine);
  *handle = make(*std::move(result));
  return nullptr;
}

// --- what comes in --------------------------------------------------------------------------------------

// `size` is what is forgotten most.
template <class T>
roux_error* unset_size(const T* given, const char* name) {
  if (!given || given->size > sizeof given->size) return nullptr;
  return bad_use("the member `size` of " + std::string(name) + " is " + std::to_string(given->size) +
                 ", expected sizeof(" + name + ")");
}

// The members of a struct that the caller knows; the others keep their defaults.
template <class T>
T known_part(const T* given) {
  T known = {};
  if (given) std::memcpy(&known, given, std::min(given->size, sizeof known));
  return known;
}

Options options_of(const roux_options* given) {
  const roux_options known = known_part(given);
  Options options{.threads = known.threads, .sync = !known.no_sync};
  if (known.memory_bytes) options.memory_bytes = known.memory_bytes;
  if (known.backend) options.backend = known.backend;
  return options;
}

Events events_of(const roux_events* given, const Engine& engine) {
  const roux_events known = known_part(given);
  Events events;
  if (known.print) events.on_print = [known](const std::string& line) { known.print(known.context, line.c_str()); };
  if (known.note)
    events.on_note = [known, &engine](const Diagnostic& note) { known.note(known.context, engine.render(note).c_str()); };
  if (known.progress)
    events.on_progress = [known](const RunProgress& progress) {
      const roux_progress told = {progress.activity.c_str(), progress.bytes_done, progress.bytes_total,
                                  progress.seconds};
      known.progress(known.context, &told);
    };
  if (known.log) events.on_log = [known](const std::string& line) { known.log(known.context, line.c_str()); };
  if (known.cancel) events.cancel = &known.cancel->requested;
  return events;
}

HostTensor tensor_of(const roux_tensor& given) {
  HostTensor tensor{.name = given.name, .dtype = given.dtype};
  if (given.rank > 0) tensor.shape.assign(given.shape, given.shape + given.rank);
  if (given.strides) tensor.strides.assign(given.strides, given.strides + given.rank);
  tensor.data = borrowed(given.data);
  return tensor;
}

// So that Roux releases it, once `taken` says so: until then it is the caller's.
void own(HostTensor& tensor, const roux_tensor& given, const std::shared_ptr<bool>& taken) {
  if (!given.release) return;
  tensor.data = std::shared_ptr<const void>(
      given.data, [release = given.release, context = given.context, taken](const void*) {
        if (*taken) release(context);
      });
}

ScoreFunction score_of(roux_score_function score, void* context) {
  return [score, context](const CheckpointReader& model) -> Result<double> {
    const roux_checkpoint seen{model};
    double value = std::nan("");  // what is not set is no score
    if (const char* failed = score(context, &seen, &value)) return score_error(failed);
    return value;
  };
}

const Arguments& arguments_of(const roux_arguments* given) {
  static const Arguments none;
  return given ? given->arguments : none;
}

// Nothing beyond the end.
template <class T>
const T* at(const std::vector<T>& all, size_t index) {
  return index < all.size() ? &all[index] : nullptr;
}
const TensorSummary* tensor_at(const roux_checkpoint* checkpoint, size_t tensor) {
  return at(checkpoint->reader.tensors(), tensor);
}
const std::optional<Place>* place_at(const roux_error* error, size_t finding) {
  const Finding* found = at(error->findings, finding);
  return found && found->place ? &found->place : nullptr;
}
const SavedOutput* output_at(const roux_report* report, size_t output) { return at(report->report.outputs, output); }

// Of a result in memory; nothing for files.
std::unique_ptr<roux_checkpoint> model_of(const SavedOutput& output) {
  if (!output.model) return nullptr;
  Result<CheckpointReader> reader = CheckpointReader::open(output.path, *output.model);
  return reader ? std::make_unique<roux_checkpoint>(roux_checkpoint{*std::move(reader)}) : nullptr;
}

template <class T>
roux_error* copy_values(const Result<std::vector<T>>& read, const char* tensor, T* values, size_t count) {
  if (!read) return error_of(read.error(), nullptr);
  if (read->size() != count)
    return bad_use("tensor `" + std::string(tensor) + "` has " + std::to_string(read->size()) +
                   " elements, but there is room for " + std::to_string(count));
  std::copy(read->begin(), read->end(), values);
  return nullptr;
}

}  // namespace

const char* roux_version(void) { return version().data(); }

// --- errors -------------------------------------------------------------------------------------------

const char* roux_error_text(const roux_error* error) { return error->text.c_str(); }
const char* roux_error_json(const roux_error* error) { return error->json.c_str(); }
size_t roux_error_count(const roux_error* error) { return error->findings.size(); }
const char* roux_error_code(const roux_error* error, size_t finding) {
  const Finding* found = at(error->findings, finding);
  return found ? found->code.c_str() : nullptr;
}
const char* roux_error_message(const roux_error* error, size_t finding) {
  const Finding* found = at(error->findings, finding);
  return found ? found->message.c_str() : nullptr;
}
const char* roux_error_file(const roux_error* error, size_t finding) {
  const std::optional<Place>* place = place_at(error, finding);
  return place ? (*place)->file.c_str() : nullptr;
}
uint32_t roux_error_line(const roux_error* error, size_t finding) {
  const std::optional<Place>* place = place_at(error, finding);
  return place ? (*place)->line : 0;
}
uint32_t roux_error_column(const roux_error* error, size_t finding) {
  const std::optional<Place>* place = place_at(error, finding);
  return place ? (*place)->column : 0;
}
void roux_error_free(roux_error* error) {
  if (error != &no_memory()) delete error;
}

// --- engines ------------------------------------------------------------------------------------------

roux_error* roux_engine_new(const roux_options* options, roux_engine** engine) {
  return guarded({engine}, [&]() -> roux_error* {
    if (roux_error* unset = unset_size(options, "roux_options")) return unset;
    return give(Engine::create(options_of(options)), nullptr, engine,
                [](Engine made) { return new roux_engine{std::move(made)}; });
  });
}
void roux_engine_free(roux_engine* engine) { delete engine; }

roux_error* roux_compile(roux_engine* engine, const char* name, const char* text, roux_recipe** recipe) {
  return guarded({engine, name, text, recipe}, [&] {
    return give(engine->engine.compile(name, text), &engine->engine, recipe,
                [](Recipe made) { return new roux_recipe{std::move(made)}; });
  });
}
void roux_recipe_free(roux_recipe* recipe) { delete recipe; }

// --- arguments ----------------------------------------------------------------------------------------

roux_arguments* roux_arguments_new(void) { return new (std::nothrow) roux_arguments; }

roux_error* roux_arguments_set(roux_arguments* arguments, const char* name, const char* text) {
  return guarded({arguments, name, text}, [&]() -> roux_error* {
    arguments->arguments.settings[name] = text;
    return nullptr;
  });
}

roux_error* roux_arguments_add_model(roux_arguments* arguments, const char* name, const roux_tensor* tensors,
                                     size_t count, const char* config) {
  return guarded({arguments, name, count > 0 ? static_cast<const void*>(tensors) : name}, [&]() -> roux_error* {
    HostModel model;
    const auto taken = std::make_shared<bool>(false);
    for (size_t i = 0; i < count; ++i) {
      if (!tensors[i].name || !tensors[i].dtype || (tensors[i].rank > 0 && !tensors[i].shape))
        return bad_use("tensor " + std::to_string(i) + " of the model `" + name + "` lacks its name, dtype or shape");
      model.tensors.push_back(tensor_of(tensors[i]));
    }
    if (config) model.config = config;
    for (size_t i = 0; i < count; ++i) own(model.tensors[i], tensors[i], taken);
    arguments->arguments.models[name] = std::move(model);
    *taken = true;
    return nullptr;
  });
}

roux_error* roux_arguments_set_scorer(roux_arguments* arguments, const char* name, roux_score_function score,
                                      void* context, bool lower_is_better) {
  return guarded({arguments, name}, [&]() -> roux_error* {
    if (!score) return bad_use("the scorer `" + std::string(name) + "` has no function");
    arguments->arguments.scorers[name] = {score_of(score, context), lower_is_better ? Goal::min : Goal::max};
    return nullptr;
  });
}

void roux_arguments_free(roux_arguments* arguments) { delete arguments; }

// --- running ------------------------------------------------------------------------------------------

roux_error* roux_bind(roux_engine* engine, const roux_recipe* recipe, const roux_arguments* arguments,
                      const roux_events* events, roux_bound** bound) {
  return guarded({engine, recipe, bound}, [&]() -> roux_error* {
    if (roux_error* unset = unset_size(events, "roux_events")) return unset;
    Engine& inner = engine->engine;
    return give(inner.bind(recipe->recipe, arguments_of(arguments), events_of(events, inner)), &inner,
                bound, [](BoundRecipe made) { return new roux_bound{std::move(made)}; });
  });
}
const char* roux_bound_plan(const roux_bound* bound) { return bound->bound.plan().text.c_str(); }
uint64_t roux_bound_memory_bytes(const roux_bound* bound) {
  uint64_t most = 0;
  for (const PlannedSave& save : bound->bound.plan().saves) most = std::max(most, save.memory_bytes);
  return most;
}
void roux_bound_free(roux_bound* bound) { delete bound; }

roux_error* roux_run_bound(roux_engine* engine, const roux_bound* bound, const roux_events* events,
                           roux_report** report) {
  return guarded({engine, bound, report}, [&]() -> roux_error* {
    if (roux_error* unset = unset_size(events, "roux_events")) return unset;
    Engine& inner = engine->engine;
    return give(inner.run(bound->bound, events_of(events, inner)), &inner, report, [](Report made) {
      auto all = std::make_unique<roux_report>();
      all->report = std::move(made);
      for (const SavedOutput& output : all->report.outputs) all->models.push_back(model_of(output));
      return all.release();
    });
  });
}

roux_error* roux_run(roux_engine* engine, const roux_recipe* recipe, const roux_arguments* arguments,
                     const roux_events* events, roux_report** report) {
  if (!report) return guarded({report}, [] { return nullptr; });
  roux_bound* bound = nullptr;
  roux_error* error = roux_bind(engine, recipe, arguments, events, &bound);
  if (!error) error = roux_run_bound(engine, bound, events, report);
  roux_bound_free(bound);
  return error;
}

size_t roux_report_output_count(const roux_report* report) { return report->report.outputs.size(); }
const char* roux_report_path(const roux_report* report, size_t output) {
  const SavedOutput* saved = output_at(report, output);
  return saved ? saved->path.c_str() : nullptr;
}
bool roux_report_score(const roux_report* report, size_t output, double* score) {
  const SavedOutput* saved = output_at(report, output);
  if (!saved || !saved->score) return false;
  *score = *saved->score;
  return true;
}
const roux_checkpoint* roux_report_model(const roux_report* report, size_t output) {
  return output < report->models.size() ? report->models[output].get() : nullptr;
}
bool roux_report_tensor(const roux_report* report, size_t output, size_t tensor, roux_tensor* view) {
  const SavedOutput* saved = output_at(report, output);
  const HostTensor* found = saved && saved->model ? at(saved->model->tensors, tensor) : nullptr;
  if (!found) return false;
  *view = {found->name.c_str(), found->dtype.c_str(), found->shape.size(), found->shape.data(), nullptr,
           found->data.get(), nullptr, nullptr};
  return true;
}
uint64_t roux_report_bytes_read(const roux_report* report) { return report->report.bytes_read; }
uint64_t roux_report_bytes_written(const roux_report* report) { return report->report.bytes_written; }
uint64_t roux_report_kernels_compiled(const roux_report* report) { return report->report.kernels_compiled; }
uint64_t roux_report_models_scored(const roux_report* report) { return report->report.models_scored; }
double roux_report_seconds(const roux_report* report) { return report->report.seconds; }
void roux_report_free(roux_report* report) { delete report; }

roux_cancel* roux_cancel_new(void) { return new (std::nothrow) roux_cancel; }
void roux_cancel_request(roux_cancel* cancel) { cancel->requested = true; }
void roux_cancel_reset(roux_cancel* cancel) { cancel->requested = false; }
void roux_cancel_free(roux_cancel* cancel) { delete cancel; }

// --- checkpoints --------------------------------------------------------------------------------------

roux_error* roux_checkpoint_open(const char* path, roux_checkpoint** checkpoint) {
  return guarded({path, checkpoint}, [&] {
    return give(CheckpointReader::open(path), nullptr, checkpoint,
                [](CheckpointReader made) { return new roux_checkpoint{std::move(made)}; });
  });
}
const char* roux_checkpoint_path(const roux_checkpoint* checkpoint) { return checkpoint->reader.path().c_str(); }
size_t roux_checkpoint_tensor_count(const roux_checkpoint* checkpoint) { return checkpoint->reader.tensors().size(); }
const char* roux_checkpoint_tensor_name(const roux_checkpoint* checkpoint, size_t tensor) {
  const TensorSummary* found = tensor_at(checkpoint, tensor);
  return found ? found->name.c_str() : nullptr;
}
const char* roux_checkpoint_tensor_dtype(const roux_checkpoint* checkpoint, size_t tensor) {
  const TensorSummary* found = tensor_at(checkpoint, tensor);
  return found ? found->dtype.c_str() : nullptr;
}
size_t roux_checkpoint_tensor_rank(const roux_checkpoint* checkpoint, size_t tensor) {
  const TensorSummary* found = tensor_at(checkpoint, tensor);
  return found ? found->shape.size() : 0;
}
const int64_t* roux_checkpoint_tensor_shape(const roux_checkpoint* checkpoint, size_t tensor) {
  const TensorSummary* found = tensor_at(checkpoint, tensor);
  return found ? found->shape.data() : nullptr;
}
const char* roux_checkpoint_config(const roux_checkpoint* checkpoint) {
  return checkpoint->config ? checkpoint->config->c_str() : nullptr;
}
roux_error* roux_checkpoint_read_f32(const roux_checkpoint* checkpoint, const char* tensor, float* values,
                                     size_t count) {
  return guarded({checkpoint, tensor, values}, [&] { return copy_values(checkpoint->reader.read_f32(tensor), tensor, values, count); });
}
roux_error* roux_checkpoint_read_f64(const roux_checkpoint* checkpoint, const char* tensor, double* values,
                                     size_t count) {
  return guarded({checkpoint, tensor, values}, [&] { return copy_values(checkpoint->reader.read_f64(tensor), tensor, values, count); });
}
void roux_checkpoint_free(roux_checkpoint* checkpoint) { delete checkpoint; }
