// What runs leave that somebody ends, at any moment, or that meet in one output: it is whole or absent, the next run
// clears away what is left or, with --resume, goes on with it.
#include <gtest/gtest.h>
#include <sys/mount.h>

#include <algorithm>
#include <functional>
#include <random>

#include "tests/cli/faults.h"

namespace roux::testing {
namespace {

namespace fs = std::filesystem;

constexpr char kFolderRecipe[] = R"(models = [load("a.safetensors"), load("b.safetensors")]
save(mean(models), "out", shard = 1MB)
)";

// The threshold is found over the whole model: kept tensors are read for it.
constexpr char kTiesRecipe[] = R"(base = load("base.safetensors")
save(ties([load("a.safetensors"), load("b.safetensors")], base), "ties.safetensors")
)";

// Whole numbers are copied, beside the kernels.
std::string with_whole_numbers(float first) {
  std::string header = "{", data;
  for (int i = 0; i < 24; ++i) {
    const std::string begin = std::to_string(data.size());
    if (i % 2 == 0) {
      data.append(1 << 20, static_cast<char>(i));
    } else {
      const std::vector<float> values(1 << 18, first + static_cast<float>(i));
      data.append(reinterpret_cast<const char*>(values.data()), 1 << 20);
    }
    header += std::string(i == 0 ? "" : ",") + "\"t." + std::to_string(i) + "\":{\"dtype\":\"" + (i % 2 == 0 ? "I32" : "F32") +
              "\",\"shape\":[262144],\"data_offsets\":[" + begin + "," + std::to_string(data.size()) + "]}";
  }
  return safetensors_bytes(header + "}", data);
}

constexpr char kWholeRecipe[] = R"(models = [load("whole-a.safetensors"), load("whole-b.safetensors")]
save(mean(models), "whole.safetensors")
)";

// Recipes and what they leave, by their files.
class EndedRuns : public Faults {
 protected:
  EndedRuns() {
    put_larger_inputs();
    fs::copy(folder_ / "a.safetensors", folder_ / "base.safetensors");
    write_file(folder_ / "whole-a.safetensors", with_whole_numbers(1));
    write_file(folder_ / "whole-b.safetensors", with_whole_numbers(2));
    write_file(folder_ / "folder.merge", kFolderRecipe);
    write_file(folder_ / "ties.merge", kTiesRecipe);
    write_file(folder_ / "whole.merge", kWholeRecipe);
    const Clock::time_point begin = Clock::now();
    for (const Kind& kind : kKinds) {
      EXPECT_EQ(roux(run(kind)).exit_code, 0);
      expected_[kind.output] = output(kind.output);
      fs::remove_all(folder_ / kind.output);
    }
    longest_ = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begin) / std::size(kKinds);
  }

  struct Kind {
    const char* recipe;
    const char* output;
  };
  // The slow backend: most of a run is then the making of its output.
  static std::vector<std::string> run(const Kind& kind, std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"run", kind.recipe, "--backend", "reference", "--threads", "1"});
    return more;
  }

  static constexpr Kind kKinds[] = {{"mean.merge", "out.safetensors"}, {"folder.merge", "out"},
                                    {"ties.merge", "ties.safetensors"}, {"whole.merge", "whole.safetensors"}};

  // At moments anywhere in a run, the same in each test (as far as the machine is): `check` has to say what may be.
  template <class Check>
  void at_many_moments(int count, Check check) {
    std::mt19937 random(7);
    for (int i = 0; i < count; ++i) {
      const Kind& kind = kKinds[i % std::size(kKinds)];
      const std::chrono::microseconds delay(random() % static_cast<std::uint64_t>(longest_.count()));
      SCOPED_TRACE(std::string(kind.output) + " after " + std::to_string(delay.count()) + " us");
      check(i, kind, delay);
      fs::remove_all(folder_ / kind.output);
    }
  }

  void expect_whole_or_absent(const Kind& kind) {
    EXPECT_TRUE(!fs::exists(folder_ / kind.output) || output(kind.output) == expected_[kind.output]);
  }

  // Some tensors are written, and others are not: told by the journal. A machine that is busy may miss the moment.
  ProcessResult run_and_signal_midway(const std::vector<std::string>& arguments, int signal) {
    constexpr std::ptrdiff_t kLines = 5;  // two, and three tensors of twenty-four
    ProcessResult result;
    bool sent = false;
    for (int i = 0; i < 10 && !sent; ++i) {
      ProcessOptions options;
      options.watch = [&](int process, const std::string&) {
        for (const std::string& name : hidden_files()) {
          if (sent || !name.ends_with(".journal")) continue;
          const std::string journal = read_file(folder_ / name);
          if (std::count(journal.begin(), journal.end(), '\n') < kLines) continue;
          sent = kill(process, signal) == 0;
        }
      };
      result = roux(arguments, options);
      if (result.exit_code == 0) {
        sent = false;
        for (const Kind& kind : kKinds) fs::remove_all(folder_ / kind.output);
      }
    }
    EXPECT_TRUE(sent) << "the run was always faster";
    return result;
  }

  std::map<std::string, std::map<std::string, std::string>> expected_;
  std::chrono::microseconds longest_{};
};

TEST_F(EndedRuns, ByAnInterruptLeaveAllOrNothing) {
  constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP};
  int stopped = 0;
  at_many_moments(40, [&](int i, const Kind& kind, std::chrono::microseconds delay) {
    const ProcessResult result = run_and_signal(run(kind), kSignals[i % 3], delay);
    expect_whole_or_absent(kind);
    expect_nothing_left();
    EXPECT_TRUE(result.exit_code != 0 || fs::exists(folder_ / kind.output));
    if (result.exit_code != 2) return;
    ++stopped;
    EXPECT_TRUE(contains(result.err, "E0508")) << result.err;
    EXPECT_FALSE(fs::exists(folder_ / kind.output));
  });
  EXPECT_GT(stopped, 0);
}

TEST_F(EndedRuns, ByAKillAreClearedAwayByTheNext) {
  at_many_moments(20, [&](int, const Kind& kind, std::chrono::microseconds delay) {
    run_and_signal(run(kind), SIGKILL, delay);
    expect_whole_or_absent(kind);
    fs::remove_all(folder_ / kind.output);
    const ProcessResult second = roux(run(kind));
    EXPECT_EQ(second.exit_code, 0) << second.err;
    EXPECT_TRUE(output(kind.output) == expected_[kind.output]);
    expect_nothing_left();
  });
}

TEST_F(EndedRuns, GoOnWithResume) {
  for (const Kind& kind : kKinds)
    for (const int signal : {SIGKILL, SIGINT}) {
      SCOPED_TRACE(std::string(kind.output) + " after signal " + std::to_string(signal));
      const ProcessResult first = run_and_signal_midway(run(kind, {"--resume"}), signal);
      EXPECT_FALSE(fs::exists(folder_ / kind.output));
      EXPECT_FALSE(hidden_files().empty());
      EXPECT_EQ(contains(first.err, "stay for the next run with `--resume`"), signal == SIGINT) << first.err;
      const ProcessResult second = roux(run(kind, {"--resume"}));
      EXPECT_EQ(second.exit_code, 0) << second.err;
      EXPECT_TRUE(contains(second.err, "`" + std::string(kind.output) + "`: kept ")) << second.err;
      EXPECT_TRUE(contains(second.err, " of 24 tensors, ")) << second.err;
      EXPECT_TRUE(output(kind.output) == expected_[kind.output]);
      expect_nothing_left();
      fs::remove_all(folder_ / kind.output);
    }
}

// A run that was not asked to leave anything: killed, it does; interrupted, it does not.
TEST_F(EndedRuns, WithoutResumeLeaveWhatAKillLeaves) {
  const Kind& kind = kKinds[0];
  run_and_signal_midway(run(kind), SIGKILL);
  EXPECT_FALSE(hidden_files().empty());
  EXPECT_TRUE(contains(roux(run(kind, {"--resume"})).err, ": kept "));
  EXPECT_TRUE(output(kind.output) == expected_[kind.output]);
  fs::remove(folder_ / kind.output);
  EXPECT_EQ(run_and_signal_midway(run(kind), SIGINT).exit_code, 2);
  expect_nothing_left();
}

TEST_F(EndedRuns, AtAnyMomentGoOnWithResume) {
  constexpr int kSignals[] = {SIGKILL, SIGINT};
  at_many_moments(16, [&](int i, const Kind& kind, std::chrono::microseconds delay) {
    run_and_signal(run(kind, {"--resume"}), kSignals[i / 2 % 2], delay);
    const bool was_there = fs::exists(folder_ / kind.output);
    const ProcessResult second = roux(run(kind, {"--resume"}));
    EXPECT_EQ(second.exit_code, was_there ? 1 : 0) << second.err;
    EXPECT_TRUE(output(kind.output) == expected_[kind.output]);
    if (!was_there) expect_nothing_left();
  });
}

// To every byte the result is of the inputs as they are, of which no stale tensor is kept, however well the change hides.
TEST_F(EndedRuns, StartAfreshWhereInputsWereChanged) {
  const Kind& kind = kKinds[0];
  const fs::path input = folder_ / "b.safetensors";
  const std::string before = read_file(input);
  std::string after = before;
  after[after.size() - 1] ^= 1;
  std::fill(after.end() - 24 * 256 * 512 * 4, after.end() - 23 * 256 * 512 * 4, '\x3f');
  const auto written = fs::last_write_time(input);
  const std::function<void(const std::string&)> changes[] = {
      [&](const std::string& bytes) { write_file(input, bytes); },
      [&](const std::string& bytes) {
        write_file(folder_ / "new", bytes);
        fs::rename(folder_ / "new", input);
      }};
  for (const auto& change : changes) {
    run_and_signal_midway(run(kind), SIGKILL);
    change(after);
    fs::last_write_time(input, written);
    const ProcessResult second = roux(run(kind, {"--resume"}));
    EXPECT_EQ(second.exit_code, 0) << second.err;
    EXPECT_TRUE(contains(second.err, "`out.safetensors`: starts afresh: inputs have been changed or replaced")) << second.err;
    const auto resumed = output(kind.output);
    fs::remove(folder_ / kind.output);
    EXPECT_EQ(roux(run(kind)).exit_code, 0);
    EXPECT_TRUE(resumed == output(kind.output) && resumed != expected_[kind.output]);
    expect_nothing_left();
    fs::remove(folder_ / kind.output);
    change(before);
  }
}

TEST_F(EndedRuns, GoOnOnlyWithTheSameInputsAndParameters) {
  write_file(folder_ / "param.merge", "param t: number = 0.5\nsave(lerp(load(\"a.safetensors\"), load(\"b.safetensors\"), t), \"out.safetensors\")\n");
  const Kind param{"param.merge", "out.safetensors"};
  run_and_signal_midway(run(param), SIGKILL);
  const ProcessResult other = roux(run(param, {"--set", "t=0.25", "--resume"}));
  EXPECT_EQ(other.exit_code, 0) << other.err;
  EXPECT_TRUE(contains(other.err, "`out.safetensors`: starts afresh: the recipe, its parameters")) << other.err;
  expect_nothing_left();
  fs::remove(folder_ / "out.safetensors");
  EXPECT_TRUE(contains(roux(run(param, {"--resume"})).err, "no interrupted run left anything"));
}

// Two outputs have no room on this disk, so what the first run left must not count.
TEST_F(EndedRuns, WhatAKillLeftDoesNotFillTheDisk) {
  const fs::path disk = folder_ / "disk";
  fs::create_directory(disk);
  if (mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=20m") != 0) GTEST_SKIP() << "may not mount a small disk here";
  write_file(folder_ / "small.merge", "save(mean([load(\"a.safetensors\"), load(\"b.safetensors\")]), \"disk/out.safetensors\")\n");
  const Kind small{"small.merge", "disk/out.safetensors"};
  for (int i = 1; i < 100 && (fs::is_empty(disk) || fs::exists(folder_ / small.output)); ++i) {
    fs::remove(folder_ / small.output);
    run_and_signal(run(small), SIGKILL, longest_ * i / 50);
  }
  EXPECT_FALSE(fs::is_empty(disk) || fs::exists(folder_ / small.output));
  const ProcessResult next = roux(run(small));
  EXPECT_EQ(next.exit_code, 0) << next.err;
  EXPECT_EQ(std::distance(fs::directory_iterator(disk), {}), 1);
  umount(disk.c_str());
}

TEST_F(EndedRuns, TwoIntoOneOutputDoNotMeet) {
  for (const Kind& kind : kKinds) {
    ProcessResult results[2];
    {
      std::thread other([&] { results[1] = roux(run(kind)); });
      results[0] = roux(run(kind));
      other.join();
    }
    std::sort(std::begin(results), std::end(results),
              [](const ProcessResult& a, const ProcessResult& b) { return a.exit_code < b.exit_code; });
    EXPECT_EQ(results[0].exit_code, 0) << results[0].err;
    EXPECT_EQ(results[1].exit_code, 1);
    EXPECT_TRUE(contains(results[1].err, "E0501")) << results[1].err;
    EXPECT_TRUE(output(kind.output) == expected_[kind.output]);
    expect_nothing_left();
  }
}

TEST_F(EndedRuns, TwoThatOverwriteOneOutputLeaveOne) {
  write_file(folder_ / "over.merge", "save(mean([load(\"a.safetensors\"), load(\"b.safetensors\")]), \"out.safetensors\", overwrite = true)\n");
  ASSERT_EQ(roux({"run", "over.merge"}).exit_code, 0);
  const auto expected = output("out.safetensors");
  for (int i = 0; i < 4; ++i) {
    ProcessResult one, two;
    std::thread other([&] { two = roux({"run", "over.merge"}); });
    one = roux({"run", "over.merge"});
    other.join();
    EXPECT_EQ(one.exit_code, 0) << one.err;
    EXPECT_EQ(two.exit_code, 0) << two.err;
    EXPECT_TRUE(output("out.safetensors") == expected);
    expect_nothing_left();
  }
}

}  // namespace
}  // namespace roux::testing
