// What a program that embeds Roux may count on: engines that do not know of each other, silence,
// kernels compiled once, outputs that appear together or not at all, and what the outputs say of
// their making.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "api/roux.h"
#include "runtime/checkpoint/checkpoint.h"
#include "tests/support/files.h"
#include "tests/support/paths.h"

namespace roux::testing {
namespace {

namespace fs = std::filesystem;

const Options kOptions{.threads = 2, .sync = false};

// Ten fine-tunes of a base, with a matrix and a vector each.
class Shelf {
 public:
  Shelf() {
    for (int i = 0; i < 10; ++i) put("ft-" + std::to_string(i), 64, static_cast<float>(i));
    put("base", 64, 0.5f);
  }

  void put(const std::string& name, int rows, float value) const {
    const auto count = static_cast<std::size_t>(rows) * 32;
    std::vector<float> matrix(count), vector(32, value);
    for (std::size_t i = 0; i < count; ++i) matrix[i] = value + static_cast<float>(i % 7) * value;
    write_file(folder_ / (name + ".safetensors"),
               f32_safetensors({{"model.layers.0.weight", {rows, 32}, matrix},
                                {"model.norm.weight", {32}, vector}}));
  }

  std::string in(const std::string& name) const { return (folder_ / name).string(); }
  // The paths of a recipe are told as parameters, so that its text is the same everywhere.
  Settings settings() const { return {{"dir", folder_.path().string()}}; }

  std::vector<std::string> unexpected_names() const {
    std::vector<std::string> names;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder_.path())) {
      const std::string name = entry.path().filename().string();
      if (!name.starts_with("ft-") && name != "base.safetensors") names.push_back(name);
    }
    return names;
  }

 private:
  TemporaryFolder folder_;
};

constexpr std::string_view kInputs = R"(param dir: string
base   = load("${dir}/base.safetensors")
models = load_all("${dir}/ft-*.safetensors", base = base)
)";

std::string with_inputs(const std::string& lines) { return std::string(kInputs) + lines + '\n'; }

Engine engine_of(const Options& options = kOptions) {
  Result<Engine> engine = Engine::create(options);
  if (!engine) throw std::runtime_error(render(engine.error()));
  return *std::move(engine);
}

Recipe compiled(Engine& engine, const std::string& text) {
  Result<Recipe> recipe = engine.compile("test.merge", text);
  if (!recipe) throw std::runtime_error(engine.render(recipe.error()));
  return *recipe;
}

Report ran(Engine& engine, const Recipe& recipe, const Settings& settings,
           const Events& events = {}) {
  Result<Report> report = engine.run(recipe, {.settings = settings}, events);
  if (!report) throw std::runtime_error(engine.render(report.error()));
  return *report;
}

std::vector<float> values(const std::string& path, const std::string& tensor) {
  const Result<CheckpointReader> reader = CheckpointReader::open(path);
  if (!reader) throw std::runtime_error(render(reader.error()));
  return *reader->read_f32(tensor);
}

// What reaches the standard descriptors while this lives.
class DescriptorCapture {
 public:
  explicit DescriptorCapture(const fs::path& file) : file_(file) {
    std::fflush(nullptr);
    const int sink = open(file.c_str(), O_CREAT | O_TRUNC | O_RDWR, 0600);
    for (int i = 0; i < 2; ++i) {
      saved_[i] = dup(i + 1);
      dup2(sink, i + 1);
    }
    close(sink);
  }
  std::string stop() {
    std::fflush(nullptr);
    for (int i = 0; i < 2; ++i) {
      dup2(saved_[i], i + 1);
      close(saved_[i]);
    }
    return read_file(file_);
  }

 private:
  fs::path file_;
  int saved_[2];
};

TEST(Engines, OfOneProcessAreIndependent) {
  const Shelf shelf;
  Engine first = engine_of(),
         second = engine_of({.threads = 1, .backend = "reference", .sync = false});
  const Recipe one = compiled(first, with_inputs("save(ties(models), \"${dir}/one.safetensors\")"));
  const Recipe two =
      compiled(second, with_inputs("save(ties(models), \"${dir}/two.safetensors\")"));
  EXPECT_GT(ran(first, one, shelf.settings()).kernels_compiled, 0u);
  EXPECT_GT(ran(second, two, shelf.settings()).kernels_compiled, 0u) << "kernels are not shared";
  EXPECT_EQ(values(shelf.in("one.safetensors"), "model.layers.0.weight"),
            values(shelf.in("two.safetensors"), "model.layers.0.weight"));
}

TEST(Engines, KeepTheirRecipesAfterAMove) {
  const Shelf shelf;
  Engine engine = engine_of();
  const Recipe recipe = compiled(engine, with_inputs("print(len(models))\nbad = models[99]"));
  Engine moved = std::move(engine);
  const Result<BoundRecipe> checked = moved.bind(recipe, {.settings = shelf.settings()});
  ASSERT_FALSE(checked);
  EXPECT_EQ(moved.render(checked.error()).substr(0, 16), "test.merge:5:14:");
}

TEST(Kernels, OtherSettingsNeedNoNewOnes) {
  const Shelf shelf;
  Engine engine = engine_of();
  const Recipe recipe = compiled(
      engine,
      with_inputs("param t: number\n"
                  "save(lerp(base, models[3], t), \"${dir}/out.safetensors\", overwrite = true)"));
  Settings settings = shelf.settings();
  settings["t"] = "0.25";
  EXPECT_GT(ran(engine, recipe, settings).kernels_compiled, 0u);
  const std::vector<float> quarter = values(shelf.in("out.safetensors"), "model.norm.weight");
  settings["t"] = "0.75";
  EXPECT_EQ(ran(engine, recipe, settings).kernels_compiled, 0u);
  EXPECT_NE(values(shelf.in("out.safetensors"), "model.norm.weight"), quarter);
}

TEST(Kernels, AGreedySearchCompilesOneForItsDtype) {
  const Shelf shelf;
  Engine engine = engine_of();
  const Recipe recipe = compiled(engine, with_inputs(R"(
val = command("wc -c < {model}")
save(greedy(models, val), "${dir}/soup.safetensors"))"));
  const Report report = ran(engine, recipe, shelf.settings());
  EXPECT_EQ(report.kernels_compiled, 1u);
  EXPECT_EQ(report.models_scored, 10u + 9u) << "each model, and each prefix of two and more";
}

TEST(Garbage, IsAnErrorAndNothingElse) {
  const Shelf shelf;
  Engine engine = engine_of();
  std::mt19937 random(7);
  const std::string good = with_inputs("save(ties(models, k = 20%), \"${dir}/out.safetensors\")");
  int failed = 0;
  for (int round = 0; round < 300; ++round) {
    std::string text = good;
    if (round % 3 == 0) {
      text.assign(random() % 200, ' ');
      for (char& c : text) c = static_cast<char>(random());
    } else {
      for (int i = 0; i < 3; ++i)
        text[random() % text.size()] = static_cast<char>(32 + random() % 95);
    }
    const Result<Recipe> recipe = engine.compile("garbage", text);
    const Result<BoundRecipe> checked =
        recipe ? engine.bind(*recipe, {.settings = shelf.settings()}) : Result<BoundRecipe>(recipe.error());
    if (checked) continue;
    ++failed;
    EXPECT_FALSE(engine.render(checked.error()).empty());
    for (const Diagnostic& finding : checked.error())
      EXPECT_NE(finding.kind, DiagnosticKind::internal) << finding.message << "\n" << text;
  }
  EXPECT_GT(failed, 200);
  EXPECT_FALSE(engine.evaluate("1 +", {}));
  EXPECT_FALSE(engine.evaluate(std::string("\0\xFF", 2), {}));
  EXPECT_FALSE(CheckpointReader::open(std::string("a\0b", 3)));
  EXPECT_FALSE(Engine::create({.threads = 100000}));
  EXPECT_FALSE(Engine::create({.backend = ""}));
}

TEST(Cancelling, LeavesNothing) {
  const Shelf shelf;
  Engine engine = engine_of();
  const Recipe recipe = compiled(engine, with_inputs(R"(
save(ties(models), "${dir}/one.safetensors")
save(dare(models), "${dir}/two"))"));
  std::atomic<bool> cancel = false;
  Events events;
  events.cancel = &cancel;
  events.on_progress = [&](const RunProgress& progress) {
    if (progress.activity.ends_with("two")) cancel = true;
  };
  const Result<Report> report = engine.run(recipe, {.settings = shelf.settings()}, events);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().at(0).kind, DiagnosticKind::cancelled);
  EXPECT_EQ(shelf.unexpected_names(), std::vector<std::string>());
  EXPECT_TRUE(engine.run(recipe, {.settings = shelf.settings()}, {})) << "the engine still works";
}

TEST(Cancelling, BeforeTheFirstTensor) {
  const Shelf shelf;
  Engine engine = engine_of();
  const Recipe recipe =
      compiled(engine, with_inputs("save(mean(models), \"${dir}/one.safetensors\")"));
  const std::atomic<bool> cancel = true;
  const Result<Report> report = engine.run(recipe, {.settings = shelf.settings()}, {.cancel = &cancel});
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().at(0).kind, DiagnosticKind::cancelled);
  EXPECT_EQ(shelf.unexpected_names(), std::vector<std::string>());
}

TEST(Silence, NothingIsPrintedByTheLibrary) {
  const Shelf shelf;
  std::vector<std::string> printed;
  DescriptorCapture capture(shelf.in("ft-log"));
  {
    Engine engine = engine_of();
    const Recipe recipe = compiled(engine, with_inputs(R"(
val = command("echo 0.5; echo loud >&2 # {model}")
print("score ${val(models[0])}")
save(ties(models), "${dir}/out.safetensors"))"));
    Events events;
    events.on_print = [&](const std::string& line) { printed.push_back(line); };
    (void)engine.run(recipe, {.settings = shelf.settings()}, events);
    (void)engine.compile("bad.merge", "def f(x):\n  return (((");
    (void)engine.bind(recipe, {});
    (void)engine.bind(recipe, {.settings = shelf.settings()});
    (void)CheckpointReader::open("/no/such/file");
  }
  EXPECT_EQ(capture.stop(), "");
  EXPECT_EQ(printed, std::vector<std::string>{"score 0.5"});
}

TEST(Outputs, AppearTogetherOrNotAtAll) {
  const Shelf shelf;
  Engine engine = engine_of();
  bool early = false;
  Events events;
  events.on_print = [&](const std::string&) { early = fs::exists(shelf.in("one.safetensors")); };
  const Recipe both = compiled(engine, with_inputs(R"(
save(mean(models), "${dir}/one.safetensors")
print("between")
save(ties(models), "${dir}/two.safetensors"))"));
  ran(engine, both, shelf.settings(), events);
  EXPECT_FALSE(early) << "the first output was there before the second";
  EXPECT_TRUE(fs::exists(shelf.in("one.safetensors")));
  EXPECT_TRUE(fs::exists(shelf.in("two.safetensors")));

  // Only the run can tell that this fails: the score comes after the first save.
  const Recipe failing = compiled(engine, with_inputs(R"(
val = command("exit 1 # {model}")
save(mean(models), "${dir}/three.safetensors")
save(if val(base) > 0 then models[0] else models[1], "${dir}/four.safetensors"))"));
  const Result<Report> report = engine.run(failing, {.settings = shelf.settings()}, {});
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().at(0).kind, DiagnosticKind::scorer_failed);
  EXPECT_EQ(shelf.unexpected_names().size(), 2u) << "only those of the first recipe";
}

// The folder of the second output is gone by the time that both are to be renamed.
TEST(Outputs, AreTakenBackWhereALaterOneCannotAppear) {
  const Shelf shelf;
  Engine engine = engine_of();
  shelf.put("old", 8, 7.0f);
  const std::string before = read_file(shelf.in("old.safetensors"));
  for (const char* last : {"\"${dir}/gone/last.safetensors\"", "\"${dir}/gone/last\""}) {
    const Recipe recipe = compiled(engine, with_inputs(R"(
val = command("rm -rf ${dir}/gone; echo 1 # {model}")
save(models[1], "${dir}/old.safetensors", overwrite = true)
save(models[2], "${dir}/new.safetensors")
save(models[3], "${dir}/made/new")
save(models[4], )" + std::string(last) + R"()
print(val(base)))"));
    const Result<Report> report = engine.run(recipe, {.settings = shelf.settings()}, {});
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().at(0).kind, DiagnosticKind::io) << engine.render(report.error());
    EXPECT_EQ(report.error().size(), 1u);
    EXPECT_TRUE(read_file(shelf.in("old.safetensors")) == before) << "the old output is lost";
    EXPECT_EQ(shelf.unexpected_names(), std::vector<std::string>{"old.safetensors"});
  }
}

// Something else has taken the name meanwhile: it stays, and nothing appears.
TEST(Outputs, NeverReplaceWhatAppearsDuringTheRun) {
  const Shelf shelf;
  Engine engine = engine_of();
  const Recipe recipe = compiled(engine, with_inputs(R"(
val = command("echo mine > ${dir}/two.safetensors; echo 1 # {model}")
save(models[1], "${dir}/one.safetensors")
print(val(base))
save(models[2], "${dir}/two.safetensors"))"));
  const Result<Report> report = engine.run(recipe, {.settings = shelf.settings()}, {});
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().at(0).kind, DiagnosticKind::output_exists);
  EXPECT_EQ(read_file(shelf.in("two.safetensors")), "mine\n");
  EXPECT_EQ(shelf.unexpected_names(), std::vector<std::string>{"two.safetensors"});
}

TEST(Outputs, AreThereForALaterLoad) {
  const Shelf shelf;
  Engine engine = engine_of();
  const Recipe recipe = compiled(engine, with_inputs(R"(
save(models[1] - base, "${dir}/change.safetensors")
change = load("${dir}/change.safetensors")
save(base + 2 * change, "${dir}/far.safetensors"))"));
  ran(engine, recipe, shelf.settings());
  EXPECT_EQ(values(shelf.in("change.safetensors"), "model.norm.weight"),
            std::vector<float>(32, 0.5f));
  EXPECT_EQ(values(shelf.in("far.safetensors"), "model.norm.weight"), std::vector<float>(32, 1.5f));
}

TEST(Outputs, AreReplacedOnlyWhenTold) {
  const Shelf shelf;
  Engine engine = engine_of();
  const auto save = [&](const std::string& model, const std::string& how) {
    return engine.run(
        compiled(engine, with_inputs("save(" + model + ", \"${dir}/out.safetensors\"" + how + ")")),
        {.settings = shelf.settings()}, {});
  };
  ASSERT_TRUE(save("models[1]", ""));
  const Result<Report> refused = save("models[2]", "");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().at(0).kind, DiagnosticKind::output_exists);
  EXPECT_EQ(values(shelf.in("out.safetensors"), "model.norm.weight")[0], 1.0f);
  ASSERT_TRUE(save("models[2]", ", overwrite = true"));
  EXPECT_EQ(values(shelf.in("out.safetensors"), "model.norm.weight")[0], 2.0f);
  EXPECT_EQ(shelf.unexpected_names(), std::vector<std::string>{"out.safetensors"});
}

TEST(Outputs, AnInputCanBeReplacedWhenTold) {
  const Shelf shelf;
  Engine engine = engine_of();
  const Recipe recipe = compiled(
      engine,
      with_inputs(
          "save(mean([models[2], models[4]]), \"${dir}/ft-2.safetensors\", overwrite = true)"));
  ran(engine, recipe, shelf.settings());
  EXPECT_EQ(values(shelf.in("ft-2.safetensors"), "model.norm.weight")[0], 3.0f);
}

TEST(Outputs, TellHowTheyWereMade) {
  const Shelf shelf;
  Engine engine = engine_of();
  const std::string text = R"(param k: fraction = 20%
base = load("base.safetensors")
save(ties([load("ft-1.safetensors"), load("ft-2.safetensors")], base = base, k = k), "made.safetensors")
)";
  const fs::path before = fs::current_path();
  fs::current_path(shelf.in("."));
  const Result<Report> report = engine.run(compiled(engine, text), {.settings = {{"k", "0.5"}}}, {});
  fs::current_path(before);
  ASSERT_TRUE(report) << engine.render(report.error());

  const Result<CheckpointReader> reader = CheckpointReader::open(shelf.in("made.safetensors"));
  ASSERT_TRUE(reader);
  std::map<std::string, std::string> metadata = reader->metadata();
  EXPECT_EQ(metadata["roux.recipe"], text);
  EXPECT_EQ(metadata["roux.version"], version());
  EXPECT_EQ(metadata["roux.space"], "model");
  EXPECT_EQ(metadata["format"], "pt") << "what Transformers asks for";
  EXPECT_EQ(nlohmann::json::parse(metadata["roux.parameters"]), (nlohmann::json{{"k", "0.5"}}));
  std::vector<std::string> names;
  std::set<std::string> digests;
  for (const auto& input : nlohmann::json::parse(metadata["roux.inputs"])) {
    names.push_back(input.at("name"));
    digests.insert(input.at("xxh3-128").get<std::string>());
    EXPECT_EQ(input.at("xxh3-128"), (*Checkpoint::open(shelf.in(input.at("name")), {}))->digest(1)->hex);
    EXPECT_FALSE(input.contains("of")) << "read whole";
  }
  std::sort(names.begin(), names.end());
  EXPECT_EQ(names,
            (std::vector<std::string>{"base.safetensors", "ft-1.safetensors", "ft-2.safetensors"}));
  EXPECT_EQ(digests.size(), 3u) << "different files have different digests";

  const Result<std::string> inside = recipe_inside(shelf.in("made.safetensors"));
  ASSERT_TRUE(inside);
  EXPECT_NE(inside->find(text), std::string::npos);
}

// What the system says that this process has read by calls, in bytes.
std::uint64_t bytes_read_by_calls() {
  std::ifstream io("/proc/self/io");
  std::string name;
  std::uint64_t bytes = 0;
  io >> name >> bytes;
  EXPECT_EQ(name, "rchar:");
  return bytes;
}

TEST(Outputs, NeedNoSecondReadingForTheDigests) {
  constexpr int kRows = 1 << 17;
  const Shelf shelf;
  shelf.put("ft-large-a", kRows, 1.0f);
  shelf.put("ft-large-b", kRows, 2.0f);
  Engine engine = engine_of({.threads = 1, .sync = false});
  const Recipe recipe = compiled(engine, R"(param dir: string
save(mean([load("${dir}/ft-large-a.safetensors"), load("${dir}/ft-large-b.safetensors")]), "${dir}/made.safetensors"))");
  const std::uint64_t before = bytes_read_by_calls();
  ran(engine, recipe, shelf.settings());
  const std::uint64_t read = bytes_read_by_calls() - before, inputs = std::uint64_t{2} * kRows * 32 * sizeof(float);
  EXPECT_GT(read, inputs);
  EXPECT_LT(read, inputs + inputs / 5) << "the blocks with the headers twice";
}

TEST(Outputs, TellOfInputsThatWereNotReadWholeByTheirHeaders) {
  const Shelf shelf;
  Engine engine = engine_of();
  const Result<Report> report = engine.run(compiled(engine, with_inputs(R"(
other = load("${dir}/ft-3.safetensors")
save(match name {
  "*.norm.weight" => mean(base, other)
  _               => base
}, "${dir}/made.safetensors"))")),
                                           {.settings = shelf.settings()}, {});
  ASSERT_TRUE(report) << engine.render(report.error());
  const Result<StoredRecipe> stored = stored_recipe(shelf.in("made.safetensors"));
  ASSERT_TRUE(stored);
  ASSERT_EQ(stored->inputs.size(), 2u);
  for (const StoredInput& input : stored->inputs) {
    const Checkpoint::Ptr file = *Checkpoint::open(shelf.in(input.name), {});
    EXPECT_EQ(input.whole, input.name == "base.safetensors");
    EXPECT_EQ(input.digest, input.whole ? file->digest(1)->hex : file->header_digest());
  }
}

TEST(Outputs, OfTwoRunsAreEqualAndNameNeitherPlaceNorTime) {
  const auto make = [](const Shelf& shelf) {
    Engine engine = engine_of();
    const fs::path before = fs::current_path();
    fs::current_path(shelf.in("."));
    ran(engine, compiled(engine, "save(mean(load_all(\"ft-*\")), \"made.safetensors\")\n"), {});
    fs::current_path(before);
    const std::string bytes = read_file(shelf.in("made.safetensors"));
    EXPECT_EQ(bytes.find(fs::path(shelf.in("")).parent_path().filename().string()),
              std::string::npos);
    return bytes;
  };
  const Shelf here, there;
  EXPECT_TRUE(make(here) == make(there));
}

TEST(Outputs, ForeignFilesHoldNoRecipe) {
  const Shelf shelf;
  const Result<std::string> inside = recipe_inside(shelf.in("base.safetensors"));
  ASSERT_FALSE(inside);
  EXPECT_EQ(inside.error().at(0).kind, DiagnosticKind::no_recipe);
}

TEST(Reports, CountWhatWasDone) {
  const Shelf shelf;
  Engine engine = engine_of();
  const Report report = ran(
      engine,
      compiled(engine, with_inputs("save(mean(models), \"${dir}/out.safetensors\", dtype = bf16)")),
      shelf.settings());
  constexpr std::uint64_t kElements = 64 * 32 + 32;
  ASSERT_EQ(report.outputs.size(), 1u);
  EXPECT_EQ(report.outputs[0].path, shelf.in("out.safetensors"));
  EXPECT_EQ(report.outputs[0].tensors, 2u);
  EXPECT_EQ(report.outputs[0].dtype, "bf16");
  EXPECT_FALSE(report.outputs[0].score);
  EXPECT_GE(report.outputs[0].bytes, 2 * kElements);
  EXPECT_LT(report.outputs[0].bytes, 2 * kElements + 4096) << "a header and the data";
  EXPECT_EQ(report.bytes_read, 10 * 4 * kElements) << "each input once, the base not at all";
  EXPECT_EQ(report.bytes_written, 2 * kElements);
  EXPECT_EQ(report.plans_run, 1u);
  EXPECT_EQ(report.models_scored, 0u);
  EXPECT_GT(report.seconds, 0);
  EXPECT_LT(report.seconds, 60);
}

TEST(Reports, AScorerGivesTheOutputItsScore) {
  const Shelf shelf;
  Engine engine = engine_of();
  const Report report = ran(engine, compiled(engine, with_inputs(R"(
val = command("wc -c < {model}")
save(greedy(models, val), "${dir}/soup.safetensors"))")),
                            shelf.settings());
  ASSERT_TRUE(report.outputs.at(0).score);
  EXPECT_GT(*report.outputs[0].score, 4 * (64 * 32 + 32));
}

TEST(Reports, OneModelIsScoredOnceHoweverOftenItIsSaved) {
  const Shelf shelf;
  Engine engine = engine_of();
  const Report report = ran(engine, compiled(engine, with_inputs(R"(
val = command("wc -c < {model}")
soup = mean(models)
save(soup, "${dir}/one.safetensors")
save(soup, "${dir}/two.safetensors")
save(soup, "${dir}/rounded.safetensors", dtype = bf16)
print(val(soup)))")),
                            shelf.settings());
  ASSERT_EQ(report.outputs.size(), 3u);
  EXPECT_EQ(report.models_scored, 2u) << "the rounded one is another model";
  EXPECT_EQ(report.outputs[0].score, report.outputs[1].score);
  EXPECT_LT(report.outputs[2].score, report.outputs[0].score);
}

TEST(Evaluate, GivesTheValueOfAnExpression) {
  Engine engine = engine_of();
  const Result<std::string> text = engine.evaluate("sum([i ^ 2 for i in 1..4])", {});
  ASSERT_TRUE(text);
  EXPECT_EQ(*text, "14");
}

TEST(Evaluate, GivesTheValueAsJson) {
  Engine engine = engine_of();
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"1 / 4", "0.25"},
      {"none", "null"},
      {"1 < 2", "true"},
      {"[1, \"a\", (true, inf)]", R"([1.0,"a",[true,"inf"]])"},
      {"{b = 1, a = \"x\"}", R"({"b":1.0,"a":"x"})"},
      {"x => x", R"("<function>")"},
  };
  for (const auto& [expression, expected] : cases) {
    const Result<std::string> json = engine.evaluate_to_json(expression, {});
    ASSERT_TRUE(json) << engine.render(json.error());
    EXPECT_EQ(*json, expected);
  }
}

TEST(Plans, TouchNothing) {
  const Shelf shelf;
  Engine engine = engine_of();
  const Recipe recipe =
      compiled(engine, with_inputs("save(ties(models), \"${dir}/out.safetensors\")"));
  const Result<BoundRecipe> bound = engine.bind(recipe, {.settings = shelf.settings()});
  ASSERT_TRUE(bound);
  const PlanSummary& plan = bound->plan();
  ASSERT_EQ(plan.saves.size(), 1u);
  const PlannedSave& save = plan.saves[0];
  EXPECT_EQ(save.path, shelf.in("out.safetensors"));
  EXPECT_EQ(save.tensors, 2u);
  EXPECT_EQ(save.sweeps, 2u) << "one to find the threshold, one to merge";
  EXPECT_GT(save.bytes_read, save.bytes_written);
  EXPECT_GT(save.memory_bytes, 0u);
  EXPECT_FALSE(save.kernels.empty());
  EXPECT_NE(plan.text.find("save " + shelf.in("out.safetensors")), std::string::npos);
  EXPECT_EQ(shelf.unexpected_names(), std::vector<std::string>());
}

}  // namespace
}  // namespace roux::testing
