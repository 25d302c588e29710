// Sessions: what an entry sees, what a failed one leaves, what is shown, what may be written next.
#include "api/session.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>

#include "tests/support/files.h"
#include "tests/support/paths.h"

namespace roux::testing {
namespace {

namespace fs = std::filesystem;

// Three fine-tunes and a base in the working directory.
class Sessions : public ::testing::Test {
 protected:
  Sessions() : before_(fs::current_path()) {
    fs::current_path(folder_.path());
    for (int i = 0; i < 4; ++i) {
      const auto value = static_cast<float>(i);
      write_file(i == 3 ? "base.safetensors" : "ft-" + std::to_string(i) + ".safetensors",
                 f32_safetensors({{"model.layers.0.weight", {2, 2}, {value, 1, 2, 3}},
                                  {"model.norm.weight", {2}, {value, value}}}));
    }
  }
  ~Sessions() override { fs::current_path(before_); }

  Outcome enter(const std::string& text, const Events& events = {}) {
    Result<Outcome> outcome = session_.enter(text, events);
    EXPECT_TRUE(outcome) << text << "\n" << (outcome ? "" : engine_.render(outcome.error()));
    return outcome ? *std::move(outcome) : Outcome{};
  }
  std::string shown(const std::string& text) {
    std::string all;
    for (const std::string& line : enter(text).shown) all += (all.empty() ? "" : "\n") + line;
    return all;
  }
  std::string error(const std::string& text) {
    const Result<Outcome> outcome = session_.enter(text, {});
    EXPECT_FALSE(outcome) << text;
    return outcome ? "" : outcome.error().at(0).message;
  }
  std::vector<std::string> bound() const {
    std::vector<std::string> names;
    for (const NameInScope& name : session_.names()) names.push_back(name.name);
    return names;
  }
  std::vector<std::string> completions(const std::string& text) const {
    std::vector<std::string> texts;
    for (const Candidate& candidate : session_.complete(text, text.size()).candidates) texts.push_back(candidate.text);
    return texts;
  }
  bool completes(const std::string& text, const std::string& by) const {
    const std::vector<std::string> all = completions(text);
    return std::find(all.begin(), all.end(), by) != all.end();
  }

  TemporaryFolder folder_;
  fs::path before_;
  Engine engine_ = *Engine::create({.threads = 2, .sync = false});
  Session session_ = engine_.interact({});
};

using Names = std::vector<std::string>;

// --- entries ------------------------------------------------------------------------------------------

TEST_F(Sessions, KeepNamesFromEntryToEntry) {
  EXPECT_EQ(enter("a = 2; b = a + 1").bound, (Names{"a", "b"}));
  EXPECT_EQ(shown("a * b"), "6");
  EXPECT_EQ(shown("_ + 1"), "7");
  EXPECT_EQ(shown("1; 2"), "1\n2");
  EXPECT_EQ(shown("_"), "2");
  EXPECT_EQ(shown("print(1)"), "") << "nothing comes back from it";
  EXPECT_EQ(shown("_"), "2");
}

TEST_F(Sessions, LetNamesBeBoundAgain) {
  enter("k = 1");
  enter("f = x => k * x; method twice(x) = 2 * k * x");
  enter("k = 10");
  EXPECT_EQ(shown("k; f(1); twice(1)"), "10\n1\n2") << "functions keep the meaning that they saw";
  enter("k = k + 1");
  EXPECT_EQ(shown("k"), "11");
  enter("method twice(x) = 20 * x");
  EXPECT_EQ(shown("twice(1)"), "20");
  enter("ties = 5");
  EXPECT_EQ(shown("ties"), "5");
}

TEST_F(Sessions, ModelsStayExpressions) {
  std::uint64_t sweeps = 0;
  for (const char* text : {"a = load(\"ft-1.safetensors\"); b = load(\"ft-2.safetensors\")", "m = 0.25*a + 0.75*b", "m",
                           "d = norm(a - b, over = model)"})
    sweeps += enter(text).report.plans_run;
  EXPECT_EQ(sweeps, 0u);
  EXPECT_EQ(enter("d").report.plans_run, 1u);
  EXPECT_EQ(enter("d").report.plans_run, 0u) << "what was measured is known";
}

TEST_F(Sessions, AreAsTheyWereAfterAnError) {
  enter("a = load(\"ft-1.safetensors\"); k = 1");
  EXPECT_EQ(error("k = 2; x = nonsense"), "unknown name `nonsense`");
  EXPECT_NE(error("k = 3; x = load(\"none.safetensors\")").find("none.safetensors"), std::string::npos);
  EXPECT_EQ(error("k = 4; y = [1][7]").empty(), false);
  EXPECT_FALSE(session_.enter("k = (", {}));
  // Only the run tells that this fails, and the first output is written by then.
  EXPECT_EQ(error("k = 5; save(a, \"one.safetensors\"); print(command(\"exit 3 # {model}\")(a))").empty(), false);
  EXPECT_FALSE(fs::exists("one.safetensors"));
  EXPECT_EQ(shown("k"), "1");
  EXPECT_EQ(bound(), (Names{"_", "a", "k"}));
}

TEST_F(Sessions, TellAllErrorsOfAnEntry) {
  const Result<Outcome> outcome = session_.enter("x = nonsense\ny = load(\"none\")", {});
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().size(), 2u);
}

TEST_F(Sessions, GoOnAfterACancel) {
  enter("a = load(\"ft-1.safetensors\"); k = 1");
  std::atomic<bool> cancel = false;
  Events events{.cancel = &cancel};
  events.on_progress = [&](const RunProgress&) { cancel = true; };
  const Result<Outcome> scored = session_.enter("s = command(\"sleep 1000 # {model}\")(a)", events);
  ASSERT_FALSE(scored);
  EXPECT_EQ(scored.error().at(0).kind, DiagnosticKind::cancelled);
  const Result<Outcome> counting = session_.enter("k = len([x for x in 0..1000 for y in 0..1000])", events);
  ASSERT_FALSE(counting) << "control is cancelled, too";
  EXPECT_EQ(counting.error().at(0).kind, DiagnosticKind::cancelled);
  EXPECT_EQ(shown("k"), "1");
}

TEST_F(Sessions, SaveAtTheEndOfTheEntry) {
  const Outcome outcome = enter("save(load(\"ft-1.safetensors\"), \"one.safetensors\"); k = 3");
  ASSERT_EQ(outcome.report.outputs.size(), 1u);
  EXPECT_TRUE(fs::exists("one.safetensors"));
  enter("b = load(\"one.safetensors\")");
  EXPECT_EQ(error("save(b, \"one.safetensors\")").empty(), false);
  EXPECT_EQ(enter("save(b, \"two.safetensors\")").report.outputs.at(0).path, "two.safetensors") << "only the new one";
}

TEST_F(Sessions, KeepTheOldFileUnderAnOldName) {
  enter("a = load(\"ft-1.safetensors\")");
  const std::string before = shown("norm(a, over = model)");
  enter("save(load(\"ft-2.safetensors\"), \"ft-1.safetensors\", overwrite = true)");
  EXPECT_EQ(shown("norm(2 * a - a, over = model)"), before);
  enter("a = load(\"ft-1.safetensors\")");
  EXPECT_NE(shown("norm(a, over = model)"), before);
}

TEST_F(Sessions, SeeFilesThatOthersReplace) {
  enter("a = load(\"ft-1.safetensors\")");
  const std::string before = shown("norm(a, over = model)");
  fs::rename("ft-2.safetensors", "ft-1.safetensors");
  EXPECT_EQ(shown("norm(2 * a - a, over = model)"), before) << "what was opened stays open";
  EXPECT_NE(shown("norm(load(\"ft-1.safetensors\"), over = model)"), before);
}

TEST_F(Sessions, ScoresAreTold) {
  enter("a = load(\"ft-1.safetensors\"); val = command(\"echo 0.5 # {model}\")");
  EXPECT_EQ(shown("val(a)"), "0.5");
  EXPECT_EQ(enter("save(a, \"one.safetensors\")").report.outputs.at(0).score, 0.5);
}

TEST_F(Sessions, TakeSettings) {
  ASSERT_TRUE(session_.set("k", "30%"));
  ASSERT_TRUE(session_.set("threads", "1"));
  ASSERT_TRUE(session_.set("memory", "64MiB"));
  EXPECT_FALSE(session_.set("threads", "many"));
  EXPECT_FALSE(session_.set("memory", "-1"));
  enter("param k: fraction");
  EXPECT_EQ(shown("k"), "0.3");
  EXPECT_EQ(session_.settings().at("threads"), "1");
}

// --- what is shown ------------------------------------------------------------------------------------

TEST_F(Sessions, ShowModelsInOneLine) {
  enter("base = load(\"base.safetensors\"); models = load_all(\"ft-*.safetensors\", base = base)");
  EXPECT_EQ(shown("base"), "model: 2 tensors, 6, f32; base.safetensors");
  EXPECT_EQ(shown("0.6*base + 0.4*models[1]"), "model: 2 tensors, 6, f32; 0.6·base + 0.4·models[1]");
  EXPECT_EQ(shown("models[0] - base"), "delta: 2 tensors, 6, f32; models[0] - base");
  EXPECT_EQ(shown("mean(models)"), "model: 2 tensors, 6, f32; mean(models)");
  EXPECT_EQ(shown("abs(base)"), "tensors: 2 tensors, 6, f32; abs(base)");
  EXPECT_EQ(shown("norm(base, over = tensor)"), "number per tensor: norm(base, over = tensor)");
  EXPECT_EQ(shown("0.2 + 0.6*depth"), "number per tensor: 0.2 + 0.6·depth");
  EXPECT_EQ(shown("models"),
            "list of 3 models\n"
            "0  2 tensors  6  f32  ft-0.safetensors\n"
            "1  2 tensors  6  f32  ft-1.safetensors\n"
            "2  2 tensors  6  f32  ft-2.safetensors");
  EXPECT_EQ(shown("{k = 1, m = base}"), "k  1\nm  model: 2 tensors, 6, f32; base.safetensors");
  EXPECT_EQ(shown("[{k = 1, n = \"a\"}, {k = 10, n = \"b\"}]"), "    k  n\n0   1  \"a\"\n1  10  \"b\"");
  EXPECT_EQ(shown("[1, 2]"), "[1, 2]");
  EXPECT_EQ(enter("[base - m for m in models for i in 0..30]").shown.back(), "… 70 more");
}

TEST_F(Sessions, AnswerQuestionsWithoutReadingTensors) {
  enter("a = load(\"ft-1.safetensors\"); b = load(\"ft-2.safetensors\")");
  EXPECT_EQ(*session_.type_of("[a - b, b - a]"), "list[delta]");
  EXPECT_EQ(*session_.type_of("norm(a, over = model)"), "number");
  EXPECT_EQ(*session_.type_of("{n = 1, m = (a, \"x\")}"), "{n: number, m: (model, string)}");
  EXPECT_EQ(session_.type_of("lerp")->substr(0, 5), "lerp(");
  EXPECT_EQ(*session_.formula_of("a + 0.5*(b - a)"), "mean(a, b)");
  EXPECT_NE(session_.plan_of("norm(a - b, over = model)")->find("1 sweep"), std::string::npos);
  EXPECT_NE(session_.plan_of("save(a, \"out.safetensors\")")->find("save out.safetensors"), std::string::npos);
  EXPECT_EQ(*session_.plan_of("1 + 1"), "reads no tensor\n");
  EXPECT_FALSE(session_.type_of("nonsense"));
  EXPECT_FALSE(fs::exists("out.safetensors"));
  EXPECT_EQ(session_.documentation("lerp")->parameters.at(2).name, "t");
  enter("## Half of it.\nmethod half(x: number) = x / 2");
  EXPECT_EQ(session_.documentation("half")->documentation, "Half of it.");
  EXPECT_FALSE(session_.documentation("a"));
}

// --- as a recipe --------------------------------------------------------------------------------------

TEST_F(Sessions, AreRecipes) {
  enter("k = 0.25");
  enter("a = load(\"ft-1.safetensors\"); b = load(\"ft-2.safetensors\")");
  enter("m = k*a + (1 - k)*b # a comment");
  enter("m");
  EXPECT_FALSE(session_.enter("k = nonsense", {}));
  enter("k = [k for k in [0.5]][0]");
  enter("m = lerp(_, b, t = k)");
  enter("norm(m, over = model)");
  enter("save(m, \"out.safetensors\")");
  const std::string expected =
      "k_1 = 0.25\n"
      "a = load(\"ft-1.safetensors\"); b = load(\"ft-2.safetensors\")\n"
      "m_1 = k_1*a + (1 - k_1)*b # a comment\n"
      "result_1 = m_1\n"
      "k = [k for k in [0.5]][0]\n"
      "m = lerp(result_1, b, t = k)\n"
      "# norm(m, over = model)\n"
      "save(m, \"out.safetensors\")\n";
  EXPECT_EQ(session_.recipe(), expected);
  EXPECT_NE(recipe_inside("out.safetensors")->find(expected), std::string::npos) << "outputs hold it";
  const std::string bytes = read_file("out.safetensors");
  fs::remove("out.safetensors");
  const Result<Recipe> recipe = engine_.compile("session.merge", session_.recipe());
  ASSERT_TRUE(recipe) << engine_.render(recipe.error());
  const Result<Report> report = engine_.run(*recipe, {}, {});
  ASSERT_TRUE(report) << engine_.render(report.error());
  EXPECT_TRUE(read_file("out.safetensors") == bytes) << "the same bytes";
}

TEST_F(Sessions, KeepNothingInARecipeThatHasNoEffectThere) {
  write_file("part.merge", "method third(x: number) = x / 3\n");
  enter("method half(x: number) = x / 2\nmethod tell(x: number) = { print(x)\n x }");
  enter("import \"part.merge\" as part");
  enter("half(3)");
  enter("part.third(3)");
  enter("tell(3)");
  enter("b = half(1); half(b)");
  const std::string recipe = session_.recipe();
  EXPECT_EQ(recipe, "method half(x: number) = x / 2\nmethod tell(x: number) = { print(x)\n x }\n"
                    "import \"part.merge\" as part\n# half(3)\n# part.third(3)\ntell(3)\nb = half(1); \n");
  const Result<Recipe> whole = engine_.compile("session.merge", recipe);
  EXPECT_TRUE(whole) << engine_.render(whole.error());
}

TEST_F(Sessions, KeepInARecipeWhatWasSet) {
  for (const auto& [name, text] : Settings{{"k", "0.25"}, {"n", "[1, 2]"}, {"s", "ft-1.safetensors"},
                                           {"m", "ft-1.safetensors"}, {"all", "ft-*.safetensors"}, {"how", "two"}})
    ASSERT_TRUE(session_.set(name, text));
  enter("param k: number = 0.5");
  enter("param n: list[number] = [3] # three; param s: string");
  enter("param s: string\nparam m: model = load(s)\nparam all: list[model]; param how: \"one\" | \"two\" = \"one\"");
  ASSERT_TRUE(session_.set("k", "0.75"));
  enter("param later: number = k; save(m, \"out.safetensors\")");
  const std::string expected =
      "param k: number = 0.25\n"
      "param n: list[number] = [1, 2] # three; param s: string\n"
      "param s: string = \"ft-1.safetensors\"\nparam m: model = load(\"ft-1.safetensors\")\n"
      "param all: list[model] = load_all(\"ft-*.safetensors\"); param how: \"one\" | \"two\" = \"two\"\n"
      "param later: number = k; save(m, \"out.safetensors\")\n";
  EXPECT_EQ(session_.recipe(), expected);
  fs::remove("out.safetensors");
  const Result<Recipe> recipe = engine_.compile("session.merge", expected);
  ASSERT_TRUE(recipe) << engine_.render(recipe.error());
  const Result<Report> report = engine_.run(*recipe, {}, {});
  EXPECT_TRUE(report) << engine_.render(report.error());
}

// --- what may be written next -------------------------------------------------------------------------

TEST_F(Sessions, CompleteNamesAndMethods) {
  enter("models = load_all(\"ft-*.safetensors\"); method mine(x, kind: \"one\" | \"two\" = \"one\") = x");
  EXPECT_EQ(completions("x = mode"), (Names{"models", "model_stock("})) << "session names first";
  EXPECT_EQ(completions("load_"), (Names{"load_all("}));
  EXPECT_EQ(completions("mi"), (Names{"mine(", "min("})) << "session names first";
  EXPECT_TRUE(completes("", "param"));
  EXPECT_FALSE(completes("x = ", "param"));
  EXPECT_EQ(completions("# mode"), Names());
  EXPECT_EQ(completions("a = 12"), Names());
  const auto is_local = [&](const std::string& before, const std::string& behind = "") {
    const std::vector<Candidate> all = session_.complete(before + behind, before.size()).candidates;
    return std::any_of(all.begin(), all.end(), [](const Candidate& candidate) { return candidate.text == "sample"; });
  };
  for (const char* text : {"f = sample => sam", "f = (x, sample) => x + sam", "greedy(models, val, merge = sample => mean(sam",
                           "x = [1 for sample in models if sam", "[x for sample in xs for x in sam",
                           "[x for (i, sample) in xs if \"${sam", "method f(a: model, sample: number = 1) =\n  a + sam",
                           "method f(a) = {\n  sample = a\n  sam", "method f(sample) = {\n  x = 1\n  sam",
                           "method f(a) = { sample = a; sam"})
    EXPECT_TRUE(is_local(text)) << text;
  EXPECT_TRUE(is_local("x = [norm(sam", ", over = model) for sample in models]"));
  EXPECT_TRUE(is_local("x = [[f(sam", ") for y in ys] for (i, sample) in zs]"));
  for (const char* text : {"f = [sample => sample, sam", "f = sample => 1\nsam", "[1 for sample in xs] + sam",
                           "method f(sample) = sample\nx = sam", "x = {sample = 1, b = sam", "x = f(sample = 1, sam",
                           "sample => 1; sam"})
    EXPECT_FALSE(is_local(text)) << text;
  EXPECT_FALSE(is_local("x = [sam", "] + [1 for sample in xs]"));
  EXPECT_FALSE(is_local("x = sam", "\ny = [sample for sample in xs]"));
  EXPECT_EQ(session_.complete("x = mode", 8).begin, 4u);
  EXPECT_EQ(session_.complete("mode + x", 4).candidates.size(), 2u) << "what is behind the cursor does not matter";
  EXPECT_EQ(completions("x = y as mod"), (Names{"model"}));
  EXPECT_TRUE(completes("greedy(models, val, merge = me", "mean")) << "a function, not a call";
}

TEST_F(Sessions, CompleteArguments) {
  enter("models = load_all(\"ft-*.safetensors\"); method mine(x, kind: \"one\" | \"two\" = \"one\") = x");
  EXPECT_TRUE(completes("ties(models, ", "k = "));
  EXPECT_FALSE(completes("ties(models, k = 0.1, ", "k = ")) << "given already";
  EXPECT_TRUE(completes("ties(models, k = 0.1, ", "scale = "));
  EXPECT_FALSE(completes("models |> ties(", "models = ")) << "piped in";
  EXPECT_EQ(completions("ties(models, elect = "), completions("ties(models, elect = "));
  EXPECT_TRUE(completes("ties(models, elect = ", "mass"));
  EXPECT_EQ(completions("save(models[0], \"x\", dtype = bfl"), (Names{"bfloat16"}));
  EXPECT_EQ(completions("mine(1, kind = \"t"), (Names{"two\""}));
  EXPECT_TRUE(completes("mine(1, ", "two"));
  EXPECT_TRUE(completes("mean([ties(models, k = 1, ", "scale = ")) << "the innermost call";
}

TEST_F(Sessions, CompleteFilesAndTensors) {
  fs::create_directories("more/deep");
  fs::create_directories("folder");
  write_file("folder/model.safetensors", read_file("base.safetensors"));
  write_file("part.merge", "k = 1\n");
  enter("a = load(\"base.safetensors\"); soup = {part = a}");
  EXPECT_EQ(completions("load(\"b"), (Names{"base.safetensors\""}));
  EXPECT_EQ(completions("load(\"fo"), (Names{"folder\""})) << "a checkpoint is a whole path";
  EXPECT_EQ(completions("load(\"mo"), (Names{"more/"}));
  EXPECT_EQ(completions("load(\"more/"), (Names{"more/deep/"}));
  EXPECT_TRUE(completes("load_all(\"f", "ft-*\"")) << "all that differ in a number";
  EXPECT_EQ(completions("import \"p"), (Names{"part.merge\""}));
  EXPECT_EQ(completions("command(\"python3 pa"), (Names{"part.merge "}));
  EXPECT_EQ(completions("a[\"mod"), (Names{"model."})) << "up to the next dot";
  EXPECT_EQ(completions("a[\"model.n"), (Names{"model.norm."}));
  EXPECT_EQ(completions("a[\"model.norm."), (Names{"model.norm.weight\""}));
  EXPECT_EQ(completions("soup.part[\"mod"), (Names{"model."}));
  EXPECT_EQ(completions("soup.pa"), (Names{"part"}));
  EXPECT_EQ(completions("m = match name {\n  \"mod"), (Names{"model."}));
  EXPECT_EQ(completions("m = match name {\n  \"model.*\" => a\n  \"mod"), (Names{"model."}));
}

TEST_F(Sessions, CompleteAnythingWithoutHarm) {
  const std::string text = "greedy(load_all(\"ft-*\"), val, merge = ms => ties(ms, k = 0.2)) |> f({a = b[\"x\"].y, \"${c";
  for (std::size_t i = 0; i <= text.size(); ++i) {
    EXPECT_LE(session_.complete(text, i).begin, i);
    EXPECT_LE(session_.complete(text.substr(i), text.size() - i).begin, text.size() - i);
  }
  EXPECT_EQ(completions("\xFF"), Names());
}

}  // namespace
}  // namespace roux::testing
