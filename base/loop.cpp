// SPDX-License-Identifier: ISC
#include "base/loop.hpp"

#include <algorithm>
#include <cstdio>
#include <exception>

namespace base {

// Holds one spawned Task; lives in a list of the loop's and frees itself when the task has
// finished.
struct Loop::RootPromise final : Work {
  RootPromise(Loop& owner, Task<void>&) noexcept : loop(owner), after(owner.roots_) {
    if (after != nullptr) after->before = this;
    loop.roots_ = this;
    ++loop.spawned_count_;
  }
  ~RootPromise() {
    (before != nullptr ? before->after : loop.roots_) = after;
    if (after != nullptr) after->before = before;
    --loop.spawned_count_;
  }
  RootPromise(const RootPromise&) = delete;
  RootPromise& operator=(const RootPromise&) = delete;

  Root get_return_object() noexcept;
  static std::suspend_always initial_suspend() noexcept { return {}; }
  static std::suspend_never final_suspend() noexcept { return {}; }
  static void return_void() noexcept {}
  static void unhandled_exception() noexcept { panic(__FILE__, __LINE__, "a root let one pass"); }
  void run() override { handle().resume(); }
  std::coroutine_handle<RootPromise> handle() noexcept {
    return std::coroutine_handle<RootPromise>::from_promise(*this);
  }

  Loop& loop;
  RootPromise* before = nullptr;
  RootPromise* after;
};

struct Loop::Root {
  using promise_type = RootPromise;
  RootPromise* promise;
};

Loop::Root Loop::RootPromise::get_return_object() noexcept { return {this}; }

void Work::unschedule() noexcept {
  if (next_ == nullptr) return;
  next_->previous_ = previous_;
  previous_->next_ = next_;
  next_ = previous_ = nullptr;
}

void Timer::arm(Instant at) {
  at_ = at;
  if (at == never) return;
  if (slot_ == not_queued) {
    loop_.queue(*this, at);
  } else if (at < loop_.timers_[slot_].at) {
    loop_.timers_[slot_].at = at;
    loop_.sift_up(slot_);
  }
}

Timer::~Timer() {
  if (slot_ != not_queued) loop_.unqueue(*this);
}

Loop::Loop(Clock& clock, Idle& idle)
    : on_exception([](std::string_view what) noexcept {
        std::fprintf(stderr, "a task ended by an exception: %.*s\n", static_cast<int>(what.size()),
                     what.data());
      }),
      clock_(clock),
      idle_(idle),
      now_(clock.now()) {
  due_.next_ = due_.previous_ = &due_;
}

Loop::~Loop() {
  while (roots_ != nullptr) roots_->handle().destroy();
}

void Loop::schedule(Work& work) noexcept {
  if (work.is_scheduled()) return;
  work.next_ = &due_;
  work.previous_ = due_.previous_;
  due_.previous_->next_ = &work;
  due_.previous_ = &work;
}

Loop::Root Loop::root_of(Loop& loop, Task<void> task) {
  try {
    co_await task;
  } catch (const std::exception& error) {
    loop.on_exception(error.what());
  } catch (...) {
    loop.on_exception("not a std::exception");
  }
}

void Loop::spawn(Task<void> task) { schedule(*root_of(*this, std::move(task)).promise); }

void Loop::run() {
  stopped_ = false;
  for (;;) {
    run_due_work();
    expire_timers();
    if (stopped_ || spawned_count_ == 0) return;
    sleep(never);
  }
}

void Loop::turn(Instant until) {
  run_due_work();
  expire_timers();
  sleep(until);
}

void Loop::sleep(Instant until) {
  Instant first = timers_.empty() ? never : timers_.front().at;
  idle_.sleep(due_.next_ != &due_ ? now_ : std::min(first, until));
  now_ = clock_.now();
}

void Loop::run_due_work() {
  for (int left = work_per_turn_max; left > 0 && due_.next_ != &due_; --left) {
    Work& work = *due_.next_;
    work.unschedule();
    work.run();
  }
}

void Loop::expire_timers() {
  // Only those queued now, so that one that re-arms itself at once does not hold up the devices.
  for (std::size_t left = timers_.size(); left > 0 && !timers_.empty(); --left) {
    if (timers_.front().at > now_) return;
    Timer& timer = *timers_.front().timer;
    unqueue(timer);
    if (timer.at_ == never) continue;
    if (timer.at_ > now_) {
      queue(timer, timer.at_);
    } else {
      timer.at_ = never;
      timer.expired();
    }
  }
}

void Loop::queue(Timer& timer, Instant at) {
  timers_.push_back({at, &timer});
  timer.slot_ = timers_.size() - 1;
  sift_up(timer.slot_);
}

void Loop::unqueue(Timer& timer) noexcept {
  std::size_t slot = std::exchange(timer.slot_, Timer::not_queued);
  Queued last = timers_.back();
  timers_.pop_back();
  if (slot == timers_.size()) return;
  place(slot, last);
  sift_up(slot);
  sift_down(last.timer->slot_);
}

void Loop::place(std::size_t slot, Queued queued) noexcept {
  timers_[slot] = queued;
  queued.timer->slot_ = slot;
}

void Loop::sift_up(std::size_t slot) noexcept {
  Queued queued = timers_[slot];
  for (; slot > 0 && queued.at < timers_[(slot - 1) / 2].at; slot = (slot - 1) / 2) {
    place(slot, timers_[(slot - 1) / 2]);
  }
  place(slot, queued);
}

void Loop::sift_down(std::size_t slot) noexcept {
  Queued queued = timers_[slot];
  for (std::size_t child = 2 * slot + 1; child < timers_.size(); child = 2 * slot + 1) {
    if (child + 1 < timers_.size() && timers_[child + 1].at < timers_[child].at) ++child;
    if (queued.at <= timers_[child].at) break;
    place(slot, timers_[child]);
    slot = child;
  }
  place(slot, queued);
}

}  // namespace base
