#include "runtime/score/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>
#include <utility>

extern char** environ;

namespace roux {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kPollMilliseconds = 20;             // how late a cancel or a timeout may be noticed
constexpr auto kGrace = std::chrono::seconds(2);  // between the polite signal and the other one

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() { close(); }

  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

 private:
  int fd_ = -1;
};

struct Pipe {
  Descriptor read, write;
};

// Close-on-exec, so that commands started by other threads at the same time do not hold our ends.
Result<Pipe> make_pipe(Span span) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    return error(DiagnosticKind::scorer_failed, span,
                 std::string("cannot make a pipe for the scorer: ") + std::strerror(errno));
  Pipe pipe{Descriptor(ends[0]), Descriptor(ends[1])};
  ::fcntl(pipe.read.get(), F_SETFL, O_NONBLOCK);
  return pipe;
}

// Starts `/bin/sh -c TEXT` in a group: `group`, or with 0 one of its own. Its streams; -1 stands for /dev/null.
Result<pid_t> start(const std::string& text, pid_t group, const std::array<int, 3>& streams, Span span) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (int stream = 0; stream < 3; ++stream) {
    if (streams[stream] >= 0)
      posix_spawn_file_actions_adddup2(&actions, streams[stream], stream);
    else
      posix_spawn_file_actions_addopen(&actions, stream, "/dev/null", stream == STDIN_FILENO ? O_RDONLY : O_WRONLY, 0);
  }

  // A host may ignore or block signals (SIGPIPE, SIGTERM); the command starts with none of that.
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, group);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

  std::string shell = "sh", flag = "-c", command = text;
  char* arguments[] = {shell.data(), flag.data(), command.data(), nullptr};
  pid_t pid = 0;
  const int failure = posix_spawn(&pid, "/bin/sh", &actions, &attributes, arguments, environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (failure != 0)
    return error(DiagnosticKind::scorer_failed, span,
                 std::string("cannot start `/bin/sh` for the scorer: ") + std::strerror(failure));
  return pid;
}

int reap(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

// A running shell with the read ends of its pipes. Whatever happens, the shell is reaped.
class Child {
 public:
  Child(pid_t pid, Descriptor out, Descriptor err, std::size_t limit)
      : pid_(pid), limit_(limit), pipes_{std::move(out), std::move(err)} {}
  ~Child() {
    if (pid_ > 0) {
      ::kill(-pid_, SIGKILL);
      reap();
    }
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  bool has_open_pipe() const { return pipes_[0].is_open() || pipes_[1].is_open(); }
  bool printed_too_much() const { return too_much_; }
  std::string take_text(int stream) { return std::move(texts_[stream]); }
  void signal_group(int signal) const { ::kill(-pid_, signal); }

  // Not reaped yet: as long as the shell is a zombie, its group's number cannot be given to
  // another.
  bool has_exited() const {
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == pid_;
  }

  // Waits a moment for output, and reads what there is.
  void read_for(int milliseconds) {
    if (!has_open_pipe()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(std::min(milliseconds, 1)));
      return;
    }
    std::array<pollfd, 2> polled{};
    for (int i = 0; i < 2; ++i) polled[i] = {pipes_[i].get(), POLLIN, 0};  // -1 is passed over
    if (::poll(polled.data(), polled.size(), milliseconds) <= 0) return;
    for (int i = 0; i < 2; ++i)
      if (polled[i].revents != 0) drain(i);
  }

  void drain(int stream) {
    char buffer[1 << 16];
    while (pipes_[stream].is_open()) {
      const ssize_t size = ::read(pipes_[stream].get(), buffer, sizeof buffer);
      if (size < 0 && errno == EINTR) continue;
      if (size < 0 && errno == EAGAIN) return;
      if (size <= 0) return pipes_[stream].close();
      const std::size_t room = limit_ - texts_[stream].size();
      texts_[stream].append(buffer, std::min<std::size_t>(size, room));
      if (static_cast<std::size_t>(size) > room) {
        too_much_ = true;
        return;
      }
    }
  }

  int reap() { return roux::reap(std::exchange(pid_, 0)); }

 private:
  pid_t pid_;
  std::size_t limit_;
  bool too_much_ = false;
  std::array<Descriptor, 2> pipes_;
  std::array<std::string, 2> texts_;
};

// Ends the group where nobody else can any more: when this process was killed. It is a shell in that group which
// waits for the end of a pipe that we alone hold open, and lets go of the group when it is destroyed.
// (PR_SET_PDEATHSIG would reach the group's first process only, and end it together with the thread that started it.)
class Guard {
 public:
  static Result<Guard> over(pid_t group, Span span) {
    ROUX_TRY(Pipe pipe, make_pipe(span));
    ::fcntl(pipe.read.get(), F_SETFL, 0);  // it has to wait
    ROUX_TRY(const pid_t pid, start("trap '' HUP INT TERM; read line || kill -9 0", group, {pipe.read.get(), -1, -1}, span));
    return Guard(pid, std::move(pipe.write));
  }
  Guard(Guard&& other) noexcept : pid_(std::exchange(other.pid_, 0)), held_(std::move(other.held_)) {}
  Guard& operator=(Guard&&) = delete;
  ~Guard() {
    if (pid_ == 0) return;
    ::kill(pid_, SIGKILL);
    reap(pid_);
  }

 private:
  Guard(pid_t pid, Descriptor held) : pid_(pid), held_(std::move(held)) {}

  pid_t pid_;
  Descriptor held_;
};

ProcessEnd wait_for(Child& child, const ProcessLimits& bounds) {
  const Clock::time_point begin = Clock::now();
  while (!child.has_exited()) {
    child.read_for(kPollMilliseconds);
    if (child.printed_too_much()) return ProcessEnd::too_much_output;
    if (bounds.cancel && bounds.cancel->load(std::memory_order_relaxed))
      return ProcessEnd::cancelled;
    const std::chrono::duration<double> elapsed = Clock::now() - begin;
    if (bounds.timeout_seconds && elapsed.count() > *bounds.timeout_seconds)
      return ProcessEnd::timed_out;
  }
  for (int stream : {0, 1}) child.drain(stream);  // what the shell left in the pipes
  return child.printed_too_much() ? ProcessEnd::too_much_output : ProcessEnd::exited;
}

// Asks the group to end; after a while, or once nobody holds the pipes any more, leaves it no
// choice.
void end_group(Child& child) {
  child.signal_group(SIGTERM);
  const Clock::time_point deadline = Clock::now() + kGrace;
  while (Clock::now() < deadline && (!child.has_exited() || child.has_open_pipe())) {
    child.read_for(kPollMilliseconds);
    if (child.printed_too_much())
      break;  // nothing more is read, and the group may be stuck writing
  }
  child.signal_group(SIGKILL);
}

}  // namespace

Result<ProcessOutput> run_process(const std::string& command, const ProcessLimits& bounds,
                                  Span span) {
  ROUX_TRY(Pipe out, make_pipe(span));
  ROUX_TRY(Pipe err, make_pipe(span));
  ROUX_TRY(const pid_t pid, start(command, 0, {-1, out.write.get(), err.write.get()}, span));
  out.write.close();
  err.write.close();
  Child child(pid, std::move(out.read), std::move(err.read), bounds.output_bytes);
  ROUX_TRY(const Guard guard, Guard::over(pid, span));

  ProcessOutput output;
  output.end = wait_for(child, bounds);
  if (output.end != ProcessEnd::exited) end_group(child);
  const int status = child.reap();
  if (WIFEXITED(status)) output.exit_status = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) output.signal = WTERMSIG(status);
  output.standard_output = child.take_text(0);
  output.standard_error = child.take_text(1);
  return output;
}

}  // namespace roux
