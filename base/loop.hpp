// SPDX-License-Identifier: ISC
// base/loop.hpp: one thread's event loop: work that is due, timers, spawned tasks, and sleep.
//
// States:  Work, Timer, Idle, Loop.   Owns: spawned tasks.
// Turn:    1. run what is due (at most work_per_turn_max, so that devices are not starved);
//          2. expire timers; 3. Idle::sleep, until the first timer or until a device has something,
//          or not at all if something is due.
// Rules:   A Loop belongs to one thread and nothing here locks. Work and Timers unlink themselves
//          when destroyed. `now` is read once a turn.

#pragma once

#include <coroutine>
#include <cstddef>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/task.hpp"

namespace base {

class Loop;

// Something to do soon. Scheduling twice before it runs is scheduling once.
class Work {
 public:
  Work() noexcept = default;
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;
  virtual void run() = 0;
  [[nodiscard]] bool is_scheduled() const noexcept { return next_ != nullptr; }
  void unschedule() noexcept;

 protected:
  ~Work() { unschedule(); }

 private:
  friend class Loop;
  Work* next_ = nullptr;
  Work* previous_ = nullptr;
};

// Calls `expired` once, at or after an Instant.
//
// Cost: setting a later Instant while armed, and disarming, are one store each: the queue is
// corrected when the old instant comes. A deadline that is moved for every request therefore costs
// nothing.
class Timer {
 public:
  explicit Timer(Loop& loop) noexcept : loop_(loop) {}
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  virtual void expired() = 0;
  void arm(Instant at);
  void disarm() noexcept { at_ = never; }
  [[nodiscard]] bool is_armed() const noexcept { return at_ != never; }
  [[nodiscard]] Instant at() const noexcept { return at_; }

 protected:
  ~Timer();

 private:
  friend class Loop;
  static constexpr std::size_t not_queued = static_cast<std::size_t>(-1);
  Loop& loop_;
  Instant at_ = never;
  std::size_t slot_ = not_queued;  // in the loop's heap, whose order is by `queued_at`
};

// How a target sleeps.
class Idle {
 public:
  virtual ~Idle() = default;
  // Collects what devices have to say, scheduling the work that waits for it; sleeps until
  // something came or `deadline` passed (already past: does not sleep). May return early.
  virtual void sleep(Instant deadline) = 0;
};

class Loop {
 public:
  // Both must outlive the loop.
  Loop(Clock& clock, Idle& idle);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // The time at the start of this turn.
  [[nodiscard]] Instant now() const noexcept { return now_; }
  [[nodiscard]] Clock& clock() const noexcept { return clock_; }

  void schedule(Work& work) noexcept;

  // Runs `task` from the next turn on, owned by the loop. An exception that leaves it is reported
  // by `on_exception` and ends that task only.
  void spawn(Task<void> task);
  [[nodiscard]] std::size_t spawned_count() const noexcept { return spawned_count_; }

  // Turns until every spawned task has finished, or `stop` was called.
  void run();
  void stop() noexcept { stopped_ = true; }
  static constexpr int work_per_turn_max = 1024;
  // One turn; `until` bounds the sleep.
  void turn(Instant until = never);

  // `co_await loop.sleep_until(t)`: resumes at or after t.
  class Sleep;
  [[nodiscard]] Sleep sleep_until(Instant at);
  [[nodiscard]] Sleep sleep_for(Duration duration);

  // Receives the what() of an exception that left a spawned task; by default it goes to standard
  // error.
  void (*on_exception)(std::string_view what) noexcept;

 private:
  friend class Timer;
  friend class Work;
  struct Queued {
    Instant at;
    Timer* timer;
  };
  struct Root;  // the coroutine that owns a spawned task
  struct RootPromise;

  static Root root_of(Loop& loop, Task<void> task);
  void run_due_work();
  void expire_timers();
  void sleep(Instant until);
  void queue(Timer& timer, Instant at);
  void unqueue(Timer& timer) noexcept;
  void place(std::size_t slot, Queued queued) noexcept;
  void sift_up(std::size_t slot) noexcept;
  void sift_down(std::size_t slot) noexcept;

  Clock& clock_;
  Idle& idle_;
  Instant now_;
  bool stopped_ = false;
  std::size_t spawned_count_ = 0;
  struct Ring final : Work {
    void run() override {}
  };
  Ring due_;                      // the sentinel of a ring: its next is the first to run
  RootPromise* roots_ = nullptr;  // the unfinished ones, destroyed with the loop
  std::vector<Queued> timers_;    // a binary heap, first instant at the front
};

// Resumes a coroutine from the loop.
class Resumption final : public Work {
 public:
  std::coroutine_handle<> waiting{};
  void run() override { std::exchange(waiting, {}).resume(); }
};

class Loop::Sleep final : private Timer {
 public:
  Sleep(Loop& loop, Instant at) noexcept : Timer(loop), until_(at) {}
  [[nodiscard]] bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiting) {
    waiting_ = waiting;
    arm(until_);
  }
  void await_resume() const noexcept {}

 private:
  void expired() override { waiting_.resume(); }
  Instant until_;
  std::coroutine_handle<> waiting_{};
};

inline Loop::Sleep Loop::sleep_until(Instant at) { return {*this, at}; }
inline Loop::Sleep Loop::sleep_for(Duration duration) { return {*this, now_ + duration}; }

}  // namespace base
