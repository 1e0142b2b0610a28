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

// ---- Timer

void Timer::arm(Instant at) noexcept {
  at_ = at;
  if (at == never) return;
  if (!TimerQueue::holds(*this)) {
    loop_.timers_.add(*this, at);
  } else if (at < queued_at_) {
    loop_.timers_.move_forward(*this, at);
  }
}

Timer::~Timer() {
  if (TimerQueue::holds(*this)) loop_.timers_.remove(*this);
}

// ---- TimerQueue

// Two roots, without siblings, become one.
Timer& TimerQueue::meld(Timer& one, Timer& other) noexcept {
  Timer& parent = other.queued_at_ < one.queued_at_ ? other : one;
  Timer& child = &parent == &one ? other : one;
  child.previous_ = &parent;
  child.next_ = parent.child_;
  if (child.next_ != nullptr) child.next_->previous_ = &child;
  parent.child_ = &child;
  return parent;
}

// Siblings become one root: by pairs from the first on, then the pairs from the last on. Null for
// none.
Timer* TimerQueue::meld_siblings(Timer* first) noexcept {
  Timer* pairs = nullptr;  // the last one first
  while (first != nullptr) {
    Timer* one = first;
    Timer* other = std::exchange(one->next_, nullptr);
    first = other != nullptr ? std::exchange(other->next_, nullptr) : nullptr;
    if (other != nullptr) one = &meld(*one, *other);
    one->next_ = std::exchange(pairs, one);
  }
  if (pairs == nullptr) return nullptr;
  Timer* root = pairs;
  pairs = std::exchange(root->next_, nullptr);
  while (pairs != nullptr) {
    Timer& pair = *pairs;
    pairs = std::exchange(pair.next_, nullptr);
    root = &meld(*root, pair);
  }
  return root;
}

// Takes one that is not the root away from its parent, with its children.
void TimerQueue::cut(Timer& timer) noexcept {
  Timer& before = *timer.previous_;
  (before.child_ == &timer ? before.child_ : before.next_) = timer.next_;
  if (timer.next_ != nullptr) timer.next_->previous_ = &before;
  timer.next_ = nullptr;
}

void TimerQueue::put_beside_root(Timer& heap) noexcept {
  root_ = root_ != nullptr ? &meld(*root_, heap) : &heap;
  root_->previous_ = root_;
}

void TimerQueue::add(Timer& timer, Instant at) noexcept {
  timer.queued_at_ = at;
  put_beside_root(timer);
  ++count_;
}

void TimerQueue::move_forward(Timer& timer, Instant at) noexcept {
  timer.queued_at_ = at;
  if (&timer == root_) return;
  cut(timer);
  put_beside_root(timer);
}

void TimerQueue::remove(Timer& timer) noexcept {
  Timer* const children = meld_siblings(std::exchange(timer.child_, nullptr));
  if (&timer == root_) {
    root_ = nullptr;
  } else {
    cut(timer);
  }
  if (children != nullptr) put_beside_root(*children);
  timer.previous_ = nullptr;
  --count_;
}

// ---- Loop

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

Loop::~Loop() { destroy_tasks(); }

void Loop::destroy_tasks() noexcept {
  while (roots_ != nullptr) roots_->handle().destroy();
}

void Loop::wake_sleepers() noexcept {
  for (Sleep* sleep = sleepers_; sleep != nullptr; sleep = sleep->after_) {
    sleep->woken_ = true;
    sleep->arm(std::min(now_, sleep->until_));
  }
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
  idle_.sleep(due_.next_ != &due_ ? now_ : std::min(timers_.first_at(), until));
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
  for (std::size_t left = timers_.count(); left > 0; --left) {
    if (timers_.first() == nullptr || timers_.first_at() > now_) return;
    Timer& timer = *timers_.first();
    timers_.remove(timer);
    if (timer.at_ == never) continue;
    if (timer.at_ > now_) {
      timers_.add(timer, timer.at_);
    } else {
      timer.at_ = never;
      timer.expired();
    }
  }
}

}  // namespace base
