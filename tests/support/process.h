// Runs a program and collects what it says. Signals have their usual meaning in it, whatever they
// mean to the test's own process.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace roux::testing {

struct ProcessResult {
  int exit_code = -1;  // -1: ended by a signal
  int signal = 0;
  std::string out;
  std::string err;
};

struct ProcessOptions {
  std::string input;
  std::filesystem::path directory = ".";
  std::vector<std::string> environment;  // NAME=VALUE, beside the test's own
  bool terminal = false;  // standard error (and output) are one pseudo-terminal: see `out`
  std::chrono::seconds timeout{60};  // then the program is killed
  std::function<void(int process)> started;
  // Called with its process id and what it has printed so far, each time that it prints and every
  // 10 ms.
  std::function<void(int process, const std::string& printed)> watch;
};

ProcessResult run_process(const std::vector<std::string>& arguments,
                          const ProcessOptions& options = {});

// Whether the shell finds it.
bool is_installed(const std::string& program);

}  // namespace roux::testing
