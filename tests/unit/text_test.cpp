#include "base/text.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <iomanip>  // declares std::quoted, which must not get in the way of ours
#include <limits>

namespace roux {
namespace {

TEST(Text, QuotedEscapesWhatWouldSteerATerminal) {
  const std::string name = "model.weight";
  EXPECT_EQ(quoted(name), "`model.weight`");
  EXPECT_EQ(quoted("a\x1b[31m\n"), "`a\\u{1b}[31m\\n`");
  EXPECT_EQ(quoted("größe"), "`größe`");
}

TEST(Text, StringLiteralReadsAsInARecipe) {
  EXPECT_EQ(string_literal("a \"b\" \\ $x\t"), "\"a \\\"b\\\" \\\\ $$x\\t\"");
}

TEST(Text, NumbersAreShortestAndReadBack) {
  EXPECT_EQ(format_number(0.2), "0.2");
  EXPECT_EQ(format_number(3), "3");
  EXPECT_EQ(format_number(1e-7), "1e-07");
  EXPECT_EQ(format_number(-0.0), "-0");
  EXPECT_EQ(format_number(std::numeric_limits<double>::infinity()), "inf");
  EXPECT_EQ(format_number(std::nan("")), "nan");
  for (const double value : {0.1, 1.0 / 3, 2.5e300, 5e-324})
    EXPECT_EQ(std::strtod(format_number(value).c_str(), nullptr), value);
}

TEST(Text, BytesHaveThreeDigitsAtMost) {
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(999), "999 B");
  EXPECT_EQ(format_bytes(1000), "1 kB");
  EXPECT_EQ(format_bytes(1'500'000'000), "1.5 GB");
  EXPECT_EQ(format_bytes(1'234'567), "1.23 MB");
  EXPECT_EQ(format_bytes(15'340'000), "15.3 MB");
  EXPECT_EQ(format_bytes(999'600), "1 MB");
  EXPECT_EQ(format_bytes(9'996), "10 kB");
  EXPECT_EQ(format_bytes(UINT64_MAX), "18.4 EB");
}

TEST(Text, CountsAgreeWithTheirNoun) {
  EXPECT_EQ(format_count(1, "tensor"), "1 tensor");
  EXPECT_EQ(format_count(291, "tensor"), "291 tensors");
  EXPECT_EQ(format_count(0, "match"), "0 matches");
  EXPECT_EQ(format_count(2, "entry"), "2 entries");
  EXPECT_EQ(format_count(2, "key"), "2 keys");
}

TEST(Text, ShapesAndJoins) {
  EXPECT_EQ(format_shape(std::vector<std::int64_t>{32, 64}), "[32, 64]");
  EXPECT_EQ(format_shape(std::vector<std::int64_t>{}), "[]");
  EXPECT_EQ(join({"a", "b", "c"}, ", "), "a, b, c");
  EXPECT_EQ(join({}, ", "), "");
}

TEST(Text, NearestFindsLikelySlips) {
  const std::vector<std::string> methods = {"task_arithmetic", "ties", "trim", "mean", "slerp"};
  EXPECT_EQ(nearest("tise", methods), "ties");
  EXPECT_EQ(nearest("TIES", methods), "ties");
  EXPECT_EQ(nearest("task_aritmetic", methods), "task_arithmetic");
  EXPECT_EQ(nearest("men", methods), "mean");
  EXPECT_EQ(nearest("quantile", methods), std::nullopt);
  EXPECT_EQ(nearest("x", {"y"}), std::nullopt);
  EXPECT_EQ(nearest("", methods), std::nullopt);
  EXPECT_EQ(nearest("chekpoints", {"checkpoint", "checkpoints"}), "checkpoints");
}

TEST(Text, GlobsMatchWholeTexts) {
  EXPECT_TRUE(glob_matches("*.mlp.*", "model.layers.0.mlp.up.weight"));
  EXPECT_FALSE(glob_matches("*.mlp.*", "mlp.up"));
  EXPECT_TRUE(glob_matches("ft-?", "ft-1"));
  EXPECT_FALSE(glob_matches("ft-?", "ft-10"));
  EXPECT_TRUE(glob_matches("?", "ü"));
  EXPECT_TRUE(glob_matches("*", ""));
  EXPECT_FALSE(glob_matches("", "a"));
  EXPECT_TRUE(glob_matches("a*b*c", "aXbYbZc"));
  EXPECT_FALSE(glob_matches("a*b*c", "aXbYbZ"));
  EXPECT_TRUE(glob_matches("a*", "a/b.c"));
}

TEST(Text, GlobsTakeNoExponentialTime) {
  std::string pattern;
  for (int i = 0; i < 40; ++i) pattern += "*a";
  EXPECT_FALSE(glob_matches(pattern + "b", std::string(5000, 'a')));
}

TEST(Text, NaturalOrderComparesNumbersByValue) {
  EXPECT_TRUE(natural_less("ft-2", "ft-10"));
  EXPECT_FALSE(natural_less("ft-10", "ft-2"));
  EXPECT_TRUE(natural_less("layers.2.b", "layers.10.a"));
  EXPECT_TRUE(natural_less("a", "a0"));
  EXPECT_TRUE(natural_less("a01", "a1"));  // equal in value: bytewise, so that the order is total
  EXPECT_FALSE(natural_less("a1", "a01"));
  EXPECT_TRUE(natural_less("x99999999999999999999998", "x99999999999999999999999"));
  EXPECT_FALSE(natural_less("same", "same"));
}

TEST(Text, SizesAreReadAsPeopleWriteThem) {
  EXPECT_EQ(parse_bytes("4096"), 4096u);
  EXPECT_EQ(parse_bytes("512MiB"), 512u << 20);
  EXPECT_EQ(parse_bytes("5GB"), 5'000'000'000u);
  EXPECT_EQ(parse_bytes("1G"), 1u << 30);
  EXPECT_EQ(parse_bytes("1.5 kB"), 1500u);
  EXPECT_EQ(parse_bytes("2gib"), 2ull << 30);
  EXPECT_EQ(parse_bytes("18446744073709551615"), UINT64_MAX);
  for (const char* text : {"", "GB", "-1", "1..5GB", "5.GB", ".5GB", "5 G B", "1e3", "5XB", "5GBs",
                           "18446744073709551616", "99999999999PB"})
    EXPECT_EQ(parse_bytes(text), std::nullopt) << text;
}

}  // namespace
}  // namespace roux
