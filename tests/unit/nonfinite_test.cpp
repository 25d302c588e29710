// Values that are not finite, counted: every bit pattern of the narrow types and the edges of the wide
// ones against <cmath>, and in runs for any threads, tiles and backend.
#include "runtime/exec/nonfinite.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "tests/support/plain.h"
#include "tests/support/plans.h"

namespace roux {
namespace {

namespace plain = testing::plain;

template <class Word>
void expect_every_pattern(DType dtype, plain::Type type) {
  for (std::uint32_t word = 0; word <= std::numeric_limits<Word>::max(); ++word) {
    const auto stored = static_cast<Word>(word);
    const bool finite = std::isfinite(plain::value_of(type, word));
    ASSERT_EQ(count_nonfinite(dtype, &stored, 1), finite ? 0 : 1) << name_of(dtype) << " " << word;
  }
}

TEST(Nonfinite, IsToldForEveryPatternOfTheNarrowTypes) {
  expect_every_pattern<std::uint16_t>(DType::f16, plain::Type::f16);
  expect_every_pattern<std::uint16_t>(DType::bf16, plain::Type::bf16);
  expect_every_pattern<std::uint8_t>(DType::f8_e4m3, plain::Type::e4m3);
  expect_every_pattern<std::uint8_t>(DType::f8_e5m2, plain::Type::e5m2);
}

template <class Float>
void expect_edges(DType dtype) {
  using Limits = std::numeric_limits<Float>;
  const std::vector<Float> finite = {0, Float(-0.0), Limits::denorm_min(), 1, Limits::max(), Limits::lowest()};
  const std::vector<Float> rest = {Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN(),
                                   -Limits::quiet_NaN(), Limits::signaling_NaN()};
  for (const Float& value : finite) EXPECT_EQ(count_nonfinite(dtype, &value, 1), 0u) << value;
  for (const Float& value : rest) EXPECT_EQ(count_nonfinite(dtype, &value, 1), 1u) << value;
  EXPECT_EQ(count_nonfinite(dtype, rest.data(), rest.size()), rest.size());
}

TEST(Nonfinite, IsToldAtTheEdgesOfTheWideTypes) {
  expect_edges<float>(DType::f32);
  expect_edges<double>(DType::f64);
}

TEST(Nonfinite, IsCountedWhereverItStands) {
  std::vector<std::uint16_t> values(3 * 4096 + 17, 0x3F80);
  EXPECT_EQ(count_nonfinite(DType::bf16, values.data(), values.size()), 0u);
  std::uint64_t expected = 0;
  for (const std::size_t at : {0u, 1u, 4095u, 4096u, 8191u, 12288u, 12304u}) {
    values[at] = at % 2 ? 0x7F80 : 0xFFC0;
    EXPECT_EQ(count_nonfinite(DType::bf16, values.data(), values.size()), ++expected);
  }
  EXPECT_EQ(count_nonfinite(DType::bf16, values.data(), 0), 0u);
  EXPECT_EQ(count_nonfinite(DType::bf16, values.data(), 12304), expected - 1);  // the last lies beyond
}

// Doubled and stored in half the width: some results overflow, some were infinite or NaN already.
TEST(Nonfinite, OverflowsAreToldFromResultsThatAreNotFinite) {
  testing::PlanMaker maker(1);
  std::vector<testing::Floats> values;
  for (const auto& [name, count] : testing::kTensors) {
    testing::Floats floats(count, 1.5f);
    for (std::size_t i = 0; i < count; ++i) {
      if (i % 997 == 5) floats[i] = 40000;  // twice that is beyond f16
      if (i % 4099 == 7) floats[i] = -std::numeric_limits<float>::infinity();
      if (i % 5003 == 11) floats[i] = std::numeric_limits<float>::quiet_NaN();
    }
    maker.add_tensor<float>(name, DType::f32, {floats});
    maker.plan.outputs[0].dtypes.back() = DType::f16;
    values.push_back(std::move(floats));
  }
  const std::uint32_t kernel = maker.kernel(
      "kernel f32\ninputs f32\nscalars 1\n%0 = input 0\n%1 = linear [%0 * $0]\nstore f16 %1\n");
  maker.launch(0, 0, {kernel, {0}, {}, {maker.constant(2)}, {testing::kToOutput}, {}});

  const auto expect_counts = [&](const std::string& backend, int threads, std::uint64_t tile) {
    SCOPED_TRACE(::testing::Message() << backend << ", " << threads << " threads, tiles of " << tile);
    KernelCache kernels = testing::kernel_cache(backend);
    const Result<testing::Ran> ran = maker.run(kernels, threads, tile);
    ASSERT_TRUE(ran.ok());
    std::size_t next = 0;
    for (std::size_t t = 0; t < values.size(); ++t) {
      std::uint64_t overflows = 0, rest = 0;
      for (const float value : values[t]) (value == 40000 ? overflows : rest) += value == 40000 || !std::isfinite(value);
      if (overflows + rest == 0) continue;
      ASSERT_LT(next, ran->result.nonfinite.size());
      const Nonfinite& found = ran->result.nonfinite[next++];
      EXPECT_EQ(found.tensor, testing::kTensors[t].first);
      EXPECT_EQ(found.dtype, DType::f16);
      EXPECT_EQ(found.values, overflows + rest);
      EXPECT_EQ(found.overflows, overflows);
    }
    EXPECT_EQ(next, 3u);  // `a`, `big` and `mid`
    EXPECT_EQ(ran->result.nonfinite.size(), next);
  };
  expect_counts("llvm", 1, 4096);
  expect_counts("llvm", 7, 65536);
  expect_counts("reference", 2, 8192);
}

// Where the lanes are as wide as the type, nothing overflows on the way.
TEST(Nonfinite, ResultsInTheLaneTypeDoNotOverflow) {
  testing::PlanMaker maker(1);
  maker.add_tensor<float>("x", DType::f32, {{1, 3e38f, -3e38f, std::numeric_limits<float>::infinity()}});
  const std::uint32_t kernel = maker.kernel(
      "kernel f32\ninputs f32\nscalars 1\n%0 = input 0\n%1 = linear [%0 * $0]\nstore f32 %1\n");
  maker.launch(0, 0, {kernel, {0}, {}, {maker.constant(10)}, {testing::kToOutput}, {}});
  const testing::Ran ran = testing::run_everywhere(maker);
  ASSERT_EQ(ran.result.nonfinite.size(), 1u);
  EXPECT_EQ(ran.result.nonfinite[0].values, 3u);
  EXPECT_EQ(ran.result.nonfinite[0].overflows, 0u);
}

}  // namespace
}  // namespace roux
