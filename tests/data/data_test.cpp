// Roux on checkpoints that other people made, held against numbers that other programs computed.
// They lie beside the checkout; without them these tests skip.
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "tests/support/plain_methods.h"
#include "tests/support/recipes.h"

namespace roux::testing {
namespace {

namespace fs = std::filesystem;
using plain::Model;
using plain::Values;

fs::path data_dir() { return shared_dir() / "data"; }

class RealData : public ::testing::Test {
 protected:
  void need(const std::string& name) {
    if (!fs::exists(data_dir() / name)) GTEST_SKIP() << "no " << (data_dir() / name).string();
  }

  Workshop workshop_;
};

double sum_of(const Values& values) {
  long double sum = 0;
  for (const double x : values) sum += x;
  return static_cast<double>(sum);
}

double length_of(const Values& values) {
  long double sum = 0;
  for (const double x : values) sum += static_cast<long double>(x) * x;
  return static_cast<double>(std::sqrt(sum));
}

// --- waifu2x: TIES and task arithmetic as the TIES authors' own functions compute them
// --------------

class Waifu2x : public RealData {
 protected:
  void SetUp() override { need("waifu2x-upconv7"); }

  std::string family() const {
    const std::string folder = (data_dir() / "waifu2x-upconv7").string();
    return "base = load(\"" + folder + "/scale.safetensors\")\n" + "tasks = [load(\"" + folder +
           "/noise${i}_scale.safetensors\", base = base) for i in range(1, 4)]\n" +
           "others = [load(\"" + folder +
           "/noise${i}_scale.safetensors\", base = base) for i in range(4)]\n";
  }
};

// The authors' numbers are f64 sums of a task vector in f32, which Roux forms with the same
// roundings: 1e-8 of the length covers the order of summation and the roundings of the last step,
// which sum to nothing.
TEST_F(Waifu2x, TiesIsWhatTheAuthorsCodeComputes) {
  const Values merged = plain::flat(workshop_.merge(
      family(), "ties(tasks, k = 20%, compat = \"reference\") - base", ", dtype = f64"));
  ASSERT_EQ(merged.size(), 994'976u);
  EXPECT_NEAR(sum_of(merged), -2729.775309853, 1e-8 * 2729.775309853);
  EXPECT_NEAR(length_of(merged), 134.523283116, 1e-8 * 134.523283116);
  EXPECT_EQ(std::count_if(merged.begin(), merged.end(), [](double x) { return x != 0; }), 412'906);
}

TEST_F(Waifu2x, TrimmingKeepsWhatTheAuthorsCodeKeeps) {
  const auto kept =
      workshop_.numbers(family(),
                        "${count(trim_with_ties(tasks[0] - base, 20%) != 0, over = model)} "
                        "${count(trim_with_ties(tasks[1] - base, 20%) != 0, over = model)} "
                        "${count(trim_with_ties(tasks[2] - base, 20%) != 0, over = model)} "
                        "${count(trim(tasks[0] - base, 20%) != 0, over = model)}");
  EXPECT_EQ(kept, (std::vector<double>{198'996, 198'996, 198'996, 198'995}));
}

// The golden sum and length are those of the sum of the three task vectors in f32, each rounded as
// it was added: 5e-8 of the sum of magnitudes.
TEST_F(Waifu2x, TaskArithmetic) {
  const Values merged = plain::flat(workshop_.merge(family(), "sum([m - base for m in tasks])"));
  EXPECT_NEAR(sum_of(merged), -4556.008531083, 1e-6 * 4556.008531083);
  EXPECT_NEAR(length_of(merged), 240.449472782, 1e-7 * 240.449472782);
  const Values scaled =
      plain::flat(workshop_.merge(family(), "task_arithmetic(tasks, scale = 0.4)"));
  const Values base = plain::flat(plain::read(data_dir() / "waifu2x-upconv7/scale.safetensors"));
  for (std::size_t i = 0; i < base.size(); ++i)
    ASSERT_NEAR(scaled[i], base[i] + 0.4 * merged[i],
                1e-6 * (std::fabs(base[i]) + std::fabs(merged[i]) + 1e-6))
        << i;
}

TEST_F(Waifu2x, Cosines) {
  const auto cosines = workshop_.numbers(
      family(),
      "${cosine(base, others[0], over = model)} ${cosine(base, others[1], over = model)} "
      "${cosine(base, others[2], over = model)} ${cosine(base, others[3], over = model)}");
  const double published[] = {0.752, 0.679, 0.610, 0.585};
  ASSERT_EQ(cosines.size(), 4u);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(cosines[i], published[i], 5e-4) << i;
}

// --- resnet20: greedy selects what PyTorch's accuracies select
// --------------------------------------

class Resnet20 : public RealData {
 protected:
  void SetUp() override { need("resnet20-cifar"); }

  static fs::path family() { return data_dir() / "resnet20-cifar"; }

  static std::string recipe() {
    const std::string scores = (source_dir() / "tests/data/resnet20_scores.json").string();
    return "models = load_all(\"" + family().string() + "/ft-*.safetensors\")\nval = command(\"'" +
           std::string(RECORDED_SCORER) + "' {model} '" + family().string() + "' '" + scores +
           "'\", metric = \"accuracy\")\n";
  }

  static std::vector<Model> members(const std::vector<int>& numbers) {
    std::vector<Model> models;
    for (const int i : numbers)
      models.push_back(plain::read(family() / ("ft-" + std::to_string(i) + ".safetensors")));
    return models;
  }

  // Runs a greedy search; which models it took, in which order, is told by the sums of their
  // weights.
  void expect_selection(const std::string& call) {
    SCOPED_TRACE(call);
    const RecipeRun done = workshop_.run(recipe() + "soup = " + call +
                                         "\nsave(soup, \"${out}/soup.safetensors\")\n"
                                         "print([sum(m, over = model) for m in soup])\n"
                                         "print([sum(m, over = model) for m in models])\n");
    ASSERT_EQ(done.error, "");
    const std::vector<Model> taken = members({7, 9, 4, 2});
    const Model soup = plain::read(workshop_.out() / "soup.safetensors");
    EXPECT_EQ(plain::difference(plain::linear(taken, {0.25, 0.25, 0.25, 0.25}), soup), "");
    ASSERT_EQ(done.printed.size(), 2u);
    const auto sums = numbers_in(done.printed[1]);
    ASSERT_EQ(sums.size(), 10u);
    EXPECT_EQ(numbers_in(done.printed[0]),
              (std::vector<double>{sums[7], sums[9], sums[4], sums[2]}));
    expect_largest_counters(taken, soup);
    ASSERT_EQ(done.report.outputs.size(), 1u);
    EXPECT_EQ(done.report.outputs[0].score, 0.8655);
    EXPECT_EQ(done.report.models_scored, 19u);  // ten models, nine means
  }

  static std::vector<double> numbers_in(const std::string& text) {
    std::vector<double> values;
    for (std::size_t at = 0; (at = text.find_first_of("-0123456789", at)) != std::string::npos;) {
      std::size_t used = 0;
      values.push_back(std::stod(text.substr(at), &used));
      at += used;
    }
    return values;
  }

  static void expect_largest_counters(const std::vector<Model>& taken, const Model& soup) {
    int counters = 0;
    for (const auto& [name, tensor] : soup) {
      if (!name.ends_with("num_batches_tracked")) continue;
      ++counters;
      Values largest = taken[0].at(name).values;
      for (const Model& model : taken) largest[0] = std::max(largest[0], model.at(name).values[0]);
      EXPECT_EQ(tensor.values, largest) << name;
    }
    EXPECT_EQ(counters, 19);
  }
};

TEST_F(Resnet20, GreedyTakesSevenNineFourTwo) { expect_selection("greedy(models, val)"); }

TEST_F(Resnet20, GreedyByTheStrictRule) {
  expect_selection("greedy(models, val, accept = \"better\")");
}

TEST_F(Resnet20, UniformSoupScoresAsPublished) {
  const RecipeRun done =
      workshop_.run(recipe() + "m = mean(models)\nprint(val(m))\nprint(val(models[5]))\n" +
                    "save(m, \"${out}/mean.safetensors\")\n");
  ASSERT_EQ(done.error, "");
  EXPECT_EQ(done.printed, (std::vector<std::string>{"0.861", "0.8245"}));
  const std::vector<Model> all = members({0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
  const Model mean = plain::read(workshop_.out() / "mean.safetensors");
  EXPECT_EQ(plain::difference(plain::linear(all, std::vector<double>(10, 0.1)), mean), "");
  expect_largest_counters(all, mean);
}

// The counters of the family are all equal; here are some that are not.
TEST_F(Resnet20, CountersTakeTheLargest) {
  std::vector<Model> two = members({7, 9});
  for (auto& [name, tensor] : two[1])
    if (name.ends_with("num_batches_tracked"))
      tensor.values[0] += name.starts_with("layer2") ? 5 : -5;
  workshop_.put("a", two[0]);
  workshop_.put("b", two[1]);
  const RecipeRun done = workshop_.run(
      "m = mean([load(\"${dir}/a.safetensors\"), load(\"${dir}/b.safetensors\")])\n"
      "save(m, \"${out}/mean.safetensors\")\n");
  ASSERT_EQ(done.error, "");
  expect_largest_counters(two, plain::read(workshop_.out() / "mean.safetensors"));
  ASSERT_FALSE(done.notes.empty());
  EXPECT_NE(done.notes.back().find("the largest value was taken"), std::string::npos)
      << done.notes.back();
}

TEST_F(Resnet20, TheScorerRefusesOtherModels) {
  const RecipeRun done = workshop_.run(recipe() + "print(val(lerp(models[0], models[1], 0.25)))\n");
  EXPECT_NE(done.error.find("none of the recorded sets"), std::string::npos) << done.error;
}

// --- awkward files
// ----------------------------------------------------------------------------------

class Awkward : public RealData, public ::testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override { need("awkward"); }
  static fs::path file(const std::string& name) {
    return data_dir() / "awkward" / (name + ".safetensors");
  }
};

TEST_P(Awkward, IsReadAsItIs) {
  const Model expected = plain::read(file(GetParam()));
  Result<CheckpointReader> reader = CheckpointReader::open(file(GetParam()).string());
  ASSERT_TRUE(reader) << render(reader.error());
  ASSERT_EQ(reader->tensors().size(), expected.size());
  auto row = expected.begin();
  for (const TensorSummary& tensor : reader->tensors()) {
    ASSERT_EQ(tensor.name, row->first);
    EXPECT_EQ(tensor.shape, row->second.shape);
    const Result<std::vector<double>> values = reader->read_f64(tensor.name);
    ASSERT_TRUE(values);
    ASSERT_EQ(*values, row->second.values) << tensor.name;
    ++row;
  }
}

TEST_P(Awkward, MergedWithItselfIsItself) {
  const std::string load = "x = load(\"" + file(GetParam()).string() + "\")";
  const Model expected = plain::read(file(GetParam()));
  EXPECT_EQ(plain::difference(expected, workshop_.merge(load, "mean([x, x])")), "");
  EXPECT_EQ(plain::difference(expected, workshop_.merge(load, "mean([x, x, x])")), "");
  // A second file of the same bytes is another operand: nothing cancels before it is read.
  fs::copy_file(file(GetParam()), workshop_.dir() / "copy.safetensors");
  const std::string both = load + "\ny = load(\"${dir}/copy.safetensors\")";
  EXPECT_EQ(plain::difference(expected, workshop_.merge(both, "mean([x, y])")), "");
}

INSTANTIATE_TEST_SUITE_P(Files, Awkward,
                         ::testing::Values("analog_svd_rank4", "lora_disney",
                                           "lora_disney_inpainting", "silero_vad_16k"),
                         [](const auto& file) { return std::string(file.param); });

class AwkwardPair : public RealData {
 protected:
  void SetUp() override { need("awkward"); }

  // A mean of a and b, which must leave nothing behind.
  RecipeRun refused(const std::string& lines) {
    RecipeRun done = workshop_.run(lines + "save(mean([a, b]), \"${out}/merged.safetensors\")\n");
    EXPECT_TRUE(fs::is_empty(workshop_.out()));
    return done;
  }

  static void expect_named(const RecipeRun& run, const std::vector<std::string>& words) {
    for (const std::string& word : words)
      EXPECT_NE(run.error.find(word), std::string::npos) << word << " is not in\n" << run.error;
  }
};

TEST_F(AwkwardPair, MissingTensorsAreRefused) {
  const std::string folder = (data_dir() / "awkward").string();
  const RecipeRun done =
      refused("a = load(\"" + folder + "/lora_disney.safetensors\")\nb = load(\"" + folder +
              "/analog_svd_rank4.safetensors\")\n");
  ASSERT_FALSE(done.findings.empty());
  EXPECT_EQ(done.findings[0].kind, DiagnosticKind::missing_tensor);
  expect_named(done, {"lora_disney.safetensors", "analog_svd_rank4.safetensors", "`<s1>`"});
}

TEST_F(AwkwardPair, DifferentShapesUnderEqualNamesAreRefused) {
  const std::string folder = (data_dir() / "awkward").string();
  Model common = plain::read(folder + "/lora_disney.safetensors");
  common.erase("<s1>");
  common.erase("<s2>");
  workshop_.put("common", common);
  const RecipeRun done = refused("a = load(\"${dir}/common.safetensors\")\nb = load(\"" + folder +
                                 "/analog_svd_rank4.safetensors\")\n");
  ASSERT_FALSE(done.findings.empty());
  EXPECT_EQ(done.findings[0].kind, DiagnosticKind::shape_mismatch);
  expect_named(done, {"common.safetensors", "analog_svd_rank4.safetensors", "`text_encoder:0:down`",
                      "[1, 768]", "[4, 768]"});
}

// F32 in one file, F16 in the other, and no base to follow.
TEST_F(AwkwardPair, MixedStorageNeedsADtype) {
  const std::string folder = (data_dir() / "awkward").string();
  const std::string both = "a = load(\"" + folder + "/lora_disney.safetensors\")\nb = load(\"" +
                           folder + "/lora_disney_inpainting.safetensors\")";
  const RecipeRun refused =
      workshop_.run(both + "\nsave(mean([a, b]), \"${out}/merged.safetensors\")\n");
  ASSERT_FALSE(refused.findings.empty());
  EXPECT_EQ(refused.findings[0].kind, DiagnosticKind::dtype_mismatch) << refused.error;
  Model a = plain::read(data_dir() / "awkward/lora_disney.safetensors");
  Model b = plain::read(data_dir() / "awkward/lora_disney_inpainting.safetensors");
  for (auto& [name, tensor] : b) tensor.type = plain::Type::f32;
  EXPECT_EQ(plain::difference(plain::linear({a, b}, {0.5, 0.5}),
                              workshop_.merge(both, "mean([a, b])", ", dtype = widest")),
            "");
}

}  // namespace
}  // namespace roux::testing
