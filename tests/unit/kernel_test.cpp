// Kernels as values: text and back, what the parser and the verifier refuse, facts of operations,
// trees.
#include <gtest/gtest.h>

#include "tests/support/kernels.h"

namespace roux {
namespace {

using testing::kernel_of;
using testing::Random;

constexpr const char* kTrim = R"(kernel f32
inputs bf16 bf16
scalars 5
%0 = input 0                       # base
%1 = input 1
%2 = linear [%1 * $0, %0 * $1]
%3 = abs %2
%4 = scalar 2
%5 = le %4, %3
%6 = scalar 3
%7 = where %5, %2, %6
%8 = linear [%0 * $0, %7 * $4]
store bf16 %8
)";

TEST(KernelText, reads_the_example_of_the_header) {
  const Kernel kernel = kernel_of(kTrim);
  EXPECT_EQ(kernel.inputs, (std::vector{DType::bf16, DType::bf16}));
  EXPECT_EQ(kernel.scalar_count, 5u);
  ASSERT_EQ(kernel.body.size(), 9u);
  EXPECT_EQ(kernel.body[5].op, Op::le);
  EXPECT_EQ(kernel.terms.size(), 4u);
  EXPECT_EQ(kernel.terms[3].scale, 4u);
  EXPECT_EQ(type_of(kernel, 5), ValueType::mask);
  EXPECT_EQ(type_of(kernel, 8), ValueType::number);
}

TEST(KernelText, writes_every_kind_of_line) {
  const std::string text =
      "kernel f64\ninputs f64 f8_e4m3\ntables f16\nscalars 4\nspreads 2\nstarts anywhere\n"
      "%0 = input 0\n%1 = scalar 3\n%2 = linear [$0, %0 * $1, table 0]\n%3 = linear []\n"
      "%4 = uniform $0, $1, $2\n%5 = normal $0, $1, $2\n%6 = bernoulli $0, $1, $2, $3\n"
      "%7 = top %0, $0, $1\n%8 = logical_and %6, %7\n%9 = where %8, %4, %5\n"
      "%10 = spread 1\n%11 = linear [@0, %10 * @1, %9 * $2] * $3\n%12 = top %0, @0, @1\n"
      "%13 = bernoulli $0, $1, $2, @1\n"
      "store f8_e5m2 %9\nstore f32 %2\n"
      "reduce sum %3\nreduce dot %0, %9\nreduce count %8\nreduce min %1\nreduce max %0\n";
  EXPECT_EQ(to_text(kernel_of(text)), text);
}

TEST(KernelText, random_kernels_verify_and_come_back_equal) {
  Random random(1);
  testing::KernelMaker maker(random);
  for (int i = 0; i < 500; ++i) {
    const Kernel kernel = maker.make(3 + i % 40);
    const auto verified = verify(kernel);
    ASSERT_TRUE(verified.ok()) << verified.error()[0].message << "\n" << to_text(kernel);
    const auto again = parse_kernel(to_text(kernel));
    ASSERT_TRUE(again.ok()) << again.error()[0].message;
    EXPECT_EQ(*again, kernel) << to_text(kernel);
  }
}

TEST(KernelText, damaged_text_is_refused_or_read_but_never_harmful) {
  Random random(2);
  const std::string good = kTrim;
  for (int i = 0; i < 5000; ++i) {
    std::string text = good;
    for (int edits = 1 + i % 3; edits > 0; --edits)
      text[testing::below(random, text.size())] = "%$[]*=, 09a\n#"[testing::below(random, 13)];
    const auto kernel = parse_kernel(text);
    if (kernel.ok()) (void)verify(*kernel).ok();
  }
}

TEST(KernelText, says_what_is_wrong_and_where) {
  const struct {
    const char* text;
    const char* message;
  } kCases[] = {
      {"", "kernel text is empty"},
      {"inputs f32\n", "kernel text, line 1: a kernel begins with `kernel f32` or `kernel f64`"},
      {"kernel f16\n", "kernel text, line 1: expected `f32` or `f64`, found `f16`"},
      {"kernel f32\ninputs f31\n", "kernel text, line 2: unknown type `f31`"},
      {"kernel f32\n%1 = input 0\n", "kernel text, line 2: expected the value %0"},
      {"kernel f32\n%0 = fly %0\n", "kernel text, line 2: unknown operation `fly`"},
      {"kernel f32\n%0 = neg\n", "kernel text, line 2: expected `%`, found the end of the line"},
      {"kernel f32\n%0 = neg %0 %0\n",
       "kernel text, line 2: unexpected text at the end, found `%0`"},
      {"kernel f32\n%0 = linear [%0 * $0, $1]\n",
       "kernel text, line 2: a constant stands first in a `linear`"},
      {"kernel f32\n%0 = scalar 99999999999\n",
       "kernel text, line 2: expected a whole number, found `99999999999`"},
      {"kernel f32\nreduce mean %0\n", "kernel text, line 2: unknown reduction `mean`"},
      {"kernel f32\nstore f33 %0\n", "kernel text, line 2: unknown type in a store"},
      {"kernel f32\nkernel f32\n", "kernel text, line 2: unknown line `kernel`"},
  };
  for (const auto& row : kCases) {
    const auto kernel = parse_kernel(row.text);
    ASSERT_FALSE(kernel.ok()) << row.text;
    EXPECT_EQ(kernel.error()[0].message, row.message);
  }
}

TEST(Verifier, refuses_what_is_malformed) {
  const struct {
    const char* text;
    const char* message;
  } kCases[] = {
      {"kernel f32\n", "the kernel neither stores nor reduces"},
      {"kernel f32\ninputs i32\n%0 = input 0\nstore f32 %0\n",
       "input 0 is of type `i32`, which is not floating"},
      {"kernel f32\ntables f64\n%0 = linear [table 0]\nstore f32 %0\n",
       "table 0 is of type `f64`, which lanes of `f32` cannot hold"},
      {"kernel f32\n%0 = input 0\nstore f32 %0\n", "%0 reads an input that does not exist"},
      {"kernel f32\n%0 = scalar 0\nstore f32 %0\n",
       "%0 takes a scalar argument that does not exist"},
      {"kernel f32\nscalars 1\nspreads 1\n%0 = spread 1\nstore f32 %0\n",
       "%0 takes a scalar argument that does not exist"},
      {"kernel f32\nscalars 2\nspreads 1\n%0 = uniform $0, $1, @0\nstore f32 %0\n",
       "%0 draws by a key that is spread"},
      {"kernel f32\nscalars 1\n%0 = neg %0\nstore f32 %0\n",
       "%0 takes a value that does not come before it"},
      {"kernel f32\nscalars 1\n%0 = scalar 0\n%1 = logical_not %0\nreduce count %1\n",
       "%1 takes %0, which is not a mask"},
      {"kernel f32\nscalars 1\n%0 = scalar 0\n%1 = lt %0, %0\nstore f32 %1\n",
       "store 0 takes %1, which is not a number"},
      {"kernel f32\nscalars 1\n%0 = scalar 0\nreduce count %0\n",
       "reduction 0 takes %0, which is not a mask"},
      {"kernel f32\nscalars 1\n%0 = scalar 0\nstore i8 %0\n",
       "store 0 is of a type that is not floating"},
      {"kernel f32\nscalars 1\n%0 = linear [table 0]\nstore f32 %0\n",
       "%0 sums a table that does not exist"},
  };
  for (const auto& row : kCases) {
    const auto kernel = parse_kernel(row.text);
    ASSERT_TRUE(kernel.ok()) << row.text;
    const auto verified = verify(*kernel);
    ASSERT_FALSE(verified.ok()) << row.text;
    EXPECT_EQ(verified.error()[0].message, std::string("malformed kernel: ") + row.message);
  }
}

TEST(Verifier, refuses_what_text_cannot_say) {
  const Kernel good = kernel_of(kTrim);
  const auto refused = [&](auto damage) {
    Kernel kernel = good;
    damage(kernel);
    return !verify(kernel).ok();
  };
  EXPECT_TRUE(refused([](Kernel& k) { k.body[3].b = 0; }));
  EXPECT_TRUE(refused([](Kernel& k) { k.body[0].op = Op::abs; }));
  EXPECT_TRUE(refused([](Kernel& k) { k.body[2].b = 1; }));
  EXPECT_TRUE(refused([](Kernel& k) { k.body[2].c = 1u << 31; }));
  EXPECT_TRUE(refused([](Kernel& k) { k.terms.push_back({}); }));
  EXPECT_TRUE(refused([](Kernel& k) { k.terms[0].kind = LinearTerm::Kind::table; }));
  EXPECT_TRUE(refused([](Kernel& k) { k.reductions.push_back({ReduceOp::sum, 0, 0}); }));
  EXPECT_TRUE(refused([](Kernel& k) { k.reductions.push_back({ReduceOp::dot, 0, kNone}); }));
  EXPECT_TRUE(refused([](Kernel& k) { k.scalar_count = 4; }));
  EXPECT_FALSE(refused([](Kernel&) {}));
}

TEST(Ops, facts_come_from_the_table) {
  EXPECT_EQ(facts_of(Op::where).arity, 3);
  EXPECT_EQ(facts_of(Op::where).operands[0], ValueType::mask);
  EXPECT_EQ(facts_of(Op::where).operands[1], ValueType::number);
  EXPECT_EQ(facts_of(Op::lt).result, ValueType::mask);
  EXPECT_TRUE(facts_of(Op::mul).commutative);
  EXPECT_TRUE(facts_of(Op::abs).idempotent);
  EXPECT_FALSE(facts_of(Op::div).commutative);
  EXPECT_EQ(op_from_name("tanh"), Op::tanh);
  EXPECT_EQ(op_from_name("tan"), std::nullopt);
}

// The definition, level by level.
double plain_tree(std::vector<double> values) {
  while (values.size() > 1) {
    std::vector<double> next;
    for (std::size_t i = 0; i < values.size(); i += 2)
      next.push_back(i + 1 < values.size() ? values[i] + values[i + 1] : values[i]);
    values = next;
  }
  return values.empty() ? 0 : values[0];
}

TEST(Reductions, combine_in_a_tree_on_aligned_indices) {
  Random random(3);
  for (std::uint64_t count = 0; count < 300; ++count) {
    std::vector<double> values(count);
    for (double& x : values) x = std::normal_distribution<double>(0, 1e8)(random);
    EXPECT_EQ(reduce_tree(ReduceOp::sum, values.data(), count), plain_tree(values)) << count;
  }
  const double numbers[] = {3, -0.0, 0.0, 7, 5};
  EXPECT_EQ(reduce_tree(ReduceOp::max, numbers, 5), 7);
  EXPECT_TRUE(std::signbit(reduce_tree(ReduceOp::min, numbers + 1, 2)));
  EXPECT_FALSE(std::signbit(reduce_tree(ReduceOp::max, numbers + 1, 2)));
  const double with_nan[] = {1, -std::numeric_limits<double>::quiet_NaN(), 2};
  EXPECT_EQ(std::bit_cast<std::uint64_t>(reduce_tree(ReduceOp::min, with_nan, 3)),
            0x7FF8000000000000u);
}

TEST(Reductions, of_nothing_are_their_identity) {
  EXPECT_EQ(reduce_tree(ReduceOp::sum, nullptr, 0), 0);
  EXPECT_EQ(reduce_tree(ReduceOp::min, nullptr, 0), std::numeric_limits<double>::infinity());
  EXPECT_EQ(reduce_tree(ReduceOp::max, nullptr, 0), -std::numeric_limits<double>::infinity());
}

}  // namespace
}  // namespace roux
