// Worker threads for one run. `parallel_for` deals out indices, or runs of them, by a shared counter and waits;
// meanwhile the calling thread, and only it, runs the tick callback and looks at the cancel flag.
// The first error stops the rest; of several the one with the lowest index is returned, which is
// always the same one, because indices are dealt out in order and those below it are finished. Nothing
// that a task throws leaves the pool: it becomes a diagnostic. Workers compute in the default
// floating-point environment.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "base/result.h"

namespace roux {

class ThreadPool {
 public:
  using Task = std::function<Status(int thread, std::uint64_t index)>;

  // `on_tick` (may be empty) is called every few milliseconds while the caller waits.
  ThreadPool(int threads, std::function<void()> on_tick, const std::atomic<bool>* cancel);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const { return static_cast<int>(workers_.size()); }

  // Runs task(thread, index) for every index below `count`; thread < size(). `longest_run`: how many indices in
  // a row a thread is dealt at most; fewer towards the end. Not reentrant.
  Status parallel_for(std::uint64_t count, const Task& task, std::uint64_t longest_run = 1);

 private:
  void work(int thread);
  struct Deal {
    std::uint64_t begin, end;
  };
  Deal next_deal();
  void run_tasks(int thread);
  void report(std::uint64_t index, Diagnostics errors);
  bool is_cancelled() const { return cancel_ && cancel_->load(std::memory_order_relaxed); }

  std::function<void()> on_tick_;
  const std::atomic<bool>* cancel_;

  std::mutex mutex_;  // guards all below but the atomics
  std::condition_variable begin_, end_;
  std::uint64_t generation_ = 0;  // of the loop at work; workers wait for the next
  int active_ = 0;                // workers that have not finished with this generation
  bool quit_ = false;
  const Task* task_ = nullptr;
  std::uint64_t count_ = 0, longest_run_ = 1;
  Diagnostics errors_;

  std::atomic<std::uint64_t> next_{0};
  std::atomic<std::uint64_t> error_index_{0};  // of the lowest index; above all of them while there is none
  std::atomic<bool> stop_{false};
  std::vector<std::thread> workers_;
};

// Runs `function`; what it throws becomes diagnostics: memory that ran out, and bugs of ours.
Status without_exceptions(const std::function<Status()>& function);

Diagnostic out_of_memory();

}  // namespace roux
