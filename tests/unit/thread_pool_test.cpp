// Dealing out: every index once, errors that do not depend on who was faster.
#include "runtime/exec/thread_pool.h"

#include <gtest/gtest.h>

#include <memory>

namespace roux {
namespace {

TEST(ThreadPool, deals_every_index_once_in_runs) {
  ThreadPool pool(3, nullptr, nullptr);
  for (const std::uint64_t longest : {1, 4, 1000}) {
    std::vector<std::atomic<int>> seen(10'000);
    std::atomic<std::uint64_t> continued{0};
    std::vector<std::uint64_t> last(3, ~std::uint64_t{0} - 1);
    ASSERT_TRUE(pool.parallel_for(
        seen.size(),
        [&](int thread, std::uint64_t index) -> Status {
          ++seen[index];
          continued += last[thread] + 1 == index;
          last[thread] = index;
          return ok();
        },
        longest));
    for (const std::atomic<int>& count : seen) ASSERT_EQ(count, 1);
    if (longest > 1) {
      EXPECT_GT(continued, seen.size() / 2);
    }
  }
}

TEST(ThreadPool, returns_the_error_of_the_lowest_index) {
  ThreadPool pool(3, nullptr, nullptr);
  for (const std::uint64_t longest : {1, 7, 300})
    for (int repeat = 0; repeat < 20; ++repeat) {
      const Status status = pool.parallel_for(
          1000,
          [&](int, std::uint64_t index) -> Status {
            if (index >= 411 && index % 10 == 1)
              return error(DiagnosticKind::io, {}, "at " + std::to_string(index));
            return ok();
          },
          longest);
      ASSERT_FALSE(status.ok());
      EXPECT_EQ(status.error()[0].message, "at 411") << longest;
    }
}

}  // namespace
}  // namespace roux
