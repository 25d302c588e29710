// A folder with inputs that take a run a while, and ways to end that run: what tests of faults begin with.
#pragma once

#include <signal.h>

#include <chrono>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/cli/cli.h"

namespace roux::testing {

using Clock = std::chrono::steady_clock;

class Faults : public Cli {
 protected:
  // Large enough that a run takes a while, small enough that many do.
  void put_larger_inputs() {
    for (const char* name : {"a.safetensors", "b.safetensors"}) {
      std::vector<F32Tensor> tensors;
      for (int i = 0; i < 24; ++i)
        tensors.push_back({"layer." + std::to_string(i), {256, 512}, std::vector<float>(256 * 512, static_cast<float>(i))});
      write_file(folder_ / name, f32_safetensors(tensors));
    }
  }

  // Every file of the output by its name.
  std::map<std::string, std::string> output(const std::string& name) const {
    std::map<std::string, std::string> files;
    if (std::filesystem::is_regular_file(folder_ / name)) files[name] = read_file(folder_ / name);
    if (std::filesystem::is_directory(folder_ / name))
      for (const std::filesystem::directory_entry& entry : std::filesystem::directory_iterator(folder_ / name))
        files[entry.path().filename().string()] = read_file(entry.path());
    return files;
  }

  ProcessResult run_text(const std::string& recipe, ProcessOptions options = {}) {
    write_file(folder_ / "recipe.merge", recipe);
    return roux({"run", "recipe.merge"}, std::move(options));
  }

  ProcessResult run_and_signal(const std::vector<std::string>& arguments, int signal, std::chrono::microseconds delay) {
    const Clock::time_point due = Clock::now() + delay;
    std::thread sender;
    ProcessOptions options;
    options.started = [&](int process) {
      sender = std::thread([=] {
        std::this_thread::sleep_until(due);
        kill(process, signal);
      });
    };
    const ProcessResult result = roux(arguments, options);
    sender.join();
    return result;
  }

  void expect_nothing_left() { EXPECT_EQ(hidden_files(), std::vector<std::string>{}); }

  void expect_failure(const ProcessResult& result, int exit_code, const std::vector<std::string>& words) {
    EXPECT_EQ(result.exit_code, exit_code) << result.err;
    for (const std::string& word : words) EXPECT_TRUE(contains(result.err, word)) << word << " in\n" << result.err;
    EXPECT_FALSE(std::filesystem::exists(folder_ / "out.safetensors"));
    EXPECT_FALSE(std::filesystem::exists(folder_ / "out"));
    expect_nothing_left();
  }
};

}  // namespace roux::testing
