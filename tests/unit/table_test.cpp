#include "base/table.h"

#include <gtest/gtest.h>

namespace roux::testing {
namespace {

using Lines = std::vector<std::string>;

TEST(Table, ColumnsAreCharactersNotBytes) {
  EXPECT_EQ(columns_of("0.6·a"), 5u);
  EXPECT_EQ(in_columns({{"·", "x"}, {"ab", "y"}}), (Lines{"·   x", "ab  y"}));
}

TEST(Table, RowsStandInLineAndEndWithoutSpaces) {
  EXPECT_EQ(in_columns({{"1", "long", "z"}, {"10", "s"}}, {Align::right}), (Lines{" 1  long  z", "10  s"}));
  EXPECT_EQ(in_columns({}), Lines());
}

TEST(Table, WhatIsCutOffLeavesAMark) {
  EXPECT_EQ(shortened("mean(a, b)", 10), "mean(a, b)");
  EXPECT_EQ(shortened("mean(a, b)", 9), "mean(a,…");
  EXPECT_EQ(shortened("····", 3), "··…");
  EXPECT_EQ(shortened("abc", 0), "");
}

}  // namespace
}  // namespace roux::testing
