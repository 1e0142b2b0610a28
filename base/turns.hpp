// SPDX-License-Identifier: ISC
// base/turns.hpp: coroutines of one thread that must not be at something together take turns.
//
// States:  Turns, Turn.
// Order:   who asked first is served first. A coroutine that is destroyed while it waits gives up
//          its place; one that is destroyed during its turn ends it.
// Rules:   Turns outlives everyone who waits or has a turn. Nothing allocates or fails.

#pragma once

#include <coroutine>
#include <utility>

#include "base/loop.hpp"

namespace base {

class Turns {
 public:
  // Resumes those who wait.
  explicit Turns(Loop& loop) noexcept : loop_(loop) {}
  Turns(const Turns&) = delete;
  Turns& operator=(const Turns&) = delete;

  // A turn, until it goes out of scope.
  class Turn {
   public:
    Turn(Turn&& other) noexcept : turns_(std::exchange(other.turns_, nullptr)) {}
    Turn& operator=(Turn&&) = delete;
    ~Turn() {
      if (turns_ != nullptr) turns_->hand_on();
    }

   private:
    friend class Turns;
    explicit Turn(Turns& turns) noexcept : turns_(&turns) {}
    Turns* turns_;
  };

  class Wait;
  // `const auto turn = co_await turns.take();`
  [[nodiscard]] Wait take() noexcept;

 private:
  void hand_on() noexcept;

  Loop& loop_;
  bool is_taken_ = false;
  Wait* first_ = nullptr;  // who waits, the longest first
  Wait* last_ = nullptr;
};

class Turns::Wait final : private Work {
 public:
  explicit Wait(Turns& turns) noexcept : turns_(turns) {}
  Wait(const Wait&) = delete;
  Wait& operator=(const Wait&) = delete;
  ~Wait() {
    if (state_ == State::queued) leave();
    if (state_ == State::granted) turns_.hand_on();
  }
  [[nodiscard]] bool await_ready() noexcept {
    if (turns_.is_taken_) return false;
    turns_.is_taken_ = true;
    return true;
  }
  void await_suspend(std::coroutine_handle<> waiting) noexcept {
    waiting_ = waiting;
    state_ = State::queued;
    before_ = turns_.last_;
    (before_ != nullptr ? before_->after_ : turns_.first_) = this;
    turns_.last_ = this;
  }
  [[nodiscard]] Turn await_resume() noexcept {
    state_ = State::done;
    return Turn(turns_);
  }

 private:
  friend class Turns;
  enum class State : unsigned char { done, queued, granted };
  void run() override { waiting_.resume(); }
  void leave() noexcept {
    (before_ != nullptr ? before_->after_ : turns_.first_) = after_;
    (after_ != nullptr ? after_->before_ : turns_.last_) = before_;
  }

  Turns& turns_;
  std::coroutine_handle<> waiting_{};
  State state_ = State::done;
  Wait* before_ = nullptr;
  Wait* after_ = nullptr;
};

inline Turns::Wait Turns::take() noexcept { return Wait(*this); }

inline void Turns::hand_on() noexcept {
  Wait* const next = first_;
  if (next == nullptr) {
    is_taken_ = false;
    return;
  }
  next->leave();
  next->state_ = Wait::State::granted;
  loop_.schedule(*next);
}

}  // namespace base
