// What is written, against plain arithmetic: values that are not finite, lanes of f64, the dtype that is
// kept where inputs differ, and copies of what is quantized.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <map>

#include "tests/conformance/family.h"
#include "tests/support/plain_methods.h"
#include "tests/support/recipes.h"

namespace roux::testing {
namespace {

namespace fs = std::filesystem;
using plain::Model;
using plain::Tensor;
using plain::Type;

class PlainStoring : public ::testing::Test {
 protected:
  PlainStoring() { write_family(workshop_.dir()); }

  Model input(const std::string& name) { return plain::read(workshop_.dir() / (name + ".safetensors")); }

  Workshop workshop_;
};

// --- values that are not finite

struct Counts {
  std::uint64_t values = 0, overflows = 0;
  bool operator==(const Counts&) const = default;
};

// `lanes`: results in the lane type, as they are before they are stored.
std::map<std::string, Counts> nonfinite_in(const Model& lanes, Type type) {
  std::map<std::string, Counts> counts;
  for (const auto& [name, tensor] : lanes)
    for (const double value : tensor.values) {
      if (std::isfinite(plain::round_to(type, value))) continue;
      ++counts[name].values;
      counts[name].overflows += std::isfinite(value);
    }
  return counts;
}

TEST_F(PlainStoring, ValuesThatAreNotFiniteAreCounted) {
  const std::string lines =
      "a = load(\"${dir}/special_a.safetensors\")\nb = load(\"${dir}/special_b.safetensors\")\n";
  const Model lanes = plain::linear({input("special_a"), input("special_b")}, {0.5, 0.5});
  const std::pair<const char*, Type> rows[] = {{"f64", Type::f64},      {"f32", Type::f32},
                                               {"f16", Type::f16},      {"bf16", Type::bf16},
                                               {"f8_e4m3", Type::e4m3}, {"f8_e5m2", Type::e5m2}};
  for (const auto& [dtype, type] : rows) {
    SCOPED_TRACE(dtype);
    const RecipeRun done =
        workshop_.run(lines + "save(mean([a, b]), \"${out}/m.safetensors\", dtype = " + dtype + ")\n");
    ASSERT_EQ(done.error, "");
    std::map<std::string, Counts> counted;
    for (const NonfiniteTensor& tensor : done.report.outputs.at(0).nonfinite)
      counted[tensor.name] = {tensor.values, tensor.overflows};
    const auto expected = nonfinite_in(lanes, type);
    EXPECT_EQ(counted, expected);
    EXPECT_EQ(expected.at("layers.0.weight").overflows > 0, type != Type::f64 && type != Type::f32);
    ASSERT_EQ(done.notes.size(), 1u);
    EXPECT_NE(done.notes[0].find(std::to_string(expected.at("layers.0.weight").values) + " in `layers.0.weight`"),
              std::string::npos)
        << done.notes[0];
  }
}

TEST_F(PlainStoring, FiniteValuesAreNoMatter) {
  const RecipeRun done =
      workshop_.run("a = load(\"${dir}/a.safetensors\")\nsave(a, \"${out}/m.safetensors\", nonfinite = error)\n");
  EXPECT_EQ(done.error, "");
  EXPECT_TRUE(done.report.outputs.at(0).nonfinite.empty());
  EXPECT_TRUE(done.notes.empty());
}

TEST_F(PlainStoring, WhatIsRefusedAppearsNowhere) {
  const RecipeRun done = workshop_.run(
      "a = load(\"${dir}/special_a.safetensors\")\n"
      "save(load(\"${dir}/a.safetensors\"), \"${out}/good.safetensors\")\n"
      "save(a, \"${out}/bad.safetensors\", nonfinite = error)\n");
  ASSERT_FALSE(done.findings.empty());
  EXPECT_EQ(done.findings[0].kind, DiagnosticKind::nonfinite_refused);
  EXPECT_EQ(done.findings[0].severity, Severity::error);
  EXPECT_TRUE(fs::is_empty(workshop_.out()));
}

// --- precision

constexpr char kPair[] = "a = load(\"${dir}/a.safetensors\")\nfar = load(\"${dir}/far.safetensors\")\n";
// Its steps are IEEE operations, so plain doubles do the same.
constexpr char kSteps[] = "sqrt(abs(a)) * far / (1 + abs(far)) - 0.3*a";

double steps(double a, double far) {
  return -0.0 + -0.3 * a + 1.0 * (std::sqrt(std::fabs(a)) * far / (1.0 + std::fabs(far)));
}

TEST_F(PlainStoring, LanesOfF64) {
  const Model a = input("a"), far = input("far");
  const Model wide = workshop_.merge(kPair, kSteps, ", precision = f64, dtype = f64");
  const Model narrow = workshop_.merge(kPair, kSteps, ", precision = f64, dtype = f32");
  const Model usual = workshop_.merge(kPair, kSteps, ", dtype = f32");
  std::size_t differ = 0;
  for (const auto& [name, tensor] : a) {
    if (!plain::is_floating(tensor.type)) continue;
    for (std::size_t i = 0; i < tensor.values.size(); ++i) {
      const double expected = steps(tensor.values[i], far.at(name).values[i]);
      ASSERT_EQ(wide.at(name).values[i], expected) << name << "[" << i << "]";
      ASSERT_EQ(narrow.at(name).values[i], plain::f32(expected)) << name << "[" << i << "]";
      differ += usual.at(name).values[i] != narrow.at(name).values[i];
    }
  }
  EXPECT_GT(differ, 1000u) << "f32 lanes round on the way";
}

TEST_F(PlainStoring, CandidatesInLanesOfF64) {
  const std::string lines = std::string(kPair) + "m = " + kSteps + "\n";
  const Model expected = workshop_.merge(lines, "m", ", precision = f64");
  const RecipeRun done = workshop_.run(
      lines + "val = command(\"cp {model} ${out}/candidate && echo 1\", precision = f64)\nprint(val(m as model))\n");
  ASSERT_EQ(done.error, "");
  EXPECT_EQ(plain::difference(expected, plain::read(workshop_.out() / "candidate")), "");
}

// --- dtypes

Model typed(const std::map<std::string, Type>& types) {
  Model model;
  for (const auto& [name, type] : types) model[name] = Tensor{type, {3}, {1, -0.5, 2}};
  return model;
}

class SameDType : public PlainStoring {
 protected:
  SameDType() {
    workshop_.put("one", typed({{"agree", Type::f16}, {"differ", Type::f16}, {"wide", Type::f32}}));
    workshop_.put("two", typed({{"agree", Type::f16}, {"differ", Type::bf16}, {"wide", Type::bf16}}));
    workshop_.put("base", typed({{"agree", Type::f32}, {"differ", Type::e5m2}, {"wide", Type::f64}}));
  }

  std::map<std::string, Type> types_of(const std::string& value, const std::string& how = "") {
    std::map<std::string, Type> types;
    for (const auto& [name, tensor] : workshop_.merge(kModels, value, how)) types[name] = tensor.type;
    return types;
  }

  static constexpr char kModels[] =
      "base = load(\"${dir}/base.safetensors\")\n"
      "one = load(\"${dir}/one.safetensors\", base = base)\n"
      "two = load(\"${dir}/two.safetensors\", base = base)\n"
      "lone = load(\"${dir}/two.safetensors\")\n";
  using Types = std::map<std::string, Type>;
};

TEST_F(SameDType, IsThatOfTheOperandsWhereTheyAgreeElseTheBases) {
  EXPECT_EQ(types_of("mean([one, two])"),
            (Types{{"agree", Type::f16}, {"differ", Type::e5m2}, {"wide", Type::f64}}));
}

TEST_F(SameDType, OfOneModelIsItsOwnWhateverTheBase) {
  EXPECT_EQ(types_of("one"), (Types{{"agree", Type::f16}, {"differ", Type::f16}, {"wide", Type::f32}}));
  EXPECT_EQ(types_of("two"), (Types{{"agree", Type::f16}, {"differ", Type::bf16}, {"wide", Type::bf16}}));
}

TEST_F(SameDType, ABaseThatIsAnOperandCountsAsOne) {
  EXPECT_EQ(types_of("base + 0.5*(one - base)"),
            (Types{{"agree", Type::f32}, {"differ", Type::e5m2}, {"wide", Type::f64}}));
}

TEST_F(SameDType, WithoutABaseIsAnErrorThatNamesTheTensorAndWhatToWrite) {
  const RecipeRun done = workshop_.run(std::string(kModels) + "save(mean([one, lone]), \"${out}/m.safetensors\")\n");
  ASSERT_FALSE(done.findings.empty());
  EXPECT_EQ(done.findings[0].kind, DiagnosticKind::dtype_mismatch);
  EXPECT_NE(done.findings[0].message.find("`differ` is f16"), std::string::npos) << done.findings[0].message;
  EXPECT_NE(done.findings[0].help.find("`dtype = widest`"), std::string::npos) << done.findings[0].help;
  EXPECT_NE(done.findings[0].help.find("bf16"), std::string::npos) << done.findings[0].help;
}

TEST_F(SameDType, WidestHoldsAllThatTheOperandsHold) {
  EXPECT_EQ(types_of("mean([one, lone])", ", dtype = widest"),
            (Types{{"agree", Type::f16}, {"differ", Type::f32}, {"wide", Type::f32}}));
}

// --- quantized checkpoints

class Quantized : public PlainStoring {
 protected:
  Quantized() {
    fs::create_directory(workshop_.dir() / "q");
    const Model model = {
        {"l.bias", {Type::bf16, {2}, {0.5, -1}}},
        {"l.weight", {Type::e4m3, {2, 2}, {448, -0.5, std::nan(""), 0}}},
        {"l.weight_scale_inv", {Type::f32, {1, 1}, {1e-3}}},
        {"packed", {Type::i32, {3}, {7, -1, 1 << 30}}},
    };
    plain::write(workshop_.dir() / "q/model.safetensors", model);
    std::ofstream(workshop_.dir() / "q/config.json") << kConfig;
  }

  static constexpr char kConfig[] =
      "{\"torch_dtype\": \"float16\", \"quantization_config\": {\"quant_method\": \"fp8\"}}";
  static constexpr char kLoad[] = "q = load(\"${dir}/q\")\n";
};

TEST_F(Quantized, IsCopiedAsItIs) {
  for (const char* lines : {"save(q, \"${out}/copy\", nonfinite = warn)\n",
                            "of_base = load(\"${dir}/q\", base = q)\nsave(of_base, \"${out}/copy\")\n"}) {
    const RecipeRun done = workshop_.run(std::string(kLoad) + lines);
    ASSERT_EQ(done.error, "");
    const Model original = input("q/model"), copy = plain::read(workshop_.out() / "copy/model.safetensors");
    ASSERT_EQ(copy.size(), original.size());
    for (const auto& [name, tensor] : original) {
      EXPECT_EQ(copy.at(name).type, tensor.type);
      EXPECT_EQ(copy.at(name).shape, tensor.shape);
      EXPECT_EQ(plain::bytes_of(copy.at(name)), plain::bytes_of(tensor)) << name;
    }
    EXPECT_EQ(read_file(workshop_.out() / "copy/config.json"), kConfig);
  }
}

TEST_F(Quantized, ACopyIsQuantizedToo) {
  const RecipeRun done = workshop_.run(
      std::string(kLoad) + "save(q, \"${out}/copy\")\nsave(2*load(\"${out}/copy\") - q, \"${out}/twice\")\n");
  ASSERT_FALSE(done.findings.empty());
  EXPECT_EQ(done.findings[0].kind, DiagnosticKind::quantized);
}

TEST_F(Quantized, RefusesEveryArithmetic) {
  const char* const values[] = {"save(mean([q]), \"${out}/m\")",
                                "save(0.5*q + 0.5*q, \"${out}/m\")",
                                "save(q - q, \"${out}/m\")",
                                "save(abs(q), \"${out}/m\")",
                                "save(where(true == true, q, q), \"${out}/m\", dtype = f32)",
                                "save(q, \"${out}/m\", dtype = bf16)",
                                "save(task_arithmetic([load(\"${dir}/q\", base = q)]), \"${out}/m\")",
                                "print(norm(q, over = model))",
                                "print(max(q, over = model))",
                                "save(top(q, 1, over = tensor), \"${out}/m\")"};
  for (const char* value : values) {
    SCOPED_TRACE(value);
    const RecipeRun done = workshop_.run(std::string(kLoad) + value + "\n");
    ASSERT_FALSE(done.findings.empty());
    EXPECT_EQ(done.findings[0].kind, DiagnosticKind::quantized) << done.error;
    EXPECT_TRUE(fs::is_empty(workshop_.out()));
  }
}

}  // namespace
}  // namespace roux::testing
