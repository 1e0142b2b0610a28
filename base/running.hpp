// SPDX-License-Identifier: ISC
// base/running.hpp: tasks that run beside the coroutine that owns them, and how it hears of them.
//
// States:  Running: started -> done, or destroyed with all that it owns.   Signal.
// Used by: net/resolver.   May include: std, base.
// Rule:    a Running is not destroyed from within its own task: the task notifies a Signal, which
//          resumes the owner from the loop.

#pragma once

#include <coroutine>
#include <exception>
#include <utility>

#include "base/loop.hpp"
#include "base/task.hpp"

namespace base {

// Unlike Loop::spawn, the task ends with its owner. It must let no exception out.
class Running {
 public:
  struct promise_type {
    Running get_return_object() noexcept {
      return Running(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    static std::suspend_always initial_suspend() noexcept { return {}; }
    static std::suspend_always final_suspend() noexcept { return {}; }
    static void return_void() noexcept {}
    static void unhandled_exception() noexcept {
      panic(__FILE__, __LINE__, "a running task let an exception pass");
    }
  };

  // Runs `task` until it first waits. Throws std::bad_alloc.
  [[nodiscard]] static Running start(Task<void> task) {
    Running running = own(std::move(task));
    running.handle_.resume();
    return running;
  }
  Running(Running&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Running& operator=(Running&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Running() {
    if (handle_) handle_.destroy();
  }
  [[nodiscard]] bool is_done() const noexcept { return handle_.done(); }

 private:
  explicit Running(std::coroutine_handle<promise_type> handle) noexcept : handle_(handle) {}
  static Running own(Task<void> task) { co_await task; }

  std::coroutine_handle<promise_type> handle_;
};

// One coroutine waits for it.
class Signal final : private Timer, private Work {
 public:
  explicit Signal(Loop& loop) noexcept : Timer(loop), loop_(loop) {}

  // The waiter resumes from the loop; one that comes later does not wait.
  void notify() noexcept {
    notified_ = true;
    if (waiting_) loop_.schedule(*this);
  }
  // `co_await signal.wait_until(t)`: true: it was notified; false: t has passed.
  auto wait_until(Instant at) noexcept {
    struct Awaiter {
      Signal& signal;
      Instant at;
      [[nodiscard]] bool await_ready() const noexcept { return signal.notified_; }
      void await_suspend(std::coroutine_handle<> waiting) noexcept {
        signal.waiting_ = waiting;
        signal.arm(at);
      }
      bool await_resume() const noexcept { return std::exchange(signal.notified_, false); }
    };
    return Awaiter{*this, at};
  }

 private:
  void run() override { resume(); }
  void expired() override { resume(); }
  void resume() {
    unschedule();
    disarm();
    if (waiting_) std::exchange(waiting_, {}).resume();
  }

  Loop& loop_;
  bool notified_ = false;
  std::coroutine_handle<> waiting_{};
};

}  // namespace base
