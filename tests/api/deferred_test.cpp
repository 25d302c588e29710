// Numbers that only tensors tell: how many plans a recipe runs for them, what these read, and that
// nothing seen from outside changes its order.
#include <gtest/gtest.h>

#include "tests/support/recipes.h"

namespace roux::testing {
namespace {

using Lines = std::vector<std::string>;

constexpr std::uint64_t kModelBytes = 3 * 4;  // of each of the shelf's models

// Ten models m0..m9 of three values, with mI = [I, I, -I], and a base.
class Deferred : public ::testing::Test {
 protected:
  Deferred() {
    for (int i = 0; i < 10; ++i) {
      const double x = i;
      shop_.put("m" + std::to_string(i), {{"w", {plain::Type::f32, {3}, {x, x, -x}}}});
    }
    shop_.put("base", {{"w", {plain::Type::f32, {3}, {1, 0, 0}}}});
  }

  RecipeRun run(const std::string& lines) {
    RecipeRun done = shop_.run("base = load(\"${dir}/base.safetensors\")\n"
                               "models = load_all(\"${dir}/m*.safetensors\", base = base)\n" + lines);
    EXPECT_EQ(done.error, "");
    return done;
  }

  Workshop shop_;
};

TEST_F(Deferred, KeysOfASortAreComputedTogether) {
  const RecipeRun done = run("far = sort(models, key = m => -norm(m, over = model))\n"
                             "print([max(m, over = model) for m in far[0..3]])");
  EXPECT_EQ(done.printed, Lines{"[9, 8, 7]"});
  EXPECT_EQ(done.report.plans_run, 2u) << "one for ten keys, one for what is printed";
}

TEST_F(Deferred, ConditionsAreComputedTogether) {
  EXPECT_EQ(run("print(len([m for m in models if norm(m - base, over = model) < 5]))").report.plans_run, 1u);
  EXPECT_EQ(run("print(len(filter(models, m => norm(m - base, over = model) < 5)))").report.plans_run, 1u);
  const RecipeRun nested = run("print(len([1 for m in models for k in [1, 2] if max(m, over = model) > k]))");
  EXPECT_EQ(nested.printed, Lines{"15"});
  EXPECT_EQ(nested.report.plans_run, 1u);
}

TEST_F(Deferred, ALaterConditionSeesWhatTheFirstLeft) {
  const RecipeRun done = run("xs = [0, 1, 2]\nprint([6 / x for x in xs if x != 0 if 6 / x > 4])");
  EXPECT_EQ(done.printed, Lines{"[6]"});
}

TEST_F(Deferred, LinesThatWaitShareAPlan) {
  const RecipeRun done = run("said = [print(cosine(m, base, over = model)) for m in models[0..3]]\n"
                             "texts = [print(\"${max(m, over = model)} of ${len(models)}\") for m in models]\n"
                             "print(\"end\")");
  EXPECT_EQ(done.printed.size(), 14u);
  EXPECT_EQ(done.printed[0], "0") << "the cosine with nothing";
  EXPECT_EQ(done.printed[12], "9 of 10");
  EXPECT_EQ(done.printed[13], "end");
  EXPECT_EQ(done.report.plans_run, 1u);
}

TEST_F(Deferred, ExtremesOfAListAreOneNumber) {
  const RecipeRun done = run("print(max([norm(m, over = model) for m in models]) > min([max(m, over = model) for m in models]))");
  EXPECT_EQ(done.printed, Lines{"true"});
  EXPECT_EQ(done.report.plans_run, 1u);
}

TEST_F(Deferred, ValuesInScopeShareTheSweep) {
  const RecipeRun done = run(R"(d = models[3] - base
size_of = norm(d, over = model)
others = [max(abs(d), over = model), {least = min(d, over = model)}]
tilted = slerp(models[3], base, t = 0.5, over = model)
print(if size_of > 1 then "far" else "near")
print(others[0] + others[1].least)
print(space_of(tilted)))");
  EXPECT_EQ(done.printed, (Lines{"far", "0", "model"}));
  EXPECT_EQ(done.report.plans_run, 1u);
  EXPECT_EQ(done.report.bytes_read, 2 * kModelBytes);
}

TEST_F(Deferred, NamesOfAMethodAreInScope) {
  const RecipeRun done = run(R"(method judged(d: delta) -> string = {
  a = norm(d, over = model)
  b = max(abs(d), over = model)
  first = if a > 1 then "far" else "near"
  second = if b > 1 then "wide" else "narrow"
  first ++ " " ++ second
}
print(judged(models[3] - base)))");
  EXPECT_EQ(done.printed, Lines{"far wide"});
  EXPECT_EQ(done.report.plans_run, 1u);
}

TEST_F(Deferred, NothingThatWouldBeReadForItAloneRidesAlong) {
  const RecipeRun done = run(R"(norms = [norm(m, over = model) for m in models]
strange = norm(where(base > norm(models[4], over = model), base, 0), over = model)
if_near = if norm(base, over = model) > 0 then 1 else 2
print(if_near))");
  EXPECT_EQ(done.report.plans_run, 1u);
  EXPECT_EQ(done.report.bytes_read, kModelBytes) << "the base only";
}

TEST_F(Deferred, AreComputedOnce) {
  const RecipeRun done = run("n = norm(base, over = model)\nprint(n)\nprint(n + 1)\nx = if n > 3 then 1 else 2\nprint(n)");
  EXPECT_EQ(done.printed, (Lines{"1", "2", "1"}));
  EXPECT_EQ(done.report.plans_run, 1u);
}

TEST_F(Deferred, LinesStayInOrderAndBeforeAFailure) {
  const RecipeRun done = shop_.run(R"(base = load("${dir}/base.safetensors")
print(norm(base, over = model))
print("between")
val = command("exit 3 # {model}")
print(2 * norm(base, over = model))
print(val(base)))");
  EXPECT_EQ(done.printed, (Lines{"1", "between", "2"}));
  ASSERT_EQ(done.findings.size(), 1u);
  EXPECT_EQ(done.findings[0].kind, DiagnosticKind::scorer_failed);
}

TEST_F(Deferred, LinesAppearBeforeASave) {
  const RecipeRun done = run("print(norm(base, over = model))\nsave(base, \"${out}/b.safetensors\")");
  EXPECT_EQ(done.report.plans_run, 2u);
  EXPECT_EQ(done.printed, Lines{"1"});
}

TEST_F(Deferred, ManyLinesNeedFewPlans) {
  const RecipeRun done = run("said = [print(norm(base * k, over = model)) for k in 1..301]");
  EXPECT_EQ(done.printed.size(), 301u - 1);
  EXPECT_EQ(done.printed.back(), "300");
  EXPECT_EQ(done.report.plans_run, 2u) << "256 lines wait at most";
}

}  // namespace
}  // namespace roux::testing
