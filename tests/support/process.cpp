#include "tests/support/process.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>

namespace roux::testing {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int kPollMilliseconds = 10;

struct Pipe {
  int read_end = -1;
  int write_end = -1;
  Pipe() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("cannot make a pipe");
    read_end = ends[0];
    write_end = ends[1];
  }
};

// In the child; never returns.
[[noreturn]] void become(const std::vector<std::string>& arguments, const ProcessOptions& options) {
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) signal(number, SIG_DFL);
  if (chdir(options.directory.c_str()) != 0) _exit(126);
  for (const std::string& entry : options.environment) {
    const std::size_t equals = entry.find('=');
    setenv(entry.substr(0, equals).c_str(), entry.substr(equals + 1).c_str(), 1);
  }
  std::vector<char*> words;
  for (const std::string& word : arguments) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  execvp(words[0], words.data());
  _exit(127);
}

struct Stream {
  int descriptor;
  std::string* text;
};

// Reads what there is; false at the end. (A terminal whose other side has gone gives an error.)
bool read_some(const Stream& stream) {
  char buffer[4096];
  const ssize_t count = read(stream.descriptor, buffer, sizeof buffer);
  if (count <= 0) return false;
  stream.text->append(buffer, static_cast<std::size_t>(count));
  return true;
}

void collect(pid_t child, std::vector<Stream> streams, const ProcessOptions& options) {
  const Clock::time_point deadline = Clock::now() + options.timeout;
  while (!streams.empty()) {
    std::vector<pollfd> polled;
    for (const Stream& stream : streams) polled.push_back({stream.descriptor, POLLIN, 0});
    poll(polled.data(), polled.size(), kPollMilliseconds);
    for (std::size_t i = polled.size(); i-- > 0;) {
      if (polled[i].revents == 0 || read_some(streams[i])) continue;
      close(streams[i].descriptor);
      streams.erase(streams.begin() + static_cast<std::ptrdiff_t>(i));
    }
    if (!streams.empty() && options.watch) options.watch(child, *streams.back().text);
    if (Clock::now() > deadline) kill(child, SIGKILL);
  }
}

void wait_for(pid_t child, ProcessResult& result) {
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
}

// Inputs of tests fit into a pipe. A program that does not read its input is no failure.
void feed(int descriptor, const std::string& input) {
  signal(SIGPIPE, SIG_IGN);
  [[maybe_unused]] const ssize_t count = write(descriptor, input.data(), input.size());
}

ProcessResult run_on_terminal(const std::vector<std::string>& arguments,
                              const ProcessOptions& options) {
  ProcessResult result;
  winsize size = {};
  size.ws_row = 24;
  size.ws_col = 80;
  int terminal = -1;
  const pid_t child = forkpty(&terminal, nullptr, nullptr, &size);
  if (child < 0) throw std::runtime_error("cannot make a terminal");
  if (child == 0) become(arguments, options);
  if (options.started) options.started(child);
  collect(child, {{terminal, &result.out}}, options);
  wait_for(child, result);
  return result;
}

ProcessResult run_on_pipes(const std::vector<std::string>& arguments,
                           const ProcessOptions& options) {
  ProcessResult result;
  const Pipe in, out, err;
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("cannot start a process");
  if (child == 0) {
    dup2(in.read_end, STDIN_FILENO);
    dup2(out.write_end, STDOUT_FILENO);
    dup2(err.write_end, STDERR_FILENO);
    become(arguments, options);
  }
  for (const int descriptor : {in.read_end, out.write_end, err.write_end}) close(descriptor);
  if (options.started) options.started(child);
  feed(in.write_end, options.input);
  close(in.write_end);
  collect(child, {{out.read_end, &result.out}, {err.read_end, &result.err}}, options);
  wait_for(child, result);
  return result;
}

}  // namespace

ProcessResult run_process(const std::vector<std::string>& arguments,
                          const ProcessOptions& options) {
  return options.terminal ? run_on_terminal(arguments, options) : run_on_pipes(arguments, options);
}

bool is_installed(const std::string& program) {
  return run_process({"/bin/sh", "-c", "command -v " + program}).exit_code == 0;
}

}  // namespace roux::testing
