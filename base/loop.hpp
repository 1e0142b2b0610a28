// SPDX-License-Identifier: ISC
// base/loop.hpp: one thread's event loop: work that is due, timers, spawned tasks, and sleep.
//
// States:  Work, Timer, Idle, Loop.   Owns: spawned tasks.
// Turn:    1. run what is due (at most work_per_turn_max, so that devices are not starved);
//          2. expire timers; 3. Idle::sleep, until the first timer or until a device has something,
//          or not at all if something is due.
// Timers:  a pairing heap of the Timers themselves, so arming one neither allocates nor fails.
// Rules:   A Loop belongs to one thread and nothing here locks. Work and Timers unlink themselves
//          when destroyed. `now` is read once a turn.

#pragma once

#include <coroutine>
#include <cstddef>
#include <string_view>

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
  void arm(Instant at) noexcept;
  void disarm() noexcept { at_ = never; }
  [[nodiscard]] bool is_armed() const noexcept { return at_ != never; }
  [[nodiscard]] Instant at() const noexcept { return at_; }

 protected:
  ~Timer();

 private:
  friend class TimerQueue;
  friend class Loop;
  Loop& loop_;
  Instant at_ = never;
  // In the loop's queue.
  Instant queued_at_{};
  Timer* child_ = nullptr;     // the first; the others are its next ones
  Timer* next_ = nullptr;      // the next sibling
  Timer* previous_ = nullptr;  // or the parent; of the root, itself; null: not queued
};

// The queued Timers of a loop, the first one at the front: a pairing heap by `queued_at_`.
//
// Source: Fredman, Sedgewick, Sleator, Tarjan: The pairing heap (Algorithmica, 1986). Adding is
// O(1), removing amortised O(log n); no function recurses, allocates or fails.
class TimerQueue {
 public:
  // Null: there is none.
  [[nodiscard]] Timer* first() const noexcept { return root_; }
  [[nodiscard]] Instant first_at() const noexcept {
    return root_ != nullptr ? root_->queued_at_ : never;
  }
  [[nodiscard]] std::size_t count() const noexcept { return count_; }
  [[nodiscard]] static bool holds(const Timer& timer) noexcept {
    return timer.previous_ != nullptr;
  }

  // `timer` is not queued yet.
  void add(Timer& timer, Instant at) noexcept;
  // `timer` is queued here, for `at` or later.
  void move_forward(Timer& timer, Instant at) noexcept;
  void remove(Timer& timer) noexcept;

 private:
  static Timer& meld(Timer& one, Timer& other) noexcept;
  static Timer* meld_siblings(Timer* first) noexcept;
  static void cut(Timer& timer) noexcept;
  void put_beside_root(Timer& heap) noexcept;

  Timer* root_ = nullptr;
  std::size_t count_ = 0;
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

  // `co_await loop.sleep_until(t)`: resumes at or after t and gives true; false: wake_sleepers()
  // was called before.
  class Sleep;
  [[nodiscard]] Sleep sleep_until(Instant at);
  [[nodiscard]] Sleep sleep_for(Duration duration);
  // What sleeps now resumes in this turn or the next one: a shutdown does not wait for it.
  void wake_sleepers() noexcept;

  // Destroys the tasks that have not finished, as the destructor does, so that what they refer to
  // may go before the loop. Not from within a task.
  void destroy_tasks() noexcept;

  // Receives the what() of an exception that left a spawned task; by default it goes to standard
  // error.
  void (*on_exception)(std::string_view what) noexcept;

 private:
  friend class Timer;
  friend class Work;
  struct Root;  // the coroutine that owns a spawned task
  struct RootPromise;

  static Root root_of(Loop& loop, Task<void> task);
  void run_due_work();
  void expire_timers();
  void sleep(Instant until);

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
  Sleep* sleepers_ = nullptr;
  TimerQueue timers_;
};

// Resumes a coroutine from the loop.
class Resumption final : public Work {
 public:
  std::coroutine_handle<> waiting{};
  void run() override { std::exchange(waiting, {}).resume(); }
};

class Loop::Sleep final : private Timer {
 public:
  Sleep(Loop& loop, Instant at) noexcept : Timer(loop), loop_(loop), until_(at) {}
  ~Sleep() { leave(); }
  [[nodiscard]] bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiting) noexcept {
    waiting_ = waiting;
    after_ = std::exchange(loop_.sleepers_, this);
    if (after_ != nullptr) after_->before_ = this;
    arm(until_);
  }
  bool await_resume() const noexcept { return !woken_; }

 private:
  friend class Loop;
  void expired() override {
    leave();
    std::exchange(waiting_, {}).resume();
  }
  void leave() noexcept {
    if (!waiting_) return;
    (before_ != nullptr ? before_->after_ : loop_.sleepers_) = after_;
    if (after_ != nullptr) after_->before_ = before_;
  }
  Loop& loop_;
  Instant until_;
  bool woken_ = false;
  std::coroutine_handle<> waiting_{};  // set: this is one of the loop's sleepers
  Sleep* before_ = nullptr;
  Sleep* after_ = nullptr;
};

inline Loop::Sleep Loop::sleep_until(Instant at) { return {*this, at}; }
inline Loop::Sleep Loop::sleep_for(Duration duration) { return {*this, now_ + duration}; }

}  // namespace base
