// What operations mean, against definitions written independently: the C library in long double,
// rounding by searching all values of a format, published vectors of Philox.
#include <cmath>
#include <map>

#include <gtest/gtest.h>

#include "tests/support/kernels.h"

namespace roux {
namespace {

using testing::Random;

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

ScalarLanes<double> f64_lanes;
ScalarLanes<float> f32_lanes;

template <class T>
T apply(Op op, T a, T b = 0) {
  ScalarLanes<T> lanes;
  using Value = semantics::Value<ScalarLanes<T>>;
  return semantics::apply(lanes, op, Value(a), Value(b), Value()).number;
}

// Equal, also in the sign of zero; all NaNs are one.
::testing::AssertionResult same(double seen, double expected) {
  if (std::isnan(seen) && std::isnan(expected)) return ::testing::AssertionSuccess();
  if (seen == expected && std::signbit(seen) == std::signbit(expected))
    return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "seen " << seen << ", expected " << expected;
}

// --- special values ------------------------------------------------------------------------------

TEST(Operations, keep_their_special_values) {
  const struct {
    Op op;
    double x, result;
  } kCases[] = {
      {Op::exp, 0, 1},           {Op::exp, -0.0, 1},        {Op::exp, kInf, kInf},
      {Op::exp, -kInf, 0},       {Op::exp, kNaN, kNaN},     {Op::exp, 1000, kInf},
      {Op::exp, -1000, 0},       {Op::log, 1, 0},           {Op::log, 0, -kInf},
      {Op::log, -0.0, -kInf},    {Op::log, -1, kNaN},       {Op::log, kInf, kInf},
      {Op::log, -kInf, kNaN},    {Op::log, kNaN, kNaN},     {Op::sin, 0, 0},
      {Op::sin, -0.0, -0.0},     {Op::sin, kInf, kNaN},     {Op::sin, kNaN, kNaN},
      {Op::cos, 0, 1},           {Op::cos, -kInf, kNaN},    {Op::acos, 1, 0},
      {Op::acos, 1.5, kNaN},     {Op::acos, -2, kNaN},      {Op::acos, kNaN, kNaN},
      {Op::acos, kInf, kNaN},    {Op::tanh, 0, 0},          {Op::tanh, -0.0, -0.0},
      {Op::tanh, kInf, 1},       {Op::tanh, -kInf, -1},     {Op::tanh, 100, 1},
      {Op::tanh, kNaN, kNaN},    {Op::sqrt, 4, 2},          {Op::sqrt, -0.0, -0.0},
      {Op::sqrt, -1, kNaN},      {Op::sign, -3, -1},        {Op::sign, 5e-324, 1},
      {Op::sign, -0.0, 0},       {Op::sign, 0, 0},          {Op::sign, kNaN, kNaN},
      {Op::sign, -kInf, -1},     {Op::round, 2.5, 2},       {Op::round, 3.5, 4},
      {Op::round, -0.5, -0.0},   {Op::round, -2.5, -2},     {Op::round, kInf, kInf},
      {Op::round, kNaN, kNaN},   {Op::round, 1e300, 1e300}, {Op::floor, 2.7, 2},
      {Op::floor, -0.2, -1},     {Op::floor, -0.0, -0.0},   {Op::floor, 0.7, 0},
      {Op::floor, -kInf, -kInf}, {Op::floor, kNaN, kNaN},   {Op::abs, -0.0, 0},
      {Op::abs, -kInf, kInf},    {Op::neg, 0, -0.0},        {Op::isfinite, kInf, 0},
      {Op::isfinite, kNaN, 0},   {Op::isfinite, 1e308, 1},  {Op::logical_not, 0, 1},
      {Op::to_number, 1, 1},
  };
  for (const auto& row : kCases)
    EXPECT_TRUE(same(apply_scalar(row.op, row.x), row.result)) << name_of(row.op) << " " << row.x;
}

TEST(Operations, of_two_keep_their_special_values) {
  const struct {
    Op op;
    double x, y, result;
  } kCases[] = {
      {Op::min, 0.0, -0.0, -0.0},  {Op::min, -0.0, 0.0, -0.0},
      {Op::max, 0.0, -0.0, 0.0},   {Op::max, -0.0, 0.0, 0.0},
      {Op::min, kNaN, 1, kNaN},    {Op::min, 1, kNaN, kNaN},
      {Op::max, kNaN, kInf, kNaN}, {Op::max, -kInf, kNaN, kNaN},
      {Op::min, 2, 3, 2},          {Op::max, 2, 3, 3},
      {Op::min, -kInf, 3, -kInf},  {Op::max, -2, -3, -2},
      {Op::lt, kNaN, 1, 0},        {Op::le, 1, 1, 1},
      {Op::eq, 0.0, -0.0, 1},      {Op::ne, kNaN, kNaN, 1},
      {Op::eq, kNaN, kNaN, 0},     {Op::logical_and, 1, 0, 0},
      {Op::logical_or, 1, 0, 1},   {Op::pow, kNaN, 0, 1},
      {Op::pow, 1, kNaN, 1},       {Op::pow, 1, kInf, 1},
      {Op::pow, -1, kInf, 1},      {Op::pow, -1, -kInf, 1},
      {Op::pow, 2, kInf, kInf},    {Op::pow, 2, -kInf, 0},
      {Op::pow, 0.5, kInf, 0},     {Op::pow, 0.5, -kInf, kInf},
      {Op::pow, -2, 0.5, kNaN},    {Op::pow, -1, 65, -1},
      {Op::pow, -2, 3, -8},        {Op::pow, -2, -2, 0.25},
      {Op::pow, 0, 0.5, 0},        {Op::pow, 0, -0.5, kInf},
      {Op::pow, -0.0, -0.5, kInf}, {Op::pow, -0.0, -3, -kInf},
      {Op::pow, -0.0, 3, -0.0},    {Op::pow, -0.0, 65, -0.0},
      {Op::pow, -0.0, -65, -kInf}, {Op::pow, kInf, 0.5, kInf},
      {Op::pow, kInf, -1.5, 0},    {Op::pow, -kInf, 0.5, kInf},
      {Op::pow, -kInf, 67, -kInf}, {Op::pow, -kInf, 66, kInf},
      {Op::pow, kNaN, 0.5, kNaN},  {Op::pow, -1, 1e300, 1},
      {Op::pow, 2, kNaN, kNaN},    {Op::pow, 10, 2, 100},
  };
  for (const auto& row : kCases)
    EXPECT_TRUE(same(apply_scalar(row.op, row.x, row.y), row.result))
        << name_of(row.op) << " " << row.x << " " << row.y;
  EXPECT_EQ(apply_scalar(Op::where, 1, 5, 7), 5);
  EXPECT_EQ(apply_scalar(Op::where, 0, 5, 7), 7);
}

TEST(Operations, whole_powers_are_products_in_the_lane_type) {
  Random random(4);
  for (int i = 0; i < 1000; ++i) {
    const float x = std::normal_distribution<float>(0, 2)(random);
    EXPECT_EQ(apply(Op::pow, x, 2.f), x * x);
    EXPECT_EQ(apply(Op::pow, x, 3.f), x * (x * x));
    EXPECT_EQ(apply(Op::pow, x, 6.f), (x * x) * ((x * x) * (x * x)));
    EXPECT_EQ(apply(Op::pow, x, -1.f), 1.f / x);
  }
}

// --- accuracy ------------------------------------------------------------------------------------

template <class T>
long double ulp_of(long double x) {
  const int lowest = std::numeric_limits<T>::min_exponent - std::numeric_limits<T>::digits;
  if (x == 0) return std::ldexp(1.0L, lowest);
  const int exponent = std::ilogb(x) - std::numeric_limits<T>::digits + 1;
  return std::ldexp(1.0L, std::max(exponent, lowest));
}

struct Accuracy {
  Op op;
  long double (*truth)(long double);
  double low, high;
  bool logarithmic;  // draw exponents evenly
};

template <class T>
double worst_error(const Accuracy& row, int draws) {
  Random random(5);
  double worst = 0;
  for (int i = 0; i < draws; ++i) {
    const double unit = static_cast<double>(random() >> 11) * 0x1p-53;
    double x = row.low + (row.high - row.low) * unit;
    if (row.logarithmic)
      x = std::exp(std::log(row.low) + (std::log(row.high) - std::log(row.low)) * unit);
    if (row.logarithmic && row.op != Op::log && (random() & 1)) x = -x;
    const T rounded = static_cast<T>(x);
    const long double truth = row.truth(rounded);
    const T seen = apply(row.op, rounded);
    if (std::fabs(truth) > std::numeric_limits<T>::max()) continue;
    const auto error = std::fabs(static_cast<long double>(seen) - truth) / ulp_of<T>(truth);
    worst = std::max(worst, static_cast<double>(error));
  }
  return worst;
}

TEST(Accuracy, stays_within_two_and_a_half_ulp_in_f64_and_rounds_well_in_f32) {
  const Accuracy kRows[] = {
      {Op::exp, std::exp, -745, 709.7, false},   {Op::exp, std::exp, -2, 2, false},
      {Op::exp, std::exp, 1e-20, 1, true},       {Op::log, std::log, 5e-324, 1.7e308, true},
      {Op::log, std::log, 0.5, 2, false},        {Op::log, std::log, 0.99, 1.01, false},
      {Op::sin, std::sin, -10, 10, false},       {Op::sin, std::sin, -1e6, 1e6, false},
      {Op::sin, std::sin, 1e-300, 1e5, true},    {Op::cos, std::cos, -10, 10, false},
      {Op::cos, std::cos, -1e6, 1e6, false},     {Op::acos, std::acos, -1, 1, false},
      {Op::acos, std::acos, 1e-30, 1, true},     {Op::acos, std::acos, 0.9999, 1, false},
      {Op::acos, std::acos, -1, -0.9999, false}, {Op::tanh, std::tanh, -3, 3, false},
      {Op::tanh, std::tanh, 1e-300, 30, true},   {Op::tanh, std::tanh, -0.5, 0.5, false},
  };
  for (const Accuracy& row : kRows) {
    const double f64 = worst_error<double>(row, 40000);
    const double f32 = worst_error<float>(row, 20000);
    EXPECT_LE(f64, 2.5) << name_of(row.op) << " in [" << row.low << ", " << row.high << "]";
    EXPECT_LE(f32, 0.51) << name_of(row.op) << " in [" << row.low << ", " << row.high << "]";
    std::printf("  %-5s [%9.3g, %9.3g]  f64 %.3f ulp  f32 %.4f ulp\n", name_of(row.op).data(),
                row.low, row.high, f64, f32);
  }
}

TEST(Accuracy, of_sin_near_multiples_of_pi) {
  for (int n = 1; n < 600000; n += 37) {
    const double x = static_cast<double>(n * 1.57079632679489661923132169163975144L);
    EXPECT_LE(std::fabs(apply(Op::sin, x) - std::sin(static_cast<long double>(x))),
              2 * ulp_of<double>(std::sin(static_cast<long double>(x))));
    EXPECT_LE(std::fabs(apply(Op::cos, x) - std::cos(static_cast<long double>(x))),
              2 * ulp_of<double>(std::cos(static_cast<long double>(x))));
  }
}

TEST(Accuracy, far_out_sin_is_still_a_sine) {
  Random random(6);
  for (int i = 0; i < 10000; ++i) {
    const double x = std::bit_cast<double>(random());
    if (std::isfinite(x)) {
      EXPECT_LE(std::fabs(apply(Op::sin, x)), 1.0) << x;
    }
  }
}

TEST(Accuracy, of_pow_is_that_of_exp_at_y_log_x) {
  Random random(7);
  double worst_f64 = 0, worst_f32 = 0;
  for (int i = 0; i < 50000; ++i) {
    const float x = std::exp(std::normal_distribution<float>(0, 3)(random));
    const float y = std::normal_distribution<float>(0, 5)(random);
    const long double truth = std::pow(static_cast<long double>(x), static_cast<long double>(y));
    if (truth > 3e38L || truth < 1e-37L) continue;
    const long double bound = 2 * std::fabs(y * std::log(static_cast<long double>(x))) + 2;
    const auto wide = std::fabs(apply<double>(Op::pow, x, y) - truth) / ulp_of<double>(truth);
    worst_f64 = std::max(worst_f64, static_cast<double>(wide / bound));
    const auto narrow = std::fabs(apply<float>(Op::pow, x, y) - truth) / ulp_of<float>(truth);
    worst_f32 = std::max(worst_f32, static_cast<double>(narrow));
  }
  EXPECT_LE(worst_f64, 1.0);
  EXPECT_LE(worst_f32, 0.51);
  std::printf("  pow: f64 %.3f of 2 |y log x| + 2 ulp, f32 %.4f ulp\n", worst_f64, worst_f32);
}

// --- storage -------------------------------------------------------------------------------------

double load(DType dtype, std::uint64_t bits) {
  return storage::load(f64_lanes, dtype, reinterpret_cast<const unsigned char*>(&bits));
}

std::uint64_t store_f64(DType dtype, double x) {
  std::uint64_t bits = 0;
  storage::store(f64_lanes, dtype, x, reinterpret_cast<unsigned char*>(&bits));
  return bits;
}

std::uint64_t store_f32(DType dtype, float x) {
  std::uint64_t bits = 0;
  storage::store(f32_lanes, dtype, x, reinterpret_cast<unsigned char*>(&bits));
  return bits;
}

struct SmallFormat {
  DType dtype;
  int exponent_bits, mantissa_bits;
  std::uint64_t nan;
};

constexpr SmallFormat kSmall[] = {{DType::f16, 5, 10, 0x7E00},
                                  {DType::bf16, 8, 7, 0x7FC0},
                                  {DType::f8_e4m3, 4, 3, 0x7F},
                                  {DType::f8_e5m2, 5, 2, 0x7E}};

// The value of a bit pattern, from the formats' definitions.
double decode(const SmallFormat& format, std::uint64_t bits) {
  const int width = 1 + format.exponent_bits + format.mantissa_bits;
  const int bias = (1 << (format.exponent_bits - 1)) - 1;
  const bool negative = (bits >> (width - 1)) & 1;
  const auto exponent =
      static_cast<int>((bits >> format.mantissa_bits) & ((1u << format.exponent_bits) - 1));
  const auto mantissa = static_cast<double>(bits & ((1u << format.mantissa_bits) - 1));
  const double ones = 1 << format.mantissa_bits;
  double value;
  if (format.dtype == DType::f8_e4m3 && exponent == 15 && mantissa == 7) {
    value = kNaN;
  } else if (format.dtype != DType::f8_e4m3 && exponent == (1 << format.exponent_bits) - 1) {
    value = mantissa == 0 ? kInf : kNaN;
  } else if (exponent == 0) {
    value = std::ldexp(mantissa / ones, 1 - bias);
  } else {
    value = std::ldexp(1 + mantissa / ones, exponent - bias);
  }
  return negative ? -value : value;
}

TEST(Storage, every_pattern_of_a_small_format_is_read_exactly_and_comes_back) {
  for (const SmallFormat& format : kSmall) {
    const std::uint64_t patterns = 1ull << (1 + format.exponent_bits + format.mantissa_bits);
    for (std::uint64_t bits = 0; bits < patterns; ++bits) {
      const double expected = decode(format, bits);
      ASSERT_TRUE(same(load(format.dtype, bits), expected)) << bits;
      const float in_f32 =
          storage::load(f32_lanes, format.dtype, reinterpret_cast<const unsigned char*>(&bits));
      ASSERT_TRUE(same(in_f32, expected)) << bits;
      const std::uint64_t back = std::isnan(expected) ? format.nan : bits;
      ASSERT_EQ(store_f64(format.dtype, expected), back);
      ASSERT_EQ(store_f32(format.dtype, in_f32), back);
    }
  }
}

// Rounding by search: the two neighbours among all values, the nearer, the even pattern on a tie.
// The value after the largest finite one stands for what lies beyond it (infinity, or NaN in E4M3).
class Searcher {
 public:
  explicit Searcher(const SmallFormat& format) : format_(format) {
    std::uint64_t bits = 0;
    for (; std::isfinite(decode(format, bits)); ++bits) values_.push_back(decode(format, bits));
    const double step = values_.back() - values_[values_.size() - 2];
    values_.push_back(values_.back() + step);
  }
  const std::vector<double>& values() const { return values_; }

  std::uint64_t round(double x) const {
    if (std::isnan(x)) return format_.nan;
    const double size = std::fabs(x);
    std::size_t above = 0;
    above = static_cast<std::size_t>(std::lower_bound(values_.begin(), values_.end(), size) -
                                     values_.begin());
    std::uint64_t pattern;
    if (above == values_.size()) {
      pattern = values_.size() - 1;
    } else if (above == 0) {
      pattern = 0;
    } else {
      const long double up = static_cast<long double>(values_[above]) - size;
      const long double down = static_cast<long double>(size) - values_[above - 1];
      pattern = up < down || (up == down && above % 2 == 0) ? above : above - 1;
    }
    if (format_.dtype == DType::f8_e4m3 && pattern == values_.size() - 1) return format_.nan;
    const int width = 1 + format_.exponent_bits + format_.mantissa_bits;
    return pattern | (static_cast<std::uint64_t>(std::signbit(x)) << (width - 1));
  }

 private:
  SmallFormat format_;
  std::vector<double> values_;
};

TEST(Storage, rounds_once_to_the_nearest_even) {
  Random random(8);
  for (const SmallFormat& format : kSmall) {
    const Searcher searcher(format);
    std::vector<double> cases;
    for (std::size_t i = 0; i + 1 < searcher.values().size(); i += 1 + i % 3) {
      const double middle = (searcher.values()[i] + searcher.values()[i + 1]) / 2;
      // The neighbours of a middle in f64 are traps for whoever rounds through f32 first.
      for (double x : {middle, std::nextafter(middle, 0), std::nextafter(middle, kInf),
                       static_cast<double>(std::nextafter(static_cast<float>(middle), 0.f)),
                       static_cast<double>(std::nextafter(static_cast<float>(middle), 3e38f))})
        cases.push_back(x);
    }
    for (int i = 0; i < 200000; ++i) {
      cases.push_back(std::bit_cast<double>(random()));
      cases.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(random())));
      cases.push_back(std::normal_distribution<double>(0, 1)(random));
    }
    for (double x :
         {0.0, kInf, 464.0, std::nextafter(464.0, 500.0), 465.0, 480.0, 65520.0, 61440.0})
      cases.push_back(x);
    for (double x : cases)
      for (double y : {x, -x}) {
        ASSERT_EQ(store_f64(format.dtype, y), searcher.round(y))
            << name_of(format.dtype) << " of " << y;
        const float z = static_cast<float>(y);
        ASSERT_EQ(store_f32(format.dtype, z), searcher.round(z))
            << name_of(format.dtype) << " of " << z;
      }
  }
}

TEST(Storage, wide_formats_round_as_the_machine_does) {
  Random random(9);
  for (int i = 0; i < 100000; ++i) {
    const double x = testing::random_number(random);
    const auto in_f32 = std::bit_cast<std::uint32_t>(static_cast<float>(x));
    EXPECT_EQ(store_f64(DType::f32, x), std::isnan(x) ? 0x7FC00000u : in_f32);
    EXPECT_EQ(store_f64(DType::f64, x),
              std::isnan(x) ? 0x7FF8000000000000u : std::bit_cast<std::uint64_t>(x));
    EXPECT_TRUE(same(load(DType::f64, std::bit_cast<std::uint64_t>(x)), x));
    EXPECT_TRUE(same(load(DType::f32, in_f32), static_cast<float>(x)));
  }
}

// --- random fields -------------------------------------------------------------------------------

TEST(Philox, gives_the_published_words) {
  const struct {
    std::uint32_t counter[4], key[2], words[4];
  } kVectors[] = {
      {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
      {{~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
      {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
       {0xa4093822, 0x299f31d0},
       {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
  };
  for (const auto& row : kVectors) {
    const auto& c = row.counter;
    const auto words =
        random::philox(f32_lanes, {{c[0], c[1], c[2], c[3]}}, row.key[0], row.key[1]);
    for (int w = 0; w < 4; ++w) EXPECT_EQ(words.word[w], row.words[w]);
  }
}

TEST(RandomFields, take_the_word_that_the_index_names) {
  for (std::uint64_t i : {0ull, 15ull, 16ull, 63ull, 64ull, 1000ull, (7ull << 36) + 12345}) {
    ScalarLanes<float> lanes(i);
    const std::uint64_t block = (i >> 6) * 16 + (i & 15);
    const auto words = random::philox(
        lanes, {{static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(block >> 32), 7, 1}},
        5u, 6u);
    EXPECT_EQ(random::bits(lanes, {5, 6, 7}, 1), words.word[(i >> 4) & 3]);
  }
}

TEST(RandomFields, have_the_moments_of_their_distributions) {
  constexpr int kDraws = 400000;
  double sum = 0, squares = 0, cubes = 0, fourths = 0, uniform = 0, uniform_squares = 0;
  int hits = 0, never = 0, always = 0, nan = 0;
  for (int i = 0; i < kDraws; ++i) {
    ScalarLanes<double> lanes(static_cast<std::uint64_t>(i));
    const std::uint32_t first = random::bits(lanes, {123, 456, 2}, 0);
    const double u = random::uniform(lanes, first);
    ASSERT_TRUE(u >= 0 && u < 1);
    ScalarLanes<float> narrow(static_cast<std::uint64_t>(i));
    ASSERT_EQ(random::uniform(narrow, first), u);
    uniform += u;
    uniform_squares += u * u;
    const double x = random::normal(lanes, first, random::bits(lanes, {123, 456, 2}, 1));
    sum += x;
    squares += x * x;
    cubes += x * x * x;
    fourths += x * x * x * x;
    hits += random::bernoulli(lanes, first, 0.3);
    never += random::bernoulli(lanes, first, 0.0);
    always += random::bernoulli(lanes, first, 1.0);
    nan += random::bernoulli(lanes, first, kNaN);
  }
  // Five standard deviations of each mean.
  const double n = kDraws, root = std::sqrt(n);
  EXPECT_NEAR(uniform / n, 0.5, 5 * std::sqrt(1.0 / 12) / root);
  EXPECT_NEAR(uniform_squares / n, 1.0 / 3, 5 * 0.3 / root);
  EXPECT_NEAR(sum / n, 0, 5 / root);
  EXPECT_NEAR(squares / n, 1, 5 * std::sqrt(2.0) / root);
  EXPECT_NEAR(cubes / n, 0, 5 * std::sqrt(15.0) / root);
  EXPECT_NEAR(fourths / n, 3, 5 * std::sqrt(96.0) / root);
  EXPECT_NEAR(hits / n, 0.3, 5 * std::sqrt(0.21) / root);
  EXPECT_EQ(never, 0);
  EXPECT_EQ(always, kDraws);
  EXPECT_EQ(nan, 0);
}

// --- total order ---------------------------------------------------------------------------------

TEST(Top, orders_totally_with_nan_on_top_and_breaks_ties_by_index) {
  const float kAscending[] = {-INFINITY, -3e38f, -1,    -1e-45f,  -0.0f, 0.0f,
                              1e-45f,    1,      3e38f, INFINITY, NAN};
  for (std::size_t i = 0; i < std::size(kAscending); ++i)
    for (std::size_t j = 0; j < std::size(kAscending); ++j) {
      ScalarLanes<float> lanes(10);
      EXPECT_EQ(semantics::top(lanes, kAscending[i], kAscending[j], -1.0), i > j);
      EXPECT_EQ(semantics::top(lanes, kAscending[i], kAscending[j], 10.0), i >= j);
      EXPECT_EQ(semantics::top(lanes, kAscending[i], kAscending[j], 9.0), i > j);
    }
  ScalarLanes<float> lanes(0);
  EXPECT_FALSE(semantics::top(lanes, -NAN, NAN, -1.0));
  EXPECT_TRUE(semantics::top(lanes, -NAN, INFINITY, -1.0));
}

}  // namespace
}  // namespace roux
