// SPDX-License-Identifier: ISC
// net/proxied/over.hpp: connections that a proxy passes on, from those who made them, as a stack.
//
// Models:   net::ServerStack, over another one.   Used by: configurations.
// States:   OverOptions, Over.
// Rule:     while it is on, a connection is closed unless it comes from a trusted proxy and begins
//           with a header of the PROXY protocol (header.hpp); peer() is what that says. While it is
//           off, each connection is as it came, and none waits here.
// Bounds:   a header has OverOptions::header_within. At most openings_max are waited for; for a
//           further one the connection goes that has waited longest.
// Memory:   after a failed allocation the connection that needed it is closed and the service goes
//           on.
// Ending:   after Listener::close the loop must turn until the openings have noticed, before the
//           lower stack goes.
// May include: base, net/{flow,ready_flows,stack,endpoint}.hpp.

#pragma once

#include <algorithm>
#include <chrono>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/loop.hpp"
#include "net/flow.hpp"
#include "net/proxied/header.hpp"
#include "net/ready_flows.hpp"
#include "net/stack.hpp"

namespace net::proxied {

struct OverOptions {
  // Whether a peer may say who connects. Empty: the stack is off. It must not throw.
  std::function<bool(const Endpoint& peer)> trusts = {};
  base::Duration header_within = std::chrono::seconds(5);
  std::size_t openings_max = 1024;
  std::size_t ready_max = 256;  // of a listener: connections that wait for its accept
  // Called with the peer of each that is closed, and with why. It must not throw.
  std::function<void(const Endpoint& peer, bool is_trusted)> on_refusal = {};
};

template <net::ServerStack Lower>
class Over {
 public:
  class Flow;
  class Listener;

  // Both outlive the stack.
  Over(Lower& lower, base::Loop& loop, OverOptions options)
      : lower_(lower), loop_(loop), options_(std::move(options)) {}
  Over(const Over&) = delete;
  Over& operator=(const Over&) = delete;

  [[nodiscard]] ListenResult<Listener> listen(std::uint16_t port) {
    auto lower = lower_.listen(port);
    if (!lower) return base::failure(std::move(lower.error()));
    auto shared = std::make_shared<Port>(*this, std::move(*lower));
    if (is_on()) loop_.spawn(accept_all(shared));
    return Listener(std::move(shared));
  }

  [[nodiscard]] bool is_on() const noexcept { return bool(options_.trusts); }

  // Connections whose header is not whole.
  [[nodiscard]] std::size_t opening_count() const noexcept { return opening_count_; }

 private:
  using LowerFlow = typename Lower::Flow;

  // What a listener accepted below, and the server that waits for it.
  struct Port {
    Port(Over& its_over, typename Lower::Listener its_lower)
        : over(its_over), lower(std::move(its_lower)), ready(over.loop_, over.options_.ready_max) {}
    Over& over;
    typename Lower::Listener lower;
    ReadyFlows<Flow> ready;
  };

  // A connection whose header is awaited, among the others, the newest first.
  struct Opening {
    Opening(std::shared_ptr<Port> its_port, LowerFlow its_flow)
        : port(std::move(its_port)), flow(std::move(its_flow)) {
      Over& over = port->over;
      after = std::exchange(over.newest_, this);
      (after != nullptr ? after->before : over.oldest_) = this;
      ++over.opening_count_;
    }
    ~Opening() { leave(); }
    // Counts no longer.
    void leave() noexcept {
      if (!std::exchange(is_counted, false)) return;
      Over& over = port->over;
      (before != nullptr ? before->after : over.newest_) = after;
      (after != nullptr ? after->before : over.oldest_) = before;
      --over.opening_count_;
    }
    Opening(const Opening&) = delete;
    Opening& operator=(const Opening&) = delete;

    std::shared_ptr<Port> port;
    LowerFlow flow;
    bool is_counted = true;
    Opening* before = nullptr;
    Opening* after;
  };

  static base::Task<void> accept_all(std::shared_ptr<Port> port);
  static base::Task<void> open(std::unique_ptr<Opening> opening);
  void pass_on(const std::shared_ptr<Port>& port, LowerFlow flow);
  void refuse(LowerFlow& flow, bool is_trusted) {
    if (options_.on_refusal) options_.on_refusal(flow.peer(), is_trusted);
  }

  Lower& lower_;
  base::Loop& loop_;
  OverOptions options_;
  Opening* newest_ = nullptr;
  Opening* oldest_ = nullptr;
  std::size_t opening_count_ = 0;
};

template <net::ServerStack Lower>
class Over<Lower>::Flow {
 public:
  Flow(LowerFlow lower, const std::optional<Endpoint>& source)
      : lower_(std::move(lower)), source_(source) {}

  decltype(auto) read(std::size_t n, base::Duration within) { return lower_.read(n, within); }
  decltype(auto) write(std::span<const Piece> pieces, base::Duration stall) {
    return lower_.write(pieces, stall);
  }
  decltype(auto) shutdown(base::Duration within) { return lower_.shutdown(within); }
  void cancel() { lower_.cancel(); }
  void close() { lower_.close(); }
  [[nodiscard]] Endpoint peer() { return source_ ? *source_ : Endpoint(lower_.peer()); }
  [[nodiscard]] std::string_view protocol() { return lower_.protocol(); }
  [[nodiscard]] bool serves(std::string_view host) { return lower_.serves(host); }

 private:
  LowerFlow lower_;
  std::optional<Endpoint> source_;
};

template <net::ServerStack Lower>
class Over<Lower>::Listener {
 public:
  using Flow = Over::Flow;

  Listener(Listener&&) noexcept = default;
  Listener& operator=(Listener&& other) noexcept {
    if (this != &other) {
      close();
      port_ = std::move(other.port_);
    }
    return *this;
  }
  ~Listener() { close(); }

  // One of those that are ready, or, while the stack is off, of the lower stack's.
  class Accept {
   public:
    explicit Accept(Port& port) : ready_(port.ready.accept()) {
      if (!port.over.is_on()) lower_.emplace(InPlace{port.lower});
    }
    [[nodiscard]] bool await_ready() {
      return lower_ ? bool(lower_->await_ready()) : ready_.await_ready();
    }
    auto await_suspend(std::coroutine_handle<> waiting) {
      using Answer = decltype(lower_->await_suspend(waiting));
      if (lower_) return lower_->await_suspend(waiting);
      ready_.await_suspend(waiting);
      if constexpr (std::is_same_v<Answer, bool>) return true;
    }
    Result<Flow> await_resume() {
      if (!lower_) return ready_.await_resume();
      Result<LowerFlow> lower = lower_->await_resume();
      if (!lower) return base::failure(lower.error());
      return Flow(std::move(*lower), {});
    }

   private:
    using LowerAccept = decltype(std::declval<typename Lower::Listener&>().accept());
    // It is made where it stays.
    struct InPlace {
      typename Lower::Listener& listener;
      operator LowerAccept() const { return listener.accept(); }
    };
    std::optional<LowerAccept> lower_;
    typename ReadyFlows<Flow>::Accept ready_;
  };

  [[nodiscard]] Accept accept() { return Accept(*port_); }
  [[nodiscard]] std::uint16_t port() { return port_->lower.port(); }
  void cancel() {
    if (!port_->over.is_on()) port_->lower.cancel();
    port_->ready.cancel();
  }
  // Connections that were not accepted yet are given up.
  void close() {
    if (!port_ || port_->ready.is_closed()) return;
    port_->lower.cancel();
    port_->lower.close();
    for (Opening* each = port_->over.newest_; each != nullptr; each = each->after) {
      if (each->port == port_) each->flow.cancel();
    }
    port_->ready.close();
  }

 private:
  friend class Over;
  explicit Listener(std::shared_ptr<Port> port) : port_(std::move(port)) {}
  std::shared_ptr<Port> port_;
};

template <net::ServerStack Lower>
base::Task<void> Over<Lower>::accept_all(std::shared_ptr<Port> port) {
  constexpr base::Duration pause_after_failure = std::chrono::milliseconds(10);
  Over& over = port->over;
  while (!port->ready.is_closed()) {
    if (port->ready.is_full()) {
      co_await port->ready.room();
      continue;
    }
    bool failed = false;
    try {
      Result<LowerFlow> lower = co_await port->lower.accept();
      if (!lower) {
        port->ready.end(lower.error());
        co_return;
      }
      over.pass_on(port, std::move(*lower));
    } catch (const std::exception&) {
      failed = true;  // out of memory: that connection is closed
    }
    if (failed) co_await over.loop_.sleep_for(pause_after_failure);
  }
}

template <net::ServerStack Lower>
void Over<Lower>::pass_on(const std::shared_ptr<Port>& port, LowerFlow flow) {
  if (!options_.trusts(flow.peer())) return refuse(flow, false);
  if (opening_count_ >= options_.openings_max) {
    oldest_->flow.cancel();
    oldest_->leave();
  }
  loop_.spawn(open(std::make_unique<Opening>(port, std::move(flow))));
}

template <net::ServerStack Lower>
base::Task<void> Over<Lower>::open(std::unique_ptr<Opening> opening) {
  Over& over = opening->port->over;
  const base::Instant deadline = over.loop_.now() + over.options_.header_within;
  Header header;
  while (header.state() == Header::State::reading) {
    const base::Duration left = std::max(deadline - over.loop_.now(), base::Duration::zero());
    Result<base::Bytes> in = co_await opening->flow.read(header.wanted(), left);
    if (!in) break;
    header.take(*in);
  }
  if (opening->port->ready.is_closed()) co_return;
  if (header.state() != Header::State::complete) {
    over.refuse(opening->flow, true);
    co_return;
  }
  opening->port->ready.push(Flow(std::move(opening->flow), header.source()));
}

}  // namespace net::proxied
