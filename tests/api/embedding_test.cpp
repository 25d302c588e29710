// What is there for host programs alone: models in memory, scorers that are functions, parameters bound anew, callbacks
// that misbehave, cancelling from other threads, and whatever state the host has left its process in.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <atomic>
#include <cfenv>
#include <clocale>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>
#include <thread>
#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

#include "api/roux.h"
#include "api/session.h"
#include "tests/support/files.h"
#include "tests/support/paths.h"

namespace roux::testing {
namespace {

namespace fs = std::filesystem;

Engine engine_of(const Options& options = {.threads = 2, .sync = false}) { return std::move(*Engine::create(options)); }

// Values that this program owns, as a tensor of a model.
HostTensor tensor_of(std::string name, std::vector<std::int64_t> shape, std::vector<float> values) {
  auto owned = std::make_shared<std::vector<float>>(std::move(values));
  return {.name = std::move(name), .dtype = "f32", .shape = std::move(shape),
          .data = std::shared_ptr<const void>(owned, owned->data())};
}

std::vector<float> ramp(std::size_t count, float first, float step) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = first + step * static_cast<float>(i % 11);
  return values;
}

HostModel model_of(float first) {
  return {.tensors = {tensor_of("b", {32}, ramp(32, first, 0.25f)), tensor_of("a", {8, 16}, ramp(128, -first, 0.5f))}};
}

std::vector<float> values_of(const HostModel& model, const std::string& tensor) {
  const Result<CheckpointReader> reader = CheckpointReader::open("result", model);
  EXPECT_TRUE(reader);
  const Result<std::vector<float>> values = reader->read_f32(tensor);
  EXPECT_TRUE(values);
  return *values;
}

class Embedding : public ::testing::Test {
 protected:
  // The recipe with these arguments; its errors are rendered into `error_`.
  std::optional<Report> run(const std::string& text, const Arguments& arguments, const Events& events = {}) {
    error_.clear();
    kinds_.clear();
    const Result<Recipe> recipe = engine_.compile("test.merge", text);
    const Result<Report> report = recipe ? engine_.run(*recipe, arguments, events) : Result<Report>(recipe.error());
    if (report) return *report;
    error_ = engine_.render(report.error());
    for (const Diagnostic& finding : report.error()) kinds_.push_back(finding.kind);
    return std::nullopt;
  }
  HostModel merged(const std::string& value, const Arguments& arguments) {
    const std::optional<Report> report = run("save(" + value + ", \"memory:merged\")", arguments);
    EXPECT_TRUE(report) << error_;
    if (!report) return {};
    EXPECT_EQ(report->outputs.at(0).path, "memory:merged");
    return report->outputs[0].model.value_or(HostModel{});
  }
  void expect_refused(const HostModel& model, DiagnosticKind kind, const std::string& part_of_message) {
    EXPECT_FALSE(run("save(load(\"memory:bad\"), \"memory:out\")", {.models = {{"bad", model}}}));
    EXPECT_EQ(kinds_, std::vector<DiagnosticKind>{kind});
    EXPECT_NE(error_.find(part_of_message), std::string::npos) << error_;
  }

  Engine engine_ = engine_of();
  std::string error_;
  std::vector<DiagnosticKind> kinds_;
};

// --- models in memory ---------------------------------------------------------------------------------

TEST_F(Embedding, ModelsInMemoryGiveWhatFilesGive) {
  const TemporaryFolder folder;
  const Arguments arguments{.settings = {{"dir", folder.path().string()}},
                            .models = {{"base", model_of(0.5f)}, {"ft-1", model_of(1)}, {"ft-2", model_of(2)},
                                       {"ft-10", model_of(-3)}}};
  ASSERT_TRUE(run("param dir: string\n"
                  "for_each = [save(load(\"memory:\" ++ name), dir ++ \"/\" ++ name ++ \".safetensors\")"
                  " for name in [\"base\", \"ft-1\", \"ft-2\", \"ft-10\"]]",
                  arguments))
      << error_;
  const std::string in_memory =
      "base = load(\"memory:base\")\nmodels = load_all(\"memory:ft-*\", base = base)\n"
      "save(ties(models, k = 0.3), \"memory:merged\")";
  std::string in_files = "param dir: string\n" + in_memory;
  for (const char* path : {"memory:base", "memory:ft-*"}) {
    const std::string name(path + 7);
    in_files.replace(in_files.find(path), std::string(path).size(), "${dir}/" + name + ".safetensors");
  }
  Arguments no_settings = arguments;
  no_settings.settings = {};
  const std::optional<Report> memory = run(in_memory, no_settings);
  ASSERT_TRUE(memory) << error_;
  const std::optional<Report> files = run(in_files, {.settings = arguments.settings});
  ASSERT_TRUE(files) << error_;
  for (const char* tensor : {"a", "b"})
    EXPECT_EQ(values_of(*memory->outputs[0].model, tensor), values_of(*files->outputs[0].model, tensor));
  EXPECT_EQ(memory->bytes_read, files->bytes_read);
}

TEST_F(Embedding, GlobsOverMemoryAreInNaturalOrder) {
  std::vector<std::string> printed;
  ASSERT_TRUE(run("for_each = [print(norm(m[\"b\"], over = model)) for m in load_all(\"memory:m*\")]",
                  {.models = {{"m10", {{tensor_of("b", {1}, {10})}}}, {"m9", {{tensor_of("b", {1}, {9})}}},
                              {"other", {{tensor_of("b", {1}, {1})}}}}},
                  {.on_print = [&](const std::string& line) { printed.push_back(line); }}))
      << error_;
  EXPECT_EQ(printed, (std::vector<std::string>{"9", "10"}));
}

// A value for each index, at whatever place the strides put it.
TEST_F(Embedding, StridesSayWhereElementsAre) {
  std::vector<float> distinct(1000);
  std::iota(distinct.begin(), distinct.end(), 0.0f);
  struct Case {
    const char* what;
    std::vector<std::int64_t> shape, strides;
    std::int64_t first;
  };
  const std::vector<Case> cases = {
      {"contiguous", {5, 4, 3}, {12, 3, 1}, 0},   {"transposed", {4, 5}, {1, 4}, 0},
      {"a slice", {3, 4}, {20, 2}, 7},            {"rows of a slice", {3, 4}, {20, 1}, 7},
      {"broadcast", {6, 4}, {0, 1}, 3},           {"one value", {6, 4}, {0, 0}, 3},
      {"backwards", {10}, {-1}, 9},               {"both backwards", {3, 4}, {-4, -1}, 11},
      {"permuted", {4, 2, 3}, {1, 12, 4}, 0},     {"an axis of one", {3, 1, 4}, {4, 999, 1}, 0},
      {"a scalar", {}, {}, 42},                   {"nothing", {3, 0}, {5, 1}, 0},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(each.what);
    std::vector<float> expected;
    std::vector<std::int64_t> at(each.shape.size(), 0);
    const std::int64_t count =
        std::accumulate(each.shape.begin(), each.shape.end(), std::int64_t{1}, std::multiplies<>());
    for (std::int64_t i = 0; i < count; ++i) {
      std::int64_t place = each.first, rest = i;
      for (std::size_t axis = each.shape.size(); axis-- > 0; rest /= each.shape[axis])
        place += rest % each.shape[axis] * each.strides[axis];
      expected.push_back(distinct[static_cast<std::size_t>(place)]);
    }
    const HostModel model{{{.name = "x", .dtype = "f32", .shape = each.shape, .strides = each.strides,
                            .data = borrowed(distinct.data() + each.first)},
                           tensor_of("y", {1}, {1})}};
    const HostModel result = merged("load(\"memory:m\")", {.models = {{"m", model}}});
    EXPECT_EQ(values_of(result, "x"), expected);
    const std::optional<HostTensor> x = result.tensors.empty() ? std::nullopt : std::optional(result.tensors[0]);
    ASSERT_TRUE(x);
    EXPECT_EQ(x->shape, each.shape);
  }
}

// Larger than a tile and than a block of the digest, so that reads begin inside.
TEST_F(Embedding, LargeStridedTensorsAreReadInParts) {
  constexpr std::int64_t kRows = 700, kColumns = 900;
  std::vector<float> values(kRows * kColumns), expected(kRows * kColumns);
  for (std::int64_t i = 0; i < kRows * kColumns; ++i) values[static_cast<std::size_t>(i)] = static_cast<float>(i % 65521);
  for (std::int64_t c = 0; c < kColumns; ++c)
    for (std::int64_t r = 0; r < kRows; ++r)
      expected[static_cast<std::size_t>(c * kRows + r)] = values[static_cast<std::size_t>(r * kColumns + c)];
  const HostModel turned{{{.name = "x", .dtype = "f32", .shape = {kColumns, kRows}, .strides = {1, kColumns},
                           .data = borrowed(values.data())}}};
  const HostModel straight{{tensor_of("x", {kColumns, kRows}, expected)}};
  EXPECT_EQ(values_of(merged("load(\"memory:m\")", {.models = {{"m", turned}}}), "x"), expected);
  const auto digest_of = [&](const HostModel& model) {
    return nlohmann::json::parse(merged("load(\"memory:m\")", {.models = {{"m", model}}}).metadata.at("roux.inputs"))
        .at(0).at("xxh3-128").get<std::string>();
  };
  EXPECT_EQ(digest_of(turned), digest_of(straight)) << "it is of values, wherever they lie";
  values[123456] += 1;
  EXPECT_NE(digest_of(turned), digest_of(straight)) << "nothing is remembered of values that the host has changed";
}

TEST_F(Embedding, MemoryIsReleasedOnceWhenNothingNeedsIt) {
  std::atomic<int> released{0};
  static const float kValues[4] = {1, 2, 3, 4};
  std::optional<BoundRecipe> bound;
  const Result<Recipe> recipe = engine_.compile("test.merge", "save(load(\"memory:m\"), \"memory:out\")");
  {
    Arguments arguments;
    arguments.models["m"].tensors.push_back(
        {.name = "x", .dtype = "f32", .shape = {4},
         .data = std::shared_ptr<const void>(kValues, [&](const void*) { ++released; })});
    bound = *engine_.bind(*recipe, arguments);
  }
  EXPECT_EQ(released, 0) << "the binding needs it";
  EXPECT_TRUE(engine_.run(*bound, {}));
  EXPECT_TRUE(engine_.run(*bound, {})) << "as often as one likes";
  EXPECT_EQ(released, 0);
  bound.reset();
  EXPECT_EQ(released, 1);
}

TEST_F(Embedding, BindingReadsNoValue) {
  void* const page = mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(page, MAP_FAILED);
  const HostModel model{{{.name = "x", .dtype = "f32", .shape = {16}, .data = borrowed(page)}}};
  const Result<Recipe> recipe =
      engine_.compile("test.merge", "a = load(\"memory:m\")\nprint(norm(a, over = model))\nsave(a * 0.5 + a * 0.5, \"memory:out\")");
  const Result<BoundRecipe> bound = engine_.bind(*recipe, {.models = {{"m", model}}});
  ASSERT_TRUE(bound) << engine_.render(bound.error());
  EXPECT_EQ(bound->plan().saves.at(0).bytes_read, 64u);
  munmap(page, 4096);
}

TEST_F(Embedding, ResultsInMemoryGoIntoTheNextRecipe) {
  Arguments arguments{.models = {{"m", model_of(1)}}};
  arguments.models["m"].config = R"({"architectures": ["X"], "torch_dtype": "float32"})";
  const std::optional<Report> report =
      run("save(load(\"memory:m\"), \"memory:half\", dtype = bf16)\nagain = load(\"memory:half\")\n"
          "save(again * 0.5 + again * 0.5, \"memory:out\")",
          arguments);
  ASSERT_TRUE(report) << error_;
  ASSERT_EQ(report->outputs.size(), 2u);
  const HostModel& half = *report->outputs[0].model;
  EXPECT_EQ(half.tensors[0].dtype, "bf16");
  EXPECT_EQ(half.config, R"({"architectures": ["X"], "torch_dtype": "bfloat16"})");
  EXPECT_EQ(half.metadata.at("roux.space"), "model");
  EXPECT_EQ(report->outputs[0].bytes, 2 * (32 + 128)) << "of its tensors alone";
  EXPECT_EQ(values_of(*report->outputs[1].model, "a"), values_of(half, "a"));
  EXPECT_EQ(values_of(merged("load(\"memory:m\")", {.models = {{"m", half}}}), "b"), values_of(half, "b"));

  // To a folder, with its config.
  const TemporaryFolder folder;
  ASSERT_TRUE(run("param out: string\nsave(load(\"memory:m\"), out)",
                  {.settings = {{"out", folder / "saved"}}, .models = {{"m", half}}}))
      << error_;
  EXPECT_EQ(read_file(folder / "saved" / "config.json"), *half.config);
  EXPECT_TRUE(fs::exists(folder / "saved" / "model.safetensors"));
}

TEST_F(Embedding, NamesInMemoryAreCheckedLikePaths) {
  const Arguments arguments{.models = {{"base", model_of(1)}}};
  EXPECT_FALSE(run("save(load(\"memory:bse\"), \"memory:out\")", arguments));
  EXPECT_NE(error_.find("nearest is `base`"), std::string::npos) << error_;
  EXPECT_FALSE(run("save(load(\"memory:base\"), \"memory:base\")", arguments));
  EXPECT_EQ(kinds_, std::vector<DiagnosticKind>{DiagnosticKind::output_is_input});
  EXPECT_TRUE(run("save(load(\"memory:base\"), \"memory:base\", overwrite = true)", arguments)) << error_;
  EXPECT_FALSE(run("save(load(\"memory:base\"), \"memory:\")", arguments));
  EXPECT_FALSE(run("save(load(\"memory:base\"), \"memory:x\")\nsave(load(\"memory:base\"), \"memory:x\")", arguments));
  EXPECT_FALSE(run("print(load_all(\"memory:x*\"))", arguments));
  EXPECT_EQ(kinds_, std::vector<DiagnosticKind>{DiagnosticKind::no_match});
  engine_ = engine_of({.save_to_memory = false});
  EXPECT_FALSE(run("save(load(\"memory:base\"), \"memory:x\")", arguments));
  EXPECT_NE(error_.find("nothing here takes models in memory"), std::string::npos) << error_;
}

TEST_F(Embedding, WrongTensorsAreRefused) {
  const float one[1] = {1};
  const auto with = [&](HostTensor tensor) {
    if (!tensor.data) tensor.data = borrowed(one);
    return HostModel{{tensor}};
  };
  using Kind = DiagnosticKind;
  expect_refused(with({.name = "x", .dtype = "f31", .shape = {1}}), Kind::unsupported_dtype, "has dtype `f31`");
  expect_refused(with({.name = "", .dtype = "f32", .shape = {1}}), Kind::bad_checkpoint, "needs a name");
  expect_refused(with({.name = "\xff", .dtype = "f32", .shape = {1}}), Kind::bad_checkpoint, "needs a name");
  expect_refused(with({.name = "__metadata__", .dtype = "f32", .shape = {1}}), Kind::bad_checkpoint, "and not `__metadata__`");
  for (const std::int64_t stride : {INT64_MAX, INT64_MIN, INT64_MAX / 4})
    expect_refused(with({.name = "x", .dtype = "f32", .shape = {3, 1}, .strides = {stride, 1}}), Kind::bad_checkpoint,
                   "lead out of the address space");
  expect_refused(with({.name = "x", .dtype = "f32", .shape = {-1}}), Kind::bad_checkpoint, "negative");
  expect_refused(with({.name = "x", .dtype = "f32", .shape = {1ll << 40, 1ll << 40}}), Kind::bad_checkpoint, "too large");
  expect_refused(with({.name = "x", .dtype = "f32", .shape = {1}, .strides = {1, 1}}), Kind::bad_checkpoint, "strides [1, 1]");
  expect_refused({{{.name = "x", .dtype = "f32", .shape = {1}}}}, Kind::bad_checkpoint, "has no data");
  expect_refused({{tensor_of("x", {1}, {1}), tensor_of("x", {1}, {1})}}, Kind::bad_checkpoint, "given twice");
  expect_refused({.tensors = {tensor_of("x", {1}, {1})}, .config = "no JSON"}, Kind::bad_config, "memory:bad");
  for (const char* dtype : {"f32", "F32", "float32", "torch.float32"})
    EXPECT_TRUE(run("save(load(\"memory:m\"), \"memory:out\")",
                    {.models = {{"m", with({.name = "x", .dtype = dtype, .shape = {1}})}}}))
        << error_;
}

// --- parameters ---------------------------------------------------------------------------------------

TEST_F(Embedding, OtherParametersNeedNoCompiling) {
  const Result<Recipe> recipe = engine_.compile(
      "test.merge",
      "param k: number\nparam models: list[model]\nsave(ties(models, base = load(\"memory:base\"), k = k), \"memory:out\")");
  ASSERT_TRUE(recipe);
  Arguments arguments{.settings = {{"k", "0.25"}, {"models", "memory:ft-*"}},
                      .models = {{"base", model_of(0)}, {"ft-1", model_of(1)}, {"ft-2", model_of(2)}}};
  const Result<Report> first = engine_.run(*engine_.bind(*recipe, arguments), {});
  ASSERT_TRUE(first) << engine_.render(first.error());
  EXPECT_GT(first->kernels_compiled, 0u);
  arguments.settings["k"] = "0.5";
  arguments.models["ft-2"] = model_of(7);
  const Result<Report> second = engine_.run(*engine_.bind(*recipe, arguments), {});
  ASSERT_TRUE(second) << engine_.render(second.error());
  EXPECT_EQ(second->kernels_compiled, 0u);
  EXPECT_NE(values_of(*first->outputs[0].model, "a"), values_of(*second->outputs[0].model, "a"));
}

TEST_F(Embedding, CompilingTouchesNoFileButImports) {
  std::vector<std::string> read;
  Engine engine = engine_of({.read_import = [&](const std::string& path, const std::string&) -> Result<ImportedText> {
    read.push_back(path);
    return ImportedText{path, "method twice(x) = 2 * x\n", ""};
  }});
  EXPECT_TRUE(engine.compile("a.merge", "save(load(\"/no/such/file.safetensors\"), \"/no/such/folder/x\")"));
  EXPECT_EQ(engine.paths_seen(), std::vector<std::string>{"a.merge"});
  EXPECT_TRUE(engine.compile("b.merge", "import \"lib.merge\"\nprint(twice(2))"));
  EXPECT_EQ(read, std::vector<std::string>{"lib.merge"});
}

TEST_F(Embedding, ArgumentsBelongToParameters) {
  const HostScorer scorer{[](const CheckpointReader&) -> Result<double> { return 1; }};
  EXPECT_FALSE(run("print(1)", {.scorers = {{"val", scorer}}}));
  EXPECT_EQ(kinds_, std::vector<DiagnosticKind>{DiagnosticKind::unknown_parameter});
  EXPECT_FALSE(run("param val: scorer\nprint(val.goal)",
                   {.settings = {{"val", "command(\"echo 1 {model}\")"}}, .scorers = {{"val", scorer}}}));
  EXPECT_EQ(kinds_, std::vector<DiagnosticKind>{DiagnosticKind::doubled_argument});
  EXPECT_FALSE(run("param val: number\nprint(val)", {.scorers = {{"val", scorer}}}));
  EXPECT_EQ(kinds_, std::vector<DiagnosticKind>{DiagnosticKind::wrong_type});
  EXPECT_FALSE(run("param val: scorer\nprint(val)", {}));
  EXPECT_EQ(kinds_, std::vector<DiagnosticKind>{DiagnosticKind::missing_parameter});
}

TEST_F(Embedding, RecipesStayWithTheirEngine) {
  Engine other = engine_of();
  const Result<Recipe> recipe = engine_.compile("test.merge", "print(1)");
  EXPECT_FALSE(other.bind(*recipe, {}));
  const Result<BoundRecipe> bound = engine_.bind(*recipe, {});
  ASSERT_TRUE(bound);
  EXPECT_FALSE(other.run(*bound, {}));
  EXPECT_TRUE(engine_.run(*bound, {}));
}

TEST_F(Embedding, FindingsOfAnotherEngineHaveNoPlace) {
  const Result<Recipe> wrong = engine_.compile("test.merge", std::string(100000, ' ') + "x = = 1");
  ASSERT_FALSE(wrong);
  const Engine other = engine_of();
  EXPECT_EQ(other.place_of(wrong.error()[0].span), std::nullopt);
  EXPECT_TRUE(other.render(wrong.error()).starts_with("error[E0101]: ")) << other.render(wrong.error());
  EXPECT_EQ(nlohmann::json::parse(other.to_json(wrong.error())).size(), 1u);
}

// --- scorers ------------------------------------------------------------------------------------------

constexpr char kSearch[] =
    "param val: scorer\nmodels = load_all(\"memory:ft-*\")\nsave(greedy(models, val), \"memory:out\")";

Arguments searched(HostScorer scorer) {
  return {.models = {{"ft-1", model_of(1)}, {"ft-2", model_of(2)}, {"ft-3", model_of(-3)}},
          .scorers = {{"val", std::move(scorer)}}};
}

double first_of_b(const CheckpointReader& model) { return (*model.read_f32("b"))[0]; }

TEST_F(Embedding, AFunctionScoresModels) {
  std::vector<std::string> paths;
  const auto score = [&](const CheckpointReader& model) -> Result<double> {
    paths.push_back(model.path());
    return first_of_b(model);
  };
  const std::optional<Report> highest = run(kSearch, searched({score}));
  ASSERT_TRUE(highest) << error_;
  EXPECT_EQ(highest->outputs[0].score, 2.0);
  EXPECT_EQ(values_of(*highest->outputs[0].model, "b"), ramp(32, 2, 0.25f));
  EXPECT_EQ(std::vector<std::string>(paths.begin(), paths.begin() + 3),
            (std::vector<std::string>{"memory:ft-1", "memory:ft-2", "memory:ft-3"})) << "as they are, without a copy";
  EXPECT_EQ(highest->models_scored, paths.size());
  ASSERT_GT(paths.size(), 3u);
  EXPECT_FALSE(fs::exists(paths[3])) << "a candidate is gone after its score";

  const std::optional<Report> lowest = run(kSearch, searched({score, Goal::min}));
  ASSERT_TRUE(lowest) << error_;
  EXPECT_EQ(lowest->outputs[0].score, -3.0);
}

TEST_F(Embedding, ACommandScoresModelsInMemory) {
  std::vector<std::string> printed;
  Arguments arguments = searched({});
  arguments.scorers.clear();
  ASSERT_TRUE(run("val = command(\"stat -c %s {model}\")\nprint(val(load(\"memory:ft-1\")) > 640)", arguments,
                  {.on_print = [&](const std::string& line) { printed.push_back(line); }}))
      << error_;
  EXPECT_EQ(printed, std::vector<std::string>{"true"}) << "it was written to a file for it";
}

TEST_F(Embedding, AScorerThatFailsIsAnErrorOfItsPlace) {
  const auto fails_with = [&](ScoreFunction score, const std::string& text) {
    EXPECT_FALSE(run(kSearch, searched({std::move(score)})));
    EXPECT_EQ(kinds_, std::vector<DiagnosticKind>{DiagnosticKind::scorer_failed});
    EXPECT_NE(error_.find(text), std::string::npos) << error_;
    EXPECT_NE(error_.find("test.merge:3:"), std::string::npos) << error_;
  };
  fails_with([](const CheckpointReader&) -> Result<double> { return score_error("no data set"); },
             "the host's scorer `val` failed: no data set");
  fails_with([](const CheckpointReader&) -> Result<double> { return std::nan(""); }, "gave NaN");
  fails_with([](const CheckpointReader&) -> Result<double> { throw std::runtime_error("boom"); }, "threw: boom");
  fails_with([](const CheckpointReader&) -> Result<double> { throw 7; }, "threw something that is no exception");
  fails_with([](const CheckpointReader&) -> Result<double> { return Diagnostics{}; }, "failed and does not say why");
  EXPECT_FALSE(run(kSearch, searched({[](const CheckpointReader&) -> Result<double> {
    return warning(DiagnosticKind::io, {}, "odd");
  }})));
  EXPECT_NE(error_.find("error[E0505]: the host's scorer `val` failed: odd"), std::string::npos) << error_;
  EXPECT_FALSE(run(kSearch, searched(HostScorer{})));
  EXPECT_NE(error_.find("the scorer `val` has no function"), std::string::npos) << error_;
}

TEST_F(Embedding, SessionsKnowModelsAndScorers) {
  Session session = engine_.interact(searched({[](const CheckpointReader& model) -> Result<double> { return first_of_b(model); }}));
  ASSERT_TRUE(session.enter("param val: scorer", {}));
  const Result<Outcome> outcome = session.enter("val(load(\"memory:ft-2\"))", {});
  ASSERT_TRUE(outcome) << engine_.render(outcome.error());
  EXPECT_EQ(outcome->shown, std::vector<std::string>{"2"});
}

// --- events -------------------------------------------------------------------------------------------

TEST_F(Embedding, WhatACallbackThrowsEndsTheCall) {
  const TemporaryFolder folder;
  const std::string recipe = "param out: string\nlen = 1\nprint(\"hello\")\nsave(load(\"memory:m\"), out)";
  const Arguments arguments{.settings = {{"out", folder / "out.safetensors"}}, .models = {{"m", model_of(1)}}};
  const auto boom = [](const auto&) { throw std::runtime_error("boom"); };
  const std::vector<std::pair<const char*, Events>> cases = {
      {"on_print", {.on_print = boom}},
      {"on_note", {.on_note = boom}},
      {"on_progress", {.on_progress = boom}},
      {"on_log", {.on_log = boom}},
  };
  for (const auto& [name, events] : cases) {
    SCOPED_TRACE(name);
    EXPECT_FALSE(run(recipe, arguments, events));
    EXPECT_EQ(kinds_, std::vector<DiagnosticKind>{DiagnosticKind::host_failed});
    EXPECT_NE(error_.find("`" + std::string(name) + "` threw: boom"), std::string::npos) << error_;
    EXPECT_TRUE(fs::is_empty(folder.path()));
  }
  EXPECT_TRUE(run(recipe, arguments)) << "the engine still works: " << error_;
  Engine engine = engine_of({.read_import = [](const std::string&, const std::string&) -> Result<ImportedText> { throw 1; }});
  const Result<Recipe> imported = engine.compile("a.merge", "import \"b.merge\"\n");
  ASSERT_FALSE(imported);
  EXPECT_EQ(imported.error()[0].kind, DiagnosticKind::host_failed);
}

TEST_F(Embedding, TheLogSaysWhatIsDone) {
  std::vector<std::string> log;
  ASSERT_TRUE(run(kSearch, searched({[](const CheckpointReader& model) -> Result<double> { return first_of_b(model); }}),
                  {.on_log = [&](const std::string& line) { log.push_back(line); }}))
      << error_;
  const auto count = [&](const std::string& text) {
    return std::count_if(log.begin(), log.end(), [&](const std::string& line) { return line.find(text) != line.npos; });
  };
  EXPECT_EQ(count("opened `memory:ft-2`: 2 tensors, 640 B"), 2) << "when it is bound, and when it is run";
  EXPECT_EQ(count("scored `memory:ft-1`: 1 in "), 1);
  EXPECT_EQ(count("scored a candidate: "), 2);
  EXPECT_EQ(count("memory:out: 640 B read, 640 B written in "), 1);
  EXPECT_EQ(count("putting `memory:out` in place"), 1);
}

// Of several outputs each goes on with its own; one in memory is made again.
TEST_F(Embedding, SeveralOutputsGoOnWithWhatACancelledRunLeft) {
  const TemporaryFolder folder;
  const std::string recipe = "a = load(\"memory:a\")\nb = load(\"memory:b\")\n"
                             "save(mean([a, b]), \"" + (folder / "one.safetensors").string() + "\")\n"
                             "save(a + (b - a), \"memory:two\")\n"
                             "save(a + 0.5 * (b - a), \"" + (folder / "three").string() + "\", shard = 1KB)\n";
  Arguments arguments{.models = {{"a", model_of(1)}, {"b", model_of(2)}}};
  const auto files = [&] {
    std::map<std::string, std::string> bytes;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder.path()))
      if (entry.is_regular_file()) bytes[fs::relative(entry.path(), folder.path())] = read_file(entry.path());
    return bytes;
  };
  ASSERT_TRUE(run(recipe, arguments)) << error_;
  const auto expected = files();
  const auto clear = [&] {
    fs::remove(folder / "one.safetensors");
    fs::remove_all(folder / "three");
  };
  clear();

  engine_ = engine_of({.threads = 2, .sync = false, .resume = true});
  std::vector<std::string> told;
  std::atomic<bool> cancel{false};
  Events events{.on_log = [&](const std::string& line) { cancel = cancel || line.find("memory:two: ") == 0; },
                .on_resume = [&](const std::string& line) { told.push_back(line); }, .cancel = &cancel};
  const std::string one = "`" + (folder / "one.safetensors").string() + "`: ", three = "`" + (folder / "three").string() + "`: ";
  EXPECT_FALSE(run(recipe, arguments, events));
  EXPECT_EQ(told, (std::vector<std::string>{one + "no interrupted run left anything",
                                            three + "no interrupted run left anything",
                                            one + "2 of 2 tensors, 640 B, stay for the next run with `--resume`"}));
  EXPECT_FALSE(fs::exists(folder / "one.safetensors"));

  told.clear();
  EXPECT_TRUE(run(recipe, arguments, {.on_resume = events.on_resume})) << error_;
  EXPECT_EQ(told, (std::vector<std::string>{one + "kept 2 of 2 tensors, 640 B, of an interrupted run",
                                            three + "no interrupted run left anything"}));
  EXPECT_TRUE(files() == expected);
  clear();

  // Of models in memory the contents count.
  cancel = false;
  EXPECT_FALSE(run(recipe, arguments, events));
  told.clear();
  arguments.models["b"] = model_of(3);
  EXPECT_TRUE(run(recipe, arguments, {.on_resume = events.on_resume})) << error_;
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[0], one + "starts afresh: inputs have been changed or replaced since the interrupted run");
  EXPECT_FALSE(files() == expected);
}

TEST_F(Embedding, AnyThreadCancels) {
  std::atomic<bool> cancel{false};
  std::thread other;
  const auto slow = [&](const CheckpointReader&) -> Result<double> {
    if (!other.joinable()) other = std::thread([&] { cancel = true; });
    while (!cancel) std::this_thread::yield();
    return 1;
  };
  EXPECT_FALSE(run(kSearch, searched({slow}), {.cancel = &cancel}));
  EXPECT_EQ(kinds_, std::vector<DiagnosticKind>{DiagnosticKind::cancelled});
  other.join();
  // Also while it is bound: this recipe never ends by itself.
  const Result<Recipe> recipe = engine_.compile("endless.merge", "x = [i + j for i in range(3000) for j in range(3000)]\nprint(len(x))");
  ASSERT_TRUE(recipe);
  const Result<BoundRecipe> bound = engine_.bind(*recipe, {}, {.cancel = &cancel});
  ASSERT_FALSE(bound);
  EXPECT_EQ(bound.error()[0].kind, DiagnosticKind::cancelled);
  const Result<BoundRecipe> never = engine_.bind(*engine_.compile("a.merge", "a = 1\nb = 2\nprint(a + b)"), {}, {.cancel = &cancel});
  ASSERT_FALSE(never);
  EXPECT_EQ(never.error().size(), 1u);
}

// --- the host's process -------------------------------------------------------------------------------

TEST_F(Embedding, EnginesOfTwoThreadsDoNotMeet) {
  const std::string recipe =
      "models = load_all(\"memory:ft-*\", base = load(\"memory:base\"))\nsave(ties(models, k = 0.4), \"memory:out\")";
  const Arguments arguments{.models = {{"base", model_of(0)}, {"ft-1", model_of(1)}, {"ft-2", model_of(2)}}};
  std::vector<float> results[2];
  const auto work = [&](int which, const Options& options) {
    for (int i = 0; i < 10; ++i) {
      Engine engine = engine_of(options);
      const Result<Recipe> compiled = engine.compile("test.merge", recipe);
      const Result<Report> report = engine.run(*compiled, arguments, {});
      if (report) results[which] = values_of(*report->outputs[0].model, "a");
    }
  };
  std::thread first(work, 0, Options{.threads = 2}), second(work, 1, Options{.threads = 1, .backend = "reference"});
  first.join();
  second.join();
  EXPECT_EQ(results[0].size(), 128u);
  EXPECT_EQ(results[0], results[1]);
}

// Programs that were built with -ffast-math flush denormals; some round otherwise.
TEST_F(Embedding, ResultsDoNotDependOnTheHostsFloatingPointState) {
  const Arguments arguments{.models = {{"a", {{tensor_of("x", {2}, {1e-40f, 1.0f})}}}}};
  const std::string value = "load(\"memory:a\") * (1 / 3) + load(\"memory:a\") * (2 / 3)";
  const std::vector<float> expected = values_of(merged(value, arguments), "x");
  std::fesetround(FE_UPWARD);
#if defined(__SSE2__)
  _MM_SET_FLUSH_ZERO_MODE(_MM_FLUSH_ZERO_ON);
#endif
  const HostModel result = merged(value, arguments);
  EXPECT_EQ(std::fegetround(), FE_UPWARD) << "it is left as it was";
#if defined(__SSE2__)
  _MM_SET_FLUSH_ZERO_MODE(_MM_FLUSH_ZERO_OFF);
#endif
  std::fesetround(FE_TONEAREST);
  EXPECT_EQ(values_of(result, "x"), expected);
}

TEST_F(Embedding, NumbersDoNotDependOnTheHostsLocale) {
  const char* set = nullptr;
  for (const char* name : {"de_DE.UTF-8", "de_DE", "fr_FR.UTF-8", "fr_FR"})
    if ((set = std::setlocale(LC_ALL, name))) break;
  if (!set) GTEST_SKIP() << "this machine has no locale with a decimal comma";
  const Result<std::string> shown = engine_.evaluate("[0.5 * 3, 1e-3]", {});
  std::setlocale(LC_ALL, "C");
  ASSERT_TRUE(shown);
  EXPECT_EQ(shown->find(','), shown->rfind(',')) << *shown;
  EXPECT_NE(shown->find("1.5"), std::string::npos) << *shown;
}

}  // namespace
}  // namespace roux::testing
