// SPDX-License-Identifier: ISC
// net/calls.hpp: the calls that wait on a flow which a loop drives.
//
// States:  Call: made -> waits (it is in its Side) -> answered, or destroyed with its coroutine.
//          Calls: taken -> released -> put back, when no call waits any more.
// Used by: net/sockets/socket.hpp, net/lwip/connection.hpp.   May include: base, net/flow.hpp.
// Cost:    a Call lies in the frame of the coroutine that made it; nothing is allocated.
// Rules:   1. One call waits on each Side, a read and a write (law 4 of net/flow.hpp).
//          2. Nothing of a flow is touched after a waiting coroutine was resumed: it may have
//             closed the flow. So one is resumed a turn.

#pragma once

#include <coroutine>
#include <optional>

#include "base/loop.hpp"
#include "net/flow.hpp"

namespace net {

class Call;
class Calls;

// A direction: the call that waits there, and its deadline.
class Side final : public base::Timer {
 public:
  Side(base::Loop& loop, Calls& calls) noexcept : Timer(loop), calls_(calls) {}
  [[nodiscard]] bool is_waiting() const noexcept { return call_ != nullptr; }

 private:
  friend class Call;
  friend class Calls;
  void expired() override;

  Calls& calls_;
  Call* call_ = nullptr;
};

// The awaiter of the coroutine that made the call.
class Call {
 public:
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  bool await_ready() { return attempt(); }
  bool await_suspend(std::coroutine_handle<> waiting);

 protected:
  Call(Calls& calls, Side& side, base::Duration within) noexcept
      : calls_(calls), side_(side), within_(within) {}
  ~Call();

  // True when there is an answer, or an error.
  virtual bool attempt() noexcept = 0;
  [[nodiscard]] bool fail(Error error) noexcept {
    error_ = error;
    return true;
  }
  [[nodiscard]] Result<void> outcome() const noexcept {
    if (error_) return base::failure(*error_);
    return {};
  }
  // What a waiting call has moved earns it its time again.
  void extend() noexcept {
    if (waiting_) start_deadline();
  }

 private:
  friend class Side;
  friend class Calls;
  void start_deadline() noexcept;

  Calls& calls_;
  Side& side_;
  base::Duration within_;
  std::optional<Error> error_;
  std::coroutine_handle<> waiting_{};
};

// What a flow has of calls: it derives from this.
class Calls {
 public:
  Calls(const Calls&) = delete;
  Calls& operator=(const Calls&) = delete;

 protected:
  // `work` is the flow, whose run() is answer_one().
  Calls(base::Loop& loop, base::Work& work) noexcept
      : read_side_(loop, *this), write_side_(loop, *this), loop_(loop), work_(work) {}
  ~Calls() = default;

  // Before a call waits. False: nothing would wake it, and the flow is broken.
  virtual bool can_wait() noexcept { return true; }
  // Released, and no call waits.
  virtual void put_back() noexcept = 0;

  void take() noexcept;
  void release() noexcept;
  void wake() noexcept { loop_.schedule(work_); }
  void fail_waiting(Error error) noexcept;
  // Resumes a coroutine whose call has its answer, if there is one.
  void answer_one();

  std::optional<Error> read_over_;   // what every later read answers
  std::optional<Error> write_over_;  // what every later write answers
  Side read_side_;
  Side write_side_;

 private:
  friend class Call;
  friend class Side;
  [[nodiscard]] bool is_waiting() const noexcept {
    return read_side_.is_waiting() || write_side_.is_waiting();
  }
  void detach(Call& call) noexcept;
  void answer(Call& call);

  base::Loop& loop_;
  base::Work& work_;
  bool taken_ = false;
};

}  // namespace net
