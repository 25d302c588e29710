// The contract's sentences on text and control, each tried: what expressions give, and what the
// errors say. (Sentences on single messages are pinned by golden/.)
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/support/recipes.h"

namespace roux::testing {
namespace {

// The value of an expression (statements may stand before it), or the first error's message.
std::string value_of(const std::string& text) {
  static Engine engine = std::move(*Engine::create(test_options()));
  const Result<std::string> value = engine.evaluate(text, {});
  return value ? *value : "error: " + value.error().at(0).message;
}

struct Case {
  const char* text;
  const char* value;
};

void expect_all(std::initializer_list<Case> cases) {
  for (const Case& each : cases) EXPECT_EQ(value_of(each.text), each.value) << each.text;
}

TEST(Language, NumbersAndSizes) {
  expect_all({{"[1, 0.2, 1e-3, 20%, 0.5%]", "[1, 0.2, 0.001, 0.2, 0.005]"},
              {"[1KB, 2MB, 5GB, 1TB]", "[1000, 2000000, 5000000000, 1000000000000]"},
              {"[1KiB, 512MiB, 1GiB]", "[1024, 536870912, 1073741824]"},
              {"[1e3, 1E3, 100%]", "[1000, 1000, 1]"}});
}

TEST(Language, Strings) {
  expect_all({{"\"a\\tb\\\"c\\\\ \\u{e9}\"", "a\tb\"c\\ \u00e9"},
              {"\"{x} $${y} ${1 + 1}\"", "{x} ${y} 2"},
              {"n = 3\n\"${n} of ${[n, \"x\"]}\"", "3 of [3, \"x\"]"},
              {"\"a\" ++ \"b\"", "ab"}});
}

TEST(Language, Collections) {
  expect_all({{"[1, [2, \"x\"], none, true]", "[1, [2, \"x\"], none, true]"},
              {"(1, \"b\")", "(1, \"b\")"},
              {"{a = 1, b = {c = 2}}.b.c", "2"},
              {"0..4", "[0, 1, 2, 3]"},
              {"2..2", "[]"},
              {"[5, 6, 7][-1]", "7"},
              {"[5, 6, 7][0..2]", "[5, 6]"},
              {"[1, 2] ++ [3]", "[1, 2, 3]"},
              {"[1, 2, 3] without [2]", "[1, 3]"}});
}

TEST(Language, Newlines) {
  expect_all({{"x = 1 +\n  2\nx", "3"},
              {"x =\n  4\nx", "4"},
              {"f = y =>\n  y + 1\nf(1)", "2"},
              {"xs = [1,\n  2\n  , 3]\nlen(xs)", "3"},
              {"x = (1\n  + 2)\nx", "3"},
              {"x = 5\n  |> f\nmethod f(y: number) -> number = y + 1\nx", "6"},
              {"x = if true\n  then 1\n  else 2\nx", "1"},
              {"x = {\n  a = 1\n  b = 2\n  a + b\n}\nx", "3"},
              {"x = max({\n  a = 1\n  a\n}, 2)\nx", "2"},
              {"a = 1; b = 2; a + b", "3"}});
}

TEST(Language, Precedence) {
  expect_all({{"2 + 3 * 4", "14"},
              {"-2 ^ 2", "-4"},
              {"2 ^ -1", "0.5"},
              {"2 ^ 3 ^ 2", "512"},
              {"1 + 1 .. 2 * 2", "[2, 3]"},
              {"not 1 == 2", "true"},
              {"not false and false", "false"},
              {"true or false and false", "true"},
              {"1 < 2 == true", "error: chained comparison"},
              {"if true then 1 else 2 + 10", "1"},
              {"[1] ++ [2] without [1]", "[2]"},
              {"x = 3 |> (y => y * 2)\nx", "6"},
              {"10 - 2 - 3", "5"},
              {"8 / 2 / 2", "2"}});
}

TEST(Language, Loops) {
  expect_all({{"[x * y for x in [1, 2] for y in [3, 4] if x + y > 4]", "[4, 6, 8]"},
              {"[(i, x) for (i, x) in enumerate([\"a\", \"b\"])]", "[(0, \"a\"), (1, \"b\")]"},
              {"fold([1, 2, 3], 10, (s, x) => s + x)", "16"},
              {"sort([3, 1, 2])", "[1, 2, 3]"},
              {"sort([\"b\", \"a\"], descending = true)", "[\"b\", \"a\"]"},
              {"sort([3, -4, 2], key = x => x ^ 2)", "[2, 3, -4]"},
              {"zip([1, 2], [\"a\", \"b\"])", "[(1, \"a\"), (2, \"b\")]"},
              {"filter([1, 2, 3], x => x > 1)", "[2, 3]"},
              {"map([1, 2], x => x * 10)", "[10, 20]"},
              {"[range(3), range(1, 3)]", "[[0, 1, 2], [1, 2]]"},
              {"[a + b for (a, b) in zip([1, 2], [3, 4])]", "[4, 6]"}});
}

TEST(Language, FunctionsAndPipes) {
  expect_all({{"f = (x, y) => x - y\nf(5, 3)", "2"},
              {"method f(x: number, k: number = 1) -> number = x - k\n5 |> f(k = 2)", "3"},
              {"method f(x: number, k: number = 1) -> number = x - k\n5 |> f |> f", "3"},
              {"add = n => (x => x + n)\nadd(2)(3)", "5"},
              {"method later() -> number = other()\nmethod other() -> number = 7\nlater()", "7"},
              {"method f(x: number, y: number = 2 * x) -> number = x + y\nf(3)", "9"}});
}

TEST(Language, TypesOfSignatures) {
  expect_all({{"method f(x: number | string) -> string = \"${x}\"\nf(1) ++ f(\"a\")", "1a"},
              {"method f(x: number? = none) -> string = if x == none then \"no\" else \"${x}\"\nf() ++ f(2)", "no2"},
              {"method f(how: \"fast\" | \"slow\") -> string = how\nf(fast) ++ f(\"slow\")", "fastslow"},
              {"method f(x: number(0..2)) -> number = x\nf(3)",
               "error: argument `x` of `f` is 3; expected a number from 0 to 2"},
              {"method f(x: count) -> number = x\nf(1.5)",
               "error: argument `x` of `f` is 1.5; expected a whole number, 0 or more"},
              {"method f(x: fraction) -> number = x\nf(20)",
               "error: argument `x` of `f` is 20; expected a number from 0 to 1"},
              {"method f(x: list[number]) -> number = sum(x)\nf([1, \"a\"])",
               "error: item 1 of argument `x` of `f` must be `number`, got a string"},
              {"method f(x: (number, string)) -> string = x[1]\nf((1, \"b\"))", "b"},
              {"method f(x: function) -> number = x(2)\nf(y => y + 1)", "3"},
              {"method f(x: number) -> string = x\nf(1)", "error: the result of `f` must be `string`, got a number"},
              {"number = 3\nmethod f(x: number) -> number = x + number\nf(1)", "4"}});
}

TEST(Language, NamesAreBoundOnce) {
  expect_all({{"x = 1\nx = 2\nx", "error: `x` is already bound"},
              {"x = 1\nmethod x() -> number = 2\nx", "error: `x` is already bound"},
              {"x = 1\nmethod f(x: number) -> number = x\nf(2) + x", "3"},
              {"x = 1\n[x for x in [5]][0] + x", "6"},
              {"mean = 3\nmean + 1", "4"},
              {"depth = 3\ndepth + 1", "4"}});
}

TEST(Language, RandomFieldsNeedAStream) {
  expect_all({{"uniform(1)", "error: `uniform` needs `stream`"},
              {"normal(1)", "error: `normal` needs `stream`"},
              {"bernoulli(0.5, 1)", "error: `bernoulli` needs `stream`"}});
}

TEST(Language, MethodsDoNotCallThemselves) {
  expect_all({{"method f(n: number) -> number = f(n - 1)\nf(1)", "error: `f` calls itself"},
              {"method f(n: number) -> number = g(n)\nmethod g(n: number) -> number = f(n)\nf(1)",
               "error: `f` calls `g`, which calls `f` again"},
              {"method f(f: function) -> number = f(1)\nf(x => x + 1)", "2"},
              {"method twice(f: function, x: number) -> number = f(f(x))\ntwice(y => twice(z => z + 1, y), 0)", "4"}});
}

TEST(Language, EveryFactOfATensorIsAtHand) {
  Workshop shop;
  plain::Model model;
  for (const char* name : {"embed.weight", "layers.0.w", "layers.1.w", "layers.2.w", "head.weight"})
    model[name] = {plain::Type::f32, {2, 1}, {1, 1}};
  model["norm"] = {plain::Type::f32, {3}, {1, 1, 1}};
  shop.put("m", model);
  const auto fact = [&](const std::string& expression, const std::string& tensor) {
    const plain::Model merged =
        shop.merge("m = load(\"${dir}/m.safetensors\")", "(m * 0 + " + expression + ") as model");
    return merged.empty() ? -99.0 : merged.at(tensor).values[0];
  };
  EXPECT_EQ(fact("layer", "layers.2.w"), 2);
  EXPECT_EQ(fact("layer", "norm"), -1);
  EXPECT_EQ(fact("layer_count", "layers.0.w"), 3);
  EXPECT_EQ(fact("depth", "layers.1.w"), 0.5);
  EXPECT_EQ(fact("depth", "layers.2.w"), 1);
  EXPECT_EQ(fact("ndim", "norm"), 1);
  EXPECT_EQ(fact("ndim", "layers.0.w"), 2);
  EXPECT_EQ(fact("numel", "norm"), 3);
  EXPECT_EQ(fact("curve([0, 10, 30])", "layers.1.w"), 10);
  EXPECT_EQ(fact("curve([0, 10, 30])", "layers.2.w"), 30);
}

// Models of one tensor whose elements are equal: base 1, a 3, b 5; `hollow` has none in one of its two.
class Models : public ::testing::Test {
 protected:
  Models() {
    for (const auto& [name, value] : {std::pair("base", 1.0), {"a", 3.0}, {"b", 5.0}})
      shop_.put(name, {{"w", {plain::Type::f32, {2, 2}, Values(4, value)}}});
    shop_.put("hollow", {{"none", {plain::Type::f32, {0, 3}, {}}}, {"w", {plain::Type::f32, {2}, {-3, -4}}}});
  }

  // What `print(value)` prints, or the first error's message.
  std::string said(const std::string& value, const std::string& lines = "") {
    const RecipeRun run = shop_.run(kLoads + lines + "\nprint(" + value + ")\n");
    return run.findings.empty() ? run.printed.at(0) : "error: " + run.findings[0].message;
  }

  void expect_all(std::initializer_list<Case> cases) {
    for (const Case& each : cases) EXPECT_EQ(said(each.text), each.value) << each.text;
  }

  using Values = std::vector<double>;
  const std::string kLoads = R"(base = load("${dir}/base.safetensors")
a = load("${dir}/a.safetensors", base = base)
b = load("${dir}/b.safetensors", base = base)
lone = load("${dir}/b.safetensors")
hollow = load("${dir}/hollow.safetensors")
none_of_it = hollow["none"]
method model_of(m: model) -> model = m
)";
  Workshop shop_;
};

TEST_F(Models, HaveTheSpaceOfTheirOperation) {
  for (const char* model : {"a + (b - base)", "a - (b - base)", "0.3*a + 0.7*b", "(a + b) - base", "a + b - 1*base",
                            "where(a > b, a, b)", "exp(a) as model", "(a*b) as model"})
    EXPECT_EQ(said("space_of(" + std::string(model) + ")"), "model") << model;
  for (const char* delta : {"a - b", "(a - base) + (b - base)", "(a - base) - (b - base)", "2*(a - b)", "-(a - b)",
                            "(a - b)*abs(a)", "(a - b)/abs(b)", "where(a > b, a - base, b - base)",
                            "where(a > b, a - base, 0)", "0.5*a - 0.5*b", "abs(a - b) as delta"})
    EXPECT_EQ(said("space_of(" + std::string(delta) + ")"), "delta") << delta;
  for (const char* tensors : {"a*b", "abs(a - b)", "exp(a)", "a as tensors", "max(a, b)", "((a - b)*(a - b)) as tensors"})
    EXPECT_EQ(said("space_of(" + std::string(tensors) + ")"), "tensors") << tensors;
}

TEST_F(Models, WeighOneAndZeroToWithinABillionth) {
  expect_all({{"space_of(0.1*a + 0.2*a + 0.3*b + 0.4*b)", "model"},
              {"space_of(a + 5e-10*b)", "model"},
              {"space_of(a - (1 + 5e-10)*b)", "delta"},
              {"space_of(model_of(a + 1e-8*b))",
               "error: this combination of models has total weight 1.00000001; a model needs 1"}});
}

TEST_F(Models, AreWhatAResultAnnotationSays) {
  EXPECT_EQ(said("f(a)", "method f(m: model) -> model = exp(m)"), "error: expected a model, got tensors");
  EXPECT_EQ(said("f(a)", "method f(m: model) -> model = 2*m"),
            "error: this combination of models has total weight 2; a model needs 1");
  EXPECT_EQ(said("space_of(f(a))", "method f(m: model) -> delta = m - base"), "delta");
}

TEST_F(Models, CarryTheBaseOfTheirOperands) {
  expect_all({{"max(base_of(a), over = model)", "1"},
              {"max(base_of(0.5*a + 0.5*b), over = model)", "1"},
              {"max(base_of([a, b]), over = model)", "1"},
              {"max(base_of(b - a), over = model)", "3"}});
  EXPECT_EQ(said("space_of(base_of(lone))").substr(0, 6), "error:");
}

TEST_F(Models, OfASoupAreItsMeanAndItsIngredients) {
  const std::string soups = "s = soup_of([a, b], weights = [3, 1])\neven = soup_of([b, a])";
  const auto is = [&](const std::string& value, const std::string& expected) {
    EXPECT_EQ(said(value, soups), expected) << value;
  };
  is("max(lerp(s, a, 0), over = model)", "3.5");
  is("max(s[\"w\"], over = model)", "3.5");
  is("max(s + (a - base), over = model)", "5.5");
  is("len(s)", "2");
  is("max(s[1], over = model)", "5");
  is("[max(m, over = model) for m in even]", "[5, 3]");
  is("max(task_arithmetic(even), over = model)", "7");
  is("max(s, over = model)", "3.5");
  is("sum(even, over = model) == sum(mean([b, a]), over = model)", "true");
  is("mean(s, over = model) == mean(lerp(s, a, 0), over = model)", "true");
  is("max(max(even), over = model)", "5");
  is("s.weights", "[3, 1]");
  is("[max(m, over = model) for m in s.ingredients]", "[3, 5]");
}

TEST_F(Models, AreScoredOnce) {
  const std::string counter = R"(val = command("echo {model} >> ${out}/runs; wc -l < ${out}/runs"))";
  EXPECT_EQ(said("[val(a), val(0.5*a + 0.5*b), val(a), val(mean([a, b]))]", counter), "[1, 2, 1, 2]");
}

TEST_F(Models, WithoutElementsHaveSumsOfZero) {
  expect_all({{"sum(none_of_it, over = model)", "0"},
              {"count(none_of_it > 0, over = model)", "0"},
              {"norm(none_of_it, over = model)", "0"},
              {"size(none_of_it, over = model)", "0"},
              {"norm(hollow, over = model)", "5"},
              {"max(hollow, over = model)", "-3"},
              {"median(hollow, over = model)", "-3.5"},
              {"max(where(hollow < 0, max(hollow, over = tensor), 9), over = model)", "-3"}});
}

}  // namespace
}  // namespace roux::testing
