// SPDX-License-Identifier: ISC
// crunch/embed/pipeline.hpp: makes many things in parallel and returns them in order.
//
// States:  run_in_order.   Owns: its threads, for the time of the call.
// Bounds:  what is being made or waits to be taken weighs at most `weight_max` (but one thing may
//          always be), and is at most `ahead_max` things: memory does not grow with the input.
// Errors:  what is thrown for the first of the things, in their order, is thrown to the caller.

#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

namespace crunch::embed {

template <class Result>
struct Pipeline {
  static constexpr std::size_t ahead_max = 1024;

  std::size_t count = 0;
  std::size_t threads = 1;
  std::uint64_t weight_max = 0;
  std::function<std::uint64_t(std::size_t)> weigh;
  // Called once by each thread; what it answers makes things.
  std::function<std::function<Result(std::size_t)>()> make_worker;
  std::function<void(std::size_t, Result)> take;
  // Called at least ten times a second while waiting; may throw to stop.
  std::function<void()> while_waiting;

  void run() {
    std::vector<std::jthread> workers;
    Stop stop{*this};  // is destroyed before the threads are joined, on every way out
    for (std::size_t i = 0; i < threads; ++i) workers.emplace_back([this] { work(); });
    for (std::size_t i = 0; i < count; ++i) {
      take(i, wait_for(i));
      std::lock_guard lock(mutex_);
      weight_ -= weigh(i);
      ++taken_;
      room_.notify_all();
    }
  }

 private:
  struct Made {
    std::vector<Result> result;  // one, or none if something was thrown
    std::exception_ptr thrown;
  };
  struct Stop {
    Pipeline& pipeline;
    ~Stop() {
      std::lock_guard lock(pipeline.mutex_);
      pipeline.stopped_ = true;
      pipeline.room_.notify_all();
    }
  };

  Result wait_for(std::size_t i) {
    std::unique_lock lock(mutex_);
    while (!made_.contains(i)) {
      news_.wait_for(lock, std::chrono::milliseconds(100));
      lock.unlock();
      while_waiting();
      lock.lock();
    }
    Made made = std::move(made_.extract(i).mapped());
    if (made.thrown) std::rethrow_exception(made.thrown);
    return std::move(made.result.front());
  }

  [[nodiscard]] bool has_room() const {
    if (next_ == taken_) return true;
    return next_ - taken_ < ahead_max && weight_ + weigh(next_) <= weight_max;
  }

  void work() {
    std::function<Result(std::size_t)> worker;
    std::unique_lock lock(mutex_);
    for (;;) {
      room_.wait(lock, [this] { return stopped_ || next_ == count || has_room(); });
      if (stopped_ || next_ == count) return;
      std::size_t i = next_++;
      weight_ += weigh(i);
      lock.unlock();
      Made made;
      try {
        if (!worker) worker = make_worker();
        made.result.push_back(worker(i));
      } catch (...) {
        made.thrown = std::current_exception();
      }
      lock.lock();
      made_.emplace(i, std::move(made));
      news_.notify_one();
    }
  }

  std::mutex mutex_;
  std::condition_variable room_;  // to the workers: something was taken
  std::condition_variable news_;  // to the caller: something was made
  std::map<std::size_t, Made> made_;
  std::size_t next_ = 0;   // to be made
  std::size_t taken_ = 0;  // were taken
  std::uint64_t weight_ = 0;
  bool stopped_ = false;
};

}  // namespace crunch::embed
