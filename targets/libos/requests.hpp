// SPDX-License-Identifier: ISC
// targets/libos/requests.hpp: requests that a disk answers later: a fixed number of places, who
// waits for one, and who waits for an answer.
//
// States:  of a place: free -> held (a coroutine fills it) -> in flight (begin) -> answered
//          (complete) -> free. One whose holder is gone while it is in flight stays so until its
//          answer comes: the device may still use its memory.
// Owns:    no memory of requests: a place is a number, by which the driver finds its own.
// Rules:   a coroutine that is destroyed while it waits gives up its place, or its turn. Nothing
//          allocates after the constructor. It outlives every coroutine that waits here.
// Used by: targets/libos/disk.hpp, and the drivers that are one.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "base/loop.hpp"

namespace libos {

class Requests {
 public:
  using Number = std::uint32_t;

  Requests(base::Loop& loop, std::size_t count) : loop_(loop), places_(count) {}
  Requests(const Requests&) = delete;
  Requests& operator=(const Requests&) = delete;

  [[nodiscard]] std::size_t count() const noexcept { return places_.size(); }
  [[nodiscard]] bool is_free(Number number) const noexcept {
    return places_[number].state == State::free;
  }
  // A place, until it goes out of scope.
  class Held;
  // `co_await requests.place(deadline)`: a Held, after those who have waited longer; nothing: none
  // was free in time. (A silent device has all of them, for ever.)
  class WaitForPlace;
  [[nodiscard]] WaitForPlace place(base::Instant deadline) noexcept;
  // `co_await requests.answer(held, deadline)`: whether the answer came in time.
  class WaitForAnswer;
  [[nodiscard]] WaitForAnswer answer(const Held& held, base::Instant deadline) noexcept;

  // For the driver. The device has it from now on.
  void begin(const Held& held) noexcept;
  // The device has answered; false: nothing is in flight there, so the device lies.
  [[nodiscard]] bool complete(Number number) noexcept;
  [[nodiscard]] bool is_in_flight(Number number) const noexcept {
    return number < places_.size() && places_[number].state == State::in_flight;
  }
  // Whether it is in flight and nobody waits for it any more: such a write may have been followed
  // by others to the same sectors, so it is never repeated.
  [[nodiscard]] bool is_abandoned(Number number) const noexcept {
    return is_in_flight(number) && places_[number].is_abandoned;
  }

 private:
  enum class State : std::uint8_t { free, held, in_flight, answered };
  struct Place {
    State state = State::free;
    bool is_abandoned = false;
    WaitForAnswer* waiter = nullptr;
  };

  void give_up(Number number) noexcept;
  void hand_on(Number number) noexcept;

  base::Loop& loop_;
  std::vector<Place> places_;
  WaitForPlace* first_ = nullptr;  // who waits for a place, the longest first
  WaitForPlace* last_ = nullptr;
};

class [[nodiscard]] Requests::Held {
 public:
  Held(Held&& other) noexcept
      : requests_(std::exchange(other.requests_, nullptr)), number_(other.number_) {}
  Held& operator=(Held&&) = delete;
  ~Held() {
    if (requests_ != nullptr) requests_->give_up(number_);
  }
  [[nodiscard]] Number number() const noexcept { return number_; }

 private:
  friend class Requests;
  Held(Requests& requests, Number number) noexcept : requests_(&requests), number_(number) {}
  Requests* requests_;
  Number number_;
};

class [[nodiscard]] Requests::WaitForPlace final : private base::Timer {
 public:
  WaitForPlace(Requests& requests, base::Instant deadline) noexcept
      : Timer(requests.loop_), requests_(requests), deadline_(deadline) {}
  WaitForPlace(const WaitForPlace&) = delete;
  WaitForPlace& operator=(const WaitForPlace&) = delete;
  ~WaitForPlace() {
    if (is_queued_) unlink();
    if (has_place_) requests_.give_up(number_);
  }

  [[nodiscard]] bool await_ready() noexcept {
    for (Number i = 0; i < requests_.places_.size(); ++i) {
      if (requests_.places_[i].state != State::free) continue;
      take(i);
      return true;
    }
    return false;
  }
  void await_suspend(std::coroutine_handle<> waiting) noexcept {
    resumption_.waiting = waiting;
    is_queued_ = true;
    before_ = requests_.last_;
    (before_ != nullptr ? before_->after_ : requests_.first_) = this;
    requests_.last_ = this;
    arm(deadline_);
  }
  [[nodiscard]] std::optional<Held> await_resume() noexcept {
    disarm();
    if (!std::exchange(has_place_, false)) return std::nullopt;
    return Held(requests_, number_);
  }

 private:
  friend class Requests;
  void expired() override {
    if (!is_queued_) return;
    unlink();
    requests_.loop_.schedule(resumption_);
  }
  void take(Number number) noexcept {
    requests_.places_[number] = {State::held, false, nullptr};
    number_ = number;
    has_place_ = true;
  }
  void unlink() noexcept {
    (before_ != nullptr ? before_->after_ : requests_.first_) = after_;
    (after_ != nullptr ? after_->before_ : requests_.last_) = before_;
    is_queued_ = false;
  }

  Requests& requests_;
  base::Instant deadline_;
  base::Resumption resumption_;
  WaitForPlace* before_ = nullptr;
  WaitForPlace* after_ = nullptr;
  Number number_ = 0;
  bool is_queued_ = false;
  bool has_place_ = false;
};

class [[nodiscard]] Requests::WaitForAnswer final : private base::Timer {
 public:
  WaitForAnswer(Requests& requests, Number number, base::Instant deadline) noexcept
      : Timer(requests.loop_), requests_(requests), number_(number), deadline_(deadline) {}
  WaitForAnswer(const WaitForAnswer&) = delete;
  WaitForAnswer& operator=(const WaitForAnswer&) = delete;
  ~WaitForAnswer() {
    if (place().waiter == this) place().waiter = nullptr;
  }

  [[nodiscard]] bool await_ready() const noexcept { return is_answered(); }
  void await_suspend(std::coroutine_handle<> waiting) noexcept {
    resumption_.waiting = waiting;
    place().waiter = this;
    arm(deadline_);
  }
  [[nodiscard]] bool await_resume() noexcept {
    disarm();
    return is_answered();
  }

 private:
  friend class Requests;
  void expired() override { wake(); }
  void wake() noexcept {
    place().waiter = nullptr;
    requests_.loop_.schedule(resumption_);
  }
  [[nodiscard]] Place& place() noexcept { return requests_.places_[number_]; }
  [[nodiscard]] bool is_answered() const noexcept {
    return requests_.places_[number_].state == State::answered;
  }

  Requests& requests_;
  Number number_;
  base::Instant deadline_;
  base::Resumption resumption_;
};

inline Requests::WaitForPlace Requests::place(base::Instant deadline) noexcept {
  return {*this, deadline};
}

inline Requests::WaitForAnswer Requests::answer(const Held& held, base::Instant deadline) noexcept {
  return {*this, held.number_, deadline};
}

inline void Requests::begin(const Held& held) noexcept {
  CHECK(places_[held.number_].state == State::held ||
        places_[held.number_].state == State::answered);
  places_[held.number_].state = State::in_flight;
}

inline bool Requests::complete(Number number) noexcept {
  if (!is_in_flight(number)) return false;
  Place& place = places_[number];
  place.state = State::answered;
  if (place.is_abandoned) {
    hand_on(number);
  } else if (place.waiter != nullptr) {
    place.waiter->wake();
  }
  return true;
}

inline void Requests::give_up(Number number) noexcept {
  if (places_[number].state == State::in_flight) {
    places_[number].is_abandoned = true;
  } else {
    hand_on(number);
  }
}

inline void Requests::hand_on(Number number) noexcept {
  places_[number] = {};
  if (first_ == nullptr) return;
  WaitForPlace& next = *first_;
  next.unlink();
  next.take(number);
  loop_.schedule(next.resumption_);
}

}  // namespace libos
