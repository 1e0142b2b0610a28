// SPDX-License-Identifier: ISC
// net/ready_flows.hpp: the accept of a stack that does something with each connection first.
//
// States:  ReadyFlows: the connections of one port that are ready to be accepted, in order, and the
//          coroutine that waits for one.   Used by: tls, net/proxied.   May include: base, net.
// Rule:    what makes them ready waits in room() while `most` wait to be accepted, so a server
//          that does not accept stops the layer, and that the port below.

#pragma once

#include <coroutine>
#include <cstddef>
#include <deque>
#include <utility>

#include "base/loop.hpp"
#include "net/flow.hpp"

namespace net {

template <Flow F>
class ReadyFlows {
 public:
  // `loop` outlives it.
  ReadyFlows(base::Loop& loop, std::size_t most) noexcept : loop_(loop), most_(most) {}
  ReadyFlows(const ReadyFlows&) = delete;
  ReadyFlows& operator=(const ReadyFlows&) = delete;

  [[nodiscard]] std::size_t size() const noexcept { return ready_.size(); }
  [[nodiscard]] bool is_full() const noexcept { return ready_.size() >= most_; }
  [[nodiscard]] bool is_closed() const noexcept { return closed_; }

  // Throws std::bad_alloc: then `flow` is closed.
  void push(F flow) {
    ready_.push_back(std::move(flow));
    wake(accepting_);
  }
  // The port below accepts no more: closed by close(), or for good.
  void end(Error why) {
    broken_ = why != Error::cancelled;
    wake(accepting_);
  }

  // Waits until something was accepted, or the port was closed. Only while is_full().
  struct Room {
    base::Resumption& resumption;
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiting) const noexcept {
      resumption.waiting = waiting;
    }
    void await_resume() const noexcept {}
  };
  [[nodiscard]] Room room() noexcept { return {room_}; }

  // As Listener::accept.
  struct Accept {
    ReadyFlows& flows;
    ~Accept() { flows.accepting_.waiting = {}; }
    [[nodiscard]] bool await_ready() const noexcept {
      return !flows.ready_.empty() || flows.closed_ || flows.broken_;
    }
    void await_suspend(std::coroutine_handle<> waiting) const noexcept {
      flows.accepting_.waiting = waiting;
    }
    Result<F> await_resume() const {
      if (std::exchange(flows.cancelled_, false) || flows.ready_.empty()) {
        return base::failure(flows.broken_ ? Error::reset : Error::cancelled);
      }
      Result<F> flow = std::move(flows.ready_.front());
      flows.ready_.pop_front();
      flows.wake(flows.room_);
      return flow;
    }
  };
  [[nodiscard]] Accept accept() noexcept { return {*this}; }

  // As Listener::cancel.
  void cancel() {
    if (!accepting_.waiting) return;
    cancelled_ = true;
    wake(accepting_);
  }
  // Flows that were not accepted yet are closed.
  void close() {
    closed_ = true;
    ready_.clear();
    wake(room_);
    wake(accepting_);
  }

 private:
  void wake(base::Resumption& resumption) {
    if (resumption.waiting && !resumption.is_scheduled()) loop_.schedule(resumption);
  }

  base::Loop& loop_;
  const std::size_t most_;
  std::deque<F> ready_;
  base::Resumption accepting_;
  base::Resumption room_;
  bool cancelled_ = false;
  bool closed_ = false;
  bool broken_ = false;
};

}  // namespace net
