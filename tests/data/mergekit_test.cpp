// Recipes that say what mergekit's configurations say, against what mergekit computed. Its
// arithmetic is f32 with torch's order of summation: 1e-5 relative, and 1e-7 near zero.
#include <gtest/gtest.h>

#include <cmath>
#include <ostream>
#include <string>
#include <vector>

#include "tests/support/recipes.h"

namespace roux::testing {
namespace {

namespace fs = std::filesystem;

fs::path golden_dir() { return shared_dir() / "golden/mergekit"; }

struct Case {
  const char* name;
  const char* expression;  // over base, a, b, c, far, frozen, and the bf16 copies a16, b16, c16, base16
};

void PrintTo(const Case& row, std::ostream* out) { *out << row.name; }

const Case kCases[] = {
    {"linear_basic", "mean([a, b, c], weights = [1, 0.3, 0.5])"},
    {"linear_unnormalized", "(1.0*a + 0.3*b) as model"},
    // A gradient over the blocks; mergekit takes the first value for what stands outside of them.
    {"linear_gradient",
     "mean([a, b], weights = [curve([1, 0.2, 0], over = within), curve([0, 1], over = within)])"},
    {"slerp_far", "slerp(a, far, t = 0.35)"},
    {"slerp_colinear_lerp", "slerp(a, b, t = 0.35)"},
    {"slerp_base_listed_second", "slerp(far, a, t = 0.2)"},
    {"task_arithmetic", "task_arithmetic([a, b, c], weights = [0.6, -0.3, 0.5])"},
    {"ties_default", "ties([a, b, c], weights = [0.6, 0.3, 0.5], k = 1, compat = \"mergekit\")"},
    {"ties_density", "ties([a, b, c], weights = 1, k = [0.2, 0.5, 0.8], compat = \"mergekit\")"},
    {"ties_unnormalized_lambda",
     "ties([a, b], weights = 0.5, k = 0.5, scale = 0.7, over = tensor, vote = weighted, zero_vote "
     "= positive, "
     "normalize = no)"},
    {"dare_linear_density1", "dare_linear([a, b], weights = [0.6, 0.4], p = 0, rescale = l1)"},
    {"della_density1",
     "della([a, b], weights = [0.6, 0.4], p = 0, rescale = l1, vote = weighted, zero_vote = "
     "positive, normalize = weights)"},
    {"della_linear_density0",
     "della_linear([a, b], weights = [0.6, 0.4], p = [1, 0], rescale = l1)"},
    {"breadcrumbs_mlp",
     "breadcrumbs([a, b], weights = 0.5, k = [0.7, 0.5], outliers = [0.1, 0.2])"},
    {"karcher", "karcher([a, b, far])"},
    {"karcher_iter1", "karcher([a, b, far], steps = 1, tolerance = 1e-9)"},
    {"multislerp", "multislerp([a, b, far], weights = [0.5, 0.3, 0.2])"},
    {"multislerp_unnormalized", "multislerp([a, far], weights = [0.5, 0.9], normalize = false)"},
    {"model_stock", "model_stock([a, b, c])"},
    {"nuslerp_flatten1_row0", "nuslerp(a, far, t = 0.4)"},
    {"nuslerp_flatten1_row1", "nuslerp(a, far, t = 0.4)"},
    {"nuslerp_base_flatten1_row0", "nuslerp(a, b, t = 0.4, base = base)"},
    {"nuslerp_base_flatten1_row1", "nuslerp(a, b, t = 0.4, base = base)"},
    {"nuslerp_base_flatten0_row0", "nuslerp(a, b, t = 0.4, base = base, over = row)"},
    // What mergekit calls rows are columns; a vector is one of them to it.
    {"nuslerp_flatten0_row1",
     "match name { \"*norm*\" => nuslerp(a, far, t = 0.4), _ => nuslerp(a, far, t = 0.4, over = "
     "column) }"},
    {"passthrough_one", "a"},
    {"nearswap", "nearswap(base, a, t = 0.005)"},
    {"ram", "ram([a, frozen, c])"},
    {"ramplus_tl", "ramplus([a, b, c], r = 0.3, alpha = 0.5, epsilon = 0.01)"},
    {"sce_default", "sce([a, b, c], k = 1)"},
};

std::string models() {
  const std::string folder = (golden_dir() / "models").string();
  std::string text = "base = load(\"" + folder + "/base\")\n";
  for (const char* name : {"a", "b", "c", "far", "frozen"})
    text += std::string(name) + " = load(\"" + folder + "/" + name + "\", base = base)\n";
  return text + "within = if layer < 0 then 0 else depth\n";
}

class Mergekit : public ::testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (!fs::exists(golden_dir())) GTEST_SKIP() << "no " << golden_dir().string();
  }
  Workshop workshop_;
};

TEST_P(Mergekit, ComputesTheSame) {
  const plain::Model expected =
      plain::read(golden_dir() / "cases" / GetParam().name / "expected.safetensors");
  const plain::Model got = workshop_.merge(models(), GetParam().expression);
  ASSERT_EQ(got.size(), expected.size());
  for (const auto& [name, tensor] : expected) {
    const plain::Tensor& other = got.at(name);
    ASSERT_EQ(other.shape, tensor.shape);
    for (std::size_t i = 0; i < tensor.values.size(); ++i)
      ASSERT_NEAR(other.values[i], tensor.values[i], 1e-5 * std::fabs(tensor.values[i]) + 1e-7)
          << name << "[" << i << "]";
  }
}

INSTANTIATE_TEST_SUITE_P(Golden, Mergekit, ::testing::ValuesIn(kCases),
                         [](const auto& golden) { return std::string(golden.param.name); });

// Where mergekit computes in bf16, f32 with one rounding at the end is nearer to the truth.
class MergekitInBf16 : public ::testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (!fs::exists(golden_dir())) GTEST_SKIP() << "no " << golden_dir().string();
  }
  Workshop workshop_;
};

TEST_P(MergekitInBf16, RoundsMoreOften) {
  const std::string folder = (golden_dir() / "models").string();
  std::string lines = "base = load(\"" + folder + "/base_bf16\")\n";
  for (const char* name : {"a", "b", "c"})
    lines += std::string(name) + " = load(\"" + folder + "/" + name + "_bf16\", base = base)\n";
  const plain::Model theirs =
      plain::read(golden_dir() / "cases" / GetParam().name / "expected.safetensors");
  const plain::Model ours = workshop_.merge(lines, GetParam().expression);
  const plain::Model truth = workshop_.merge(lines, GetParam().expression, ", dtype = f64");
  double their_error = 0, our_error = 0, size = 0;
  for (const auto& [name, tensor] : truth)
    for (std::size_t i = 0; i < tensor.values.size(); ++i) {
      ASSERT_EQ(theirs.at(name).type, plain::Type::bf16);
      ASSERT_EQ(ours.at(name).type, plain::Type::bf16);
      their_error += std::fabs(theirs.at(name).values[i] - tensor.values[i]);
      our_error += std::fabs(ours.at(name).values[i] - tensor.values[i]);
      size += std::fabs(tensor.values[i]);
    }
  EXPECT_LT(our_error, their_error);
  EXPECT_LT(our_error, std::ldexp(size, -9));    // half a place of bf16 at most
  EXPECT_LT(their_error, std::ldexp(size, -6));  // and theirs is the same merge, only coarser
}

INSTANTIATE_TEST_SUITE_P(
    Golden, MergekitInBf16,
    ::testing::Values(
        Case{"linear_bf16_compute", "mean([a, b], weights = [0.6, 0.4])"},
        Case{"ties_bf16_compute",
             "ties([a, b, c], weights = [0.6, 0.3, 0.5], k = 0.5, compat = \"mergekit\")"}),
    [](const auto& golden) { return std::string(golden.param.name); });

}  // namespace
}  // namespace roux::testing
