// What `roux run` does when the world fails it: a clear message, the output whole or absent, and nothing left beside it.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "tests/cli/faults.h"
#include "tests/support/sanitizers.h"

namespace roux::testing {
namespace {

namespace fs = std::filesystem;

bool is_running(int process) {
  std::ifstream stat("/proc/" + std::to_string(process) + "/stat");
  std::string id, name, state;
  stat >> id >> name >> state;
  return !state.empty() && state != "Z" && state != "X";
}

bool ends_soon(int process) {
  for (int i = 0; i < 1000 && is_running(process); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  return !is_running(process);
}

// --- the disk and the inputs ------------------------------------------------------------------------

TEST_F(Faults, AFullDiskIsTold) {
  put_larger_inputs();
  const fs::path disk = folder_ / "disk";
  fs::create_directory(disk);
  if (mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=1m") != 0) GTEST_SKIP() << "may not mount a small disk here";
  for (const char* path : {"disk/out.safetensors", "disk/new/out"}) {
    const ProcessResult result = run_text("save(load(\"a.safetensors\"), \"" + std::string(path) + "\")\n");
    expect_failure(result, 2, {"E0506", path, "free some room"});
    EXPECT_TRUE(fs::is_empty(disk));
  }
  // It fills up while a scorer runs: after all checks, before the output is made.
  const ProcessResult result = run_text(
      "small = load(\"a.safetensors\")[\"layer.1\"]\n"
      "print(command(\"head -c 900000 /dev/zero > disk/other; echo 1 # {model}\")(load(\"a.safetensors\")))\n"
      "save(small, \"disk/out.safetensors\", partial = true)\n");
  expect_failure(result, 2, {"E0506", "disk/out.safetensors"});
  EXPECT_EQ(std::distance(fs::directory_iterator(disk), {}), 1) << "the other file alone";
  umount(disk.c_str());
}

TEST_F(Faults, AnInputThatShrinksIsTold) {
  put_larger_inputs();
  // The scorer runs after all checks.
  const ProcessResult result = run_text(
      "b = load(\"b.safetensors\")\n"
      "print(command(\"truncate -s 1000000 b.safetensors; echo 1 # {model}\")(load(\"a.safetensors\")))\n"
      "save(b, \"out.safetensors\")\n");
  expect_failure(result, 2, {"E0505", "`b.safetensors` ends", "shrank"});
}

TEST_F(Faults, AnInputThatShrinksWhileNumbersAreComputedIsTold) {
  put_larger_inputs();
  const ProcessResult result = run_text(
      "b = load(\"b.safetensors\")\n"
      "print(command(\"truncate -s 1000000 b.safetensors; echo 1 # {model}\")(load(\"a.safetensors\")))\n"
      "print(norm(b, over = model))\n");
  expect_failure(result, 2, {"E0505", "`b.safetensors` ends", "tensor `layer.", "shrank"});
}

TEST_F(Faults, AReadErrorIsTold) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer has to be loaded first";
  put_larger_inputs();
  ProcessOptions options;
  options.environment = {"LD_PRELOAD=" + std::string(FAILING_READ), "FAILING_READ=/b.safetensors", "FAILING_FROM=1000000"};
  for (const char* recipe : {"b = load(\"b.safetensors\")\nsave(b, \"out.safetensors\")\n",
                             "b = load(\"b.safetensors\")\nprint(norm(b, over = model))\n"})
    expect_failure(run_text(recipe, options), 2, {"E0505", "b.safetensors", "Input/output error"});
}

TEST_F(Faults, OutputsThatAreInTheWayAreTold) {
  fs::create_directories(folder_ / "model");
  fs::copy(folder_ / "a.safetensors", folder_ / "model/model.safetensors");
  const std::string before = read_file(folder_ / "a.safetensors");
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"\"b.safetensors\"", "E0501"},
      {"\"a.safetensors\"", "E0502"},
      {"\"model\"", "E0502"},
      {"\"model/merged\"", "E0502"},
      {"\"model/merged\", overwrite = true", "E0502"},
      {"\"model/../model/./x.safetensors\"", "E0502"},
      {"\"recipe.merge\", overwrite = true", "E0501"},
      {"\".\", overwrite = true", "E0501"},
      {"\"a.safetensors/out\"", "E0502"},
  };
  for (const auto& [arguments, code] : cases) {
    SCOPED_TRACE(arguments);
    const ProcessResult result =
        run_text("save(mean([load(\"model\"), load(\"a.safetensors\")]), " + arguments + ")\n");
    EXPECT_NE(result.exit_code, 0);
    EXPECT_TRUE(contains(result.err, code)) << result.err;
    EXPECT_EQ(read_file(folder_ / "a.safetensors"), before);
    EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "model"), {}), 1);
    expect_nothing_left();
  }
}

// --- scorers ----------------------------------------------------------------------------------------

TEST_F(Faults, OfAScorerLeaveNothing) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"command(\"exit 3 # {model}\")", "exited with status 3"},
      {"command(\"kill -9 $$$$ # {model}\")", "signal 9"},
      {"command(\"sleep 100 # {model}\", timeout = 0.2)", "timeout of 0.2 s"},
      {"command(\"(sleep 100 & sleep 100 & wait) # {model}\", timeout = 0.2)", "timeout of 0.2 s"},
      {"command(\"echo no number # {model}\")", "no line of the scorer's standard output"},
      {"command(\"yes # {model}\")", "printed more than"},
      {"command(\"yes >&2 # {model}\")", "printed more than"},
      {"command(\"head -c 3000000000 /dev/zero # {model}\")", "printed more than"},
      {"command(\"/no/such/program {model}\")", "full path"},
  };
  for (const auto& [scorer, words] : cases) {
    SCOPED_TRACE(scorer);
    const ProcessResult result = run_text("m = mean([load(\"a.safetensors\"), load(\"b.safetensors\")])\n"
                                          "save(m, \"out.safetensors\")\nprint(" + scorer + "(m))\n");
    expect_failure(result, 2, {"E0507", words});
  }
}

// What a scorer started ends with a run that is killed, although nothing of the run is left to end it.
TEST_F(Faults, AKilledRunTakesItsScorerAlong) {
  std::vector<int> processes;
  ProcessOptions options;
  options.watch = [&](int process, const std::string&) {
    if (!processes.empty() || !fs::exists(folder_ / "started")) return;
    std::ifstream file(folder_ / "pids");
    for (int pid; file >> pid;) processes.push_back(pid);
    kill(process, SIGKILL);
  };
  const ProcessResult result = run_text(
      "val = command(\"sleep 1000 & echo $! > pids; echo $$$$ >> pids; touch started; trap '' TERM; wait # {model}\")\n"
      "print(val(load(\"a.safetensors\")))\n", options);
  EXPECT_EQ(result.signal, SIGKILL);
  ASSERT_EQ(processes.size(), 2u);
  for (int process : processes) EXPECT_TRUE(ends_soon(process));
}

}  // namespace
}  // namespace roux::testing
