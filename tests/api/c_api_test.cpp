// The C interface, through the shared library as a host links it: what is not exported is not found here.
#include <gtest/gtest.h>

#include <roux-c/roux.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/files.h"
#include "tests/support/paths.h"

namespace roux::testing {
namespace {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* object) const { Free(object); }
};
using Error = std::unique_ptr<roux_error, Deleter<roux_error_free>>;
using RecipePtr = std::unique_ptr<roux_recipe, Deleter<roux_recipe_free>>;
using ArgumentsPtr = std::unique_ptr<roux_arguments, Deleter<roux_arguments_free>>;
using BoundPtr = std::unique_ptr<roux_bound, Deleter<roux_bound_free>>;
using ReportPtr = std::unique_ptr<roux_report, Deleter<roux_report_free>>;

class CInterface : public ::testing::Test {
 protected:
  CInterface() {
    roux_options options = ROUX_OPTIONS;
    options.threads = 2;
    options.no_sync = true;
    EXPECT_EQ(roux_engine_new(&options, &engine_), nullptr);
  }
  ~CInterface() override { roux_engine_free(engine_); }

  RecipePtr compiled(const std::string& text) {
    roux_recipe* recipe = nullptr;
    const Error error(roux_compile(engine_, "test.merge", text.c_str(), &recipe));
    EXPECT_EQ(error, nullptr) << roux_error_text(error.get());
    return RecipePtr(recipe);
  }
  // What it did, or the error.
  ReportPtr ran(const std::string& text, const roux_events* events = nullptr) {
    const RecipePtr recipe = compiled(text);
    roux_report* report = nullptr;
    error_.reset(roux_run(engine_, recipe.get(), arguments_.get(), events, &report));
    return ReportPtr(report);
  }
  std::string text() const { return error_ ? roux_error_text(error_.get()) : ""; }

  void add(const char* name, std::vector<float> values, const char* config = nullptr) {
    auto* owned = new std::vector<float>(std::move(values));
    const std::int64_t shape[1] = {static_cast<std::int64_t>(owned->size())};
    roux_tensor tensor = {};
    tensor.name = "x";
    tensor.dtype = "f32";
    tensor.rank = 1;
    tensor.shape = shape;
    tensor.data = owned->data();
    tensor.release = [](void* context) { delete static_cast<std::vector<float>*>(context); ++released_; };
    tensor.context = owned;
    ASSERT_EQ(roux_arguments_add_model(arguments_.get(), name, &tensor, 1, config), nullptr);
  }

  static inline int released_ = 0;
  roux_engine* engine_ = nullptr;
  ArgumentsPtr arguments_{roux_arguments_new()};
  Error error_;
};

TEST_F(CInterface, ErrorsAreValues) {
  roux_recipe* recipe = nullptr;
  const Error syntax(roux_compile(engine_, "bad.merge", "x = = 1\n", &recipe));
  ASSERT_NE(syntax, nullptr);
  EXPECT_EQ(recipe, nullptr);
  EXPECT_STREQ(roux_error_code(syntax.get(), 0), "E0101");

  ran("\nx = 1\nprint(y)\nprint(load(\"/no/such.safetensors\"))\n");
  ASSERT_NE(error_, nullptr);
  ASSERT_EQ(roux_error_count(error_.get()), 2u);
  EXPECT_STREQ(roux_error_code(error_.get(), 0), "E0201");
  EXPECT_STREQ(roux_error_message(error_.get(), 0), "unknown name `y`");
  EXPECT_STREQ(roux_error_file(error_.get(), 0), "test.merge");
  EXPECT_EQ(roux_error_line(error_.get(), 0), 3u);
  EXPECT_EQ(roux_error_column(error_.get(), 0), 7u);
  EXPECT_STREQ(roux_error_code(error_.get(), 1), "E0401");
  EXPECT_NE(text().find("test.merge:3:7: error[E0201]"), std::string::npos) << text();
  EXPECT_EQ(std::string(roux_error_json(error_.get()))[0], '[');

  ASSERT_EQ(roux_arguments_set(arguments_.get(), "k", "1"), nullptr);
  ran("print(1)");
  ASSERT_NE(error_, nullptr);
  EXPECT_EQ(roux_error_file(error_.get(), 0), nullptr) << "it is at no place of the text";
  EXPECT_EQ(roux_error_line(error_.get(), 0), 0u);

  roux_options options = ROUX_OPTIONS;
  options.backend = "gpu";
  roux_engine* engine = nullptr;
  EXPECT_NE(Error(roux_engine_new(&options, &engine)), nullptr);
  EXPECT_EQ(engine, nullptr);
  roux_error_free(nullptr);
}

TEST_F(CInterface, ModelsInMemoryAreMergedAndReleased) {
  released_ = 0;
  add("a", {1, 2, 3}, "{\"dtype\": \"float32\"}");
  add("b", {3, 4, 8});
  const ReportPtr report = ran("save(mean(load(\"memory:a\"), load(\"memory:b\")), \"memory:mean\")\n"
                               "save(load(\"memory:a\"), \"memory:same\")");
  ASSERT_NE(report, nullptr) << text();
  ASSERT_EQ(roux_report_output_count(report.get()), 2u);
  EXPECT_STREQ(roux_report_path(report.get(), 0), "memory:mean");
  const roux_checkpoint* mean = roux_report_model(report.get(), 0);
  ASSERT_NE(mean, nullptr);
  EXPECT_STREQ(roux_checkpoint_path(mean), "memory:mean");
  ASSERT_EQ(roux_checkpoint_tensor_count(mean), 1u);
  EXPECT_STREQ(roux_checkpoint_tensor_name(mean, 0), "x");
  EXPECT_STREQ(roux_checkpoint_tensor_dtype(mean, 0), "f32");
  EXPECT_EQ(roux_checkpoint_tensor_rank(mean, 0), 1u);
  EXPECT_EQ(roux_checkpoint_tensor_shape(mean, 0)[0], 3);
  EXPECT_NE(roux_checkpoint_config(mean), nullptr);
  float f32[3] = {};
  double f64[3] = {};
  EXPECT_EQ(roux_checkpoint_read_f32(mean, "x", f32, 3), nullptr);
  EXPECT_EQ(roux_checkpoint_read_f64(mean, "x", f64, 3), nullptr);
  EXPECT_EQ((std::vector<float>(f32, f32 + 3)), (std::vector<float>{2, 3, 5.5}));
  EXPECT_EQ(f64[2], 5.5);
  EXPECT_NE(Error(roux_checkpoint_read_f32(mean, "x", f32, 2)), nullptr);
  EXPECT_NE(Error(roux_checkpoint_read_f32(mean, "y", f32, 3)), nullptr);
  roux_tensor view = {};
  ASSERT_TRUE(roux_report_tensor(report.get(), 0, 0, &view));
  EXPECT_EQ(std::string(view.name) + view.dtype, "xf32");
  EXPECT_EQ(static_cast<const float*>(view.data)[2], 5.5f);
  EXPECT_EQ(view.shape[0], 3);
  EXPECT_FALSE(roux_report_tensor(report.get(), 0, 1, &view));
  EXPECT_EQ(roux_report_path(report.get(), 2), nullptr);
  EXPECT_EQ(roux_report_model(report.get(), 2), nullptr);
  EXPECT_EQ(roux_checkpoint_tensor_name(mean, 1), nullptr);
  EXPECT_EQ(roux_report_bytes_read(report.get()), 36u);
  EXPECT_EQ(roux_report_bytes_written(report.get()), 24u);
  EXPECT_EQ(released_, 0);
  arguments_.reset();
  EXPECT_EQ(released_, 2);
}

TEST_F(CInterface, BindingsKeepTheirArguments) {
  released_ = 0;
  add("a", {1, 2, 3});
  ASSERT_EQ(roux_arguments_set(arguments_.get(), "f", "0.5"), nullptr);
  const RecipePtr recipe = compiled("param f: number\na = load(\"memory:a\")\nsave(lerp(a, a, f), \"memory:out\")");
  roux_bound* made = nullptr;
  ASSERT_EQ(roux_bind(engine_, recipe.get(), arguments_.get(), nullptr, &made), nullptr);
  BoundPtr bound(made);
  EXPECT_NE(std::string(roux_bound_plan(bound.get())).find("save memory:out"), std::string::npos);
  EXPECT_GT(roux_bound_memory_bytes(bound.get()), 0u);
  arguments_.reset();
  EXPECT_EQ(released_, 0);
  roux_report* report = nullptr;
  ASSERT_EQ(roux_run_bound(engine_, bound.get(), nullptr, &report), nullptr);
  const ReportPtr done(report);
  bound.reset();
  EXPECT_EQ(released_, 1);
  EXPECT_NE(roux_report_model(done.get(), 0), nullptr) << "the report keeps its results";
}

TEST_F(CInterface, FunctionsScore) {
  add("ft-1", {1});
  add("ft-2", {5});
  int calls = 0;
  const auto first_value = [](void* context, const roux_checkpoint* model, double* score) -> const char* {
    ++*static_cast<int*>(context);
    float value = 0;
    if (roux_error* error = roux_checkpoint_read_f32(model, "x", &value, 1)) return roux_error_free(error), "cannot read";
    *score = value;
    return nullptr;
  };
  const char recipe[] = "param val: scorer\nsave(best_of(load_all(\"memory:ft-*\"), val), \"memory:out\")\n"
                        "method best_of(models, val) = sort(models, key = m => val(m), descending = val.goal == \"max\")[0]";
  for (const bool lower : {false, true}) {
    ASSERT_EQ(roux_arguments_set_scorer(arguments_.get(), "val", first_value, &calls, lower), nullptr);
    const ReportPtr report = ran(recipe);
    ASSERT_NE(report, nullptr) << text();
    double score = 0;
    ASSERT_TRUE(roux_report_score(report.get(), 0, &score));
    EXPECT_EQ(score, lower ? 1 : 5);
    EXPECT_EQ(roux_report_models_scored(report.get()), 2u);
  }
  EXPECT_EQ(calls, 4);
  const auto fails = [](void*, const roux_checkpoint*, double*) -> const char* { return "no data"; };
  ASSERT_EQ(roux_arguments_set_scorer(arguments_.get(), "val", fails, nullptr, false), nullptr);
  ran(recipe);
  ASSERT_NE(error_, nullptr);
  EXPECT_STREQ(roux_error_message(error_.get(), 0), "the host's scorer `val` failed: no data");
  EXPECT_NE(Error(roux_arguments_set_scorer(arguments_.get(), "val", nullptr, nullptr, false)), nullptr);
  const auto forgets = [](void*, const roux_checkpoint*, double*) -> const char* { return nullptr; };
  ASSERT_EQ(roux_arguments_set_scorer(arguments_.get(), "val", forgets, nullptr, false), nullptr);
  EXPECT_EQ(ran(recipe), nullptr) << "a score that is not set is none";
}

TEST_F(CInterface, EventsAreTold) {
  add("a", {1, 2, 3});
  struct Told {
    std::vector<std::string> prints, notes, logs;
    int progress = 0;
  } told;
  roux_events events = {};
  events.size = sizeof events;
  events.context = &told;
  events.print = [](void* context, const char* line) { static_cast<Told*>(context)->prints.push_back(line); };
  events.note = [](void* context, const char* line) { static_cast<Told*>(context)->notes.push_back(line); };
  events.log = [](void* context, const char* line) { static_cast<Told*>(context)->logs.push_back(line); };
  events.progress = [](void* context, const roux_progress* progress) {
    EXPECT_LE(progress->bytes_done, progress->bytes_total);
    ++static_cast<Told*>(context)->progress;
  };
  const std::string recipe = "len = 2\nprint(len)\nsave(load(\"memory:a\"), \"memory:out\")";
  ASSERT_NE(ran(recipe, &events), nullptr) << text();
  EXPECT_EQ(told.prints, std::vector<std::string>{"2"});
  ASSERT_EQ(told.notes.size(), 1u);
  EXPECT_NE(told.notes[0].find("N0601"), std::string::npos);
  EXPECT_FALSE(told.logs.empty());
  EXPECT_GT(told.progress, 0);
  // A caller that was built when the struct had fewer members.
  events.size = offsetof(roux_events, note);
  told = {};
  ASSERT_NE(ran(recipe, &events), nullptr) << text();
  EXPECT_EQ(told.prints.size(), 1u);
  EXPECT_TRUE(told.logs.empty());
}

TEST_F(CInterface, MistakesAreErrors) {
  released_ = 0;
  float value = 1;
  roux_tensor tensor = {};
  tensor.name = "x";
  tensor.dtype = "f32";
  tensor.data = &value;
  tensor.release = [](void*) { ++released_; };
  EXPECT_NE(Error(roux_arguments_add_model(arguments_.get(), nullptr, &tensor, 1, nullptr)), nullptr);
  EXPECT_NE(Error(roux_arguments_add_model(nullptr, "a", &tensor, 1, nullptr)), nullptr);
  EXPECT_NE(Error(roux_arguments_add_model(arguments_.get(), "a", nullptr, 1, nullptr)), nullptr);
  tensor.dtype = nullptr;
  EXPECT_NE(Error(roux_arguments_add_model(arguments_.get(), "a", &tensor, 1, nullptr)), nullptr);
  EXPECT_EQ(released_, 0) << "on an error it is still the caller's";
  roux_recipe* recipe = nullptr;
  EXPECT_NE(Error(roux_compile(engine_, nullptr, "x", &recipe)), nullptr);
  EXPECT_NE(Error(roux_compile(nullptr, "a", "x", &recipe)), nullptr);
  EXPECT_NE(Error(roux_arguments_set(nullptr, "a", "x")), nullptr);
  EXPECT_NE(Error(roux_run(engine_, nullptr, nullptr, nullptr, nullptr)), nullptr);
  roux_events events = {};
  EXPECT_EQ(ran("print(1)", &events), nullptr);
  EXPECT_NE(text().find("expected sizeof(roux_events)"), std::string::npos) << text();
  roux_options options = {};
  roux_engine* engine = nullptr;
  EXPECT_NE(Error(roux_engine_new(&options, &engine)), nullptr);
}

TEST_F(CInterface, CancelEndsACall) {
  roux_cancel* cancel = roux_cancel_new();
  roux_events events = {};
  events.size = sizeof events;
  events.cancel = cancel;
  std::thread other([&] { roux_cancel_request(cancel); });
  ran("x = [i + j for i in range(3000) for j in range(3000)]\nprint(len(x))", &events);
  other.join();
  ASSERT_NE(error_, nullptr);
  EXPECT_STREQ(roux_error_code(error_.get(), 0), "E0508");
  roux_cancel_reset(cancel);
  EXPECT_NE(ran("print(1)", &events), nullptr) << text();
  roux_cancel_free(cancel);
}

TEST_F(CInterface, CheckpointsAreRead) {
  const TemporaryFolder folder;
  write_file(folder / "a.safetensors", f32_safetensors({{"w", {2, 2}, {1, 2, 3, 4}}}));
  roux_checkpoint* checkpoint = nullptr;
  ASSERT_EQ(roux_checkpoint_open((folder / "a.safetensors").c_str(), &checkpoint), nullptr);
  EXPECT_EQ(roux_checkpoint_config(checkpoint), nullptr);
  float values[4];
  EXPECT_EQ(roux_checkpoint_read_f32(checkpoint, "w", values, 4), nullptr);
  EXPECT_EQ(values[3], 4);
  roux_checkpoint_free(checkpoint);
  EXPECT_NE(Error(roux_checkpoint_open("/no/such.safetensors", &checkpoint)), nullptr);
  EXPECT_GT(std::string(roux_version()).size(), 3u);
}

}  // namespace
}  // namespace roux::testing
