#include "runtime/exec/thread_pool.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <new>
#include <system_error>
#include <utility>

#include "base/float_environment.h"

namespace roux {
namespace {

constexpr auto kTick = std::chrono::milliseconds(20);

Diagnostic cancelled() { return error(DiagnosticKind::cancelled, {}, "cancelled"); }

}  // namespace

Diagnostic out_of_memory() {
  return error(DiagnosticKind::memory_budget, {},
               "the machine has no memory left for the run's buffers")
      .hint("use fewer threads");
}

Status without_exceptions(const std::function<Status()>& function) {
  try {
    return function();
  } catch (const std::bad_alloc&) {
    return out_of_memory();
  } catch (const std::exception& failure) {
    return error(DiagnosticKind::internal, {}, failure.what());
  } catch (...) {
    return error(DiagnosticKind::internal, {}, "a worker threw something that is no exception");
  }
}

ThreadPool::ThreadPool(int threads, std::function<void()> on_tick, const std::atomic<bool>* cancel)
    : on_tick_(std::move(on_tick)), cancel_(cancel) {
  ROUX_CHECK(threads >= 1);
  workers_.reserve(threads);
  try {
    for (int thread = 0; thread < threads; ++thread)
      workers_.emplace_back([this, thread] { work(thread); });
  } catch (const std::system_error&) {
    if (workers_.empty()) throw;  // with some of them the results are the same, only later
  }
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard lock(mutex_);
    quit_ = true;
  }
  begin_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

Status ThreadPool::parallel_for(std::uint64_t count, const Task& task, std::uint64_t longest_run) {
  if (is_cancelled()) return cancelled();
  if (count == 0) return ok();
  std::exception_ptr thrown;  // by the tick: the workers have to be waited for all the same
  const auto tick = [&] {
    try {
      if (on_tick_) on_tick_();
    } catch (...) {
      thrown = std::current_exception();
      stop_ = true;
    }
  };
  std::unique_lock lock(mutex_);
  task_ = &task;
  count_ = count;
  longest_run_ = longest_run;
  next_ = 0;
  error_index_ = count;
  stop_ = false;
  active_ = size();
  errors_.clear();
  ++generation_;
  begin_.notify_all();
  bool was_cancelled = false;
  while (!end_.wait_for(lock, kTick, [&] { return active_ == 0; })) {
    lock.unlock();
    if (is_cancelled()) stop_ = was_cancelled = true;
    if (!thrown) tick();
    lock.lock();
  }
  Diagnostics errors = std::exchange(errors_, {});
  lock.unlock();
  if (!thrown) tick();
  if (thrown) std::rethrow_exception(thrown);
  if (!errors.empty()) return errors;
  if (was_cancelled) return cancelled();
  return ok();
}

void ThreadPool::work(int thread) {
  const DefaultFloatEnvironment floats;
  std::uint64_t seen = 0;
  std::unique_lock lock(mutex_);
  while (true) {
    begin_.wait(lock, [&] { return quit_ || generation_ != seen; });
    if (quit_) return;
    seen = generation_;
    lock.unlock();
    run_tasks(thread);
    lock.lock();
    if (--active_ == 0) end_.notify_one();
  }
}

// Half of what would be each thread's share of the rest, so that all of them end together.
ThreadPool::Deal ThreadPool::next_deal() {
  std::uint64_t begin = next_.load(std::memory_order_relaxed), dealt = 0;
  do {
    const std::uint64_t left = begin < count_ ? count_ - begin : 0;
    const std::uint64_t share = left / (2 * static_cast<std::uint64_t>(size()));
    dealt = std::min(left, std::clamp<std::uint64_t>(share, 1, longest_run_));
  } while (dealt > 0 && !next_.compare_exchange_weak(begin, begin + dealt, std::memory_order_relaxed));
  return {begin, begin + dealt};
}

void ThreadPool::run_tasks(int thread) {
  for (Deal deal = next_deal(); deal.begin < deal.end; deal = next_deal())
    for (std::uint64_t index = deal.begin; index < deal.end; ++index) {
      if (stop_.load(std::memory_order_relaxed) || index > error_index_.load(std::memory_order_relaxed)) return;
      if (Status status = without_exceptions([&] { return (*task_)(thread, index); }); !status)
        report(index, std::move(status).error());
    }
}

void ThreadPool::report(std::uint64_t index, Diagnostics errors) {
  const std::lock_guard lock(mutex_);
  if (error_index_ < index) return;
  error_index_ = index;
  errors_ = std::move(errors);
}

}  // namespace roux
