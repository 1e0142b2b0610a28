// SPDX-License-Identifier: ISC
// tls/over.hpp: TLS over any stack, as a stack.
//
// Models:   net::Stack, given one.   Used by: configurations; http never hears of it.
// Owns:     what its flows share (tls/connection.hpp).
// Handshakes are made here, many at once: accept() answers connections whose handshake is over, in
//           the order in which they got there. At most handshakes_max connections are between the
//           lower accept and this one; more wait in the lower stack's queue.
// Ending:   after Listener::close the loop must turn until the handshakes have noticed, before the
//           lower stack goes.
// May include: base, net/{flow,stack,endpoint}.hpp.

#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <coroutine>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "base/loop.hpp"
#include "net/flow.hpp"
#include "net/stack.hpp"
#include "tls/connection.hpp"

namespace tls {

struct OverOptions {
  // From the lower accept to the end of the handshake.
  base::Duration handshake_within = std::chrono::seconds(10);
  std::size_t handshakes_max = 256;
};

template <net::Stack Lower>
class Over {
 public:
  class Flow;
  class Listener;

  // `lower` and `loop` outlive the stack. Without a context it cannot listen.
  Over(Lower& lower, base::Loop& loop, std::shared_ptr<const Context> context,
       OverOptions options = {})
      : lower_(lower), loop_(loop), shared_{loop}, context_(std::move(context)), options_(options) {
    CHECK(options_.handshakes_max > 0);
  }
  Over(const Over&) = delete;
  Over& operator=(const Over&) = delete;

  [[nodiscard]] net::ListenResult<Listener> listen(std::uint16_t port) {
    if (!is_on()) return base::failure(std::string("there is no certificate to serve TLS with"));
    auto lower = lower_.listen(port);
    if (!lower) return base::failure(std::move(lower.error()));
    auto shared = std::make_shared<Port>(*this, std::move(*lower));
    loop_.spawn(accept_all(shared));
    return Listener(std::move(shared));
  }

  // Never: this end only serves, and has no certificates to trust others by.
  base::Ready<net::Result<Flow>> connect(const net::Endpoint&, base::Duration) {
    return {base::failure(net::Error::reset)};
  }

  // There are certificates.
  [[nodiscard]] bool is_on() const noexcept { return context_ != nullptr; }

  [[nodiscard]] const std::shared_ptr<const Context>& context() const noexcept { return context_; }

  // For connections that come from now on; the others keep theirs.
  void replace_context(std::shared_ptr<const Context> context) {
    CHECK(context != nullptr);
    context_ = std::move(context);
  }

  // Connections that exist, of which some are in their handshake.
  [[nodiscard]] std::size_t connection_count() const noexcept { return shared_.connection_count; }
  [[nodiscard]] std::size_t handshake_count() const noexcept { return handshake_count_; }

 private:
  using LowerFlow = typename Lower::Flow;
  using Connection = tls::Connection<LowerFlow>;
  struct Port;

  static base::Task<void> accept_all(std::shared_ptr<Port> port);
  static base::Task<void> shake_hands(std::shared_ptr<Port> port, LowerFlow lower);
  Lower& lower_;
  base::Loop& loop_;
  Shared shared_;
  std::shared_ptr<const Context> context_;
  OverOptions options_;
  std::size_t handshake_count_ = 0;
};

// The two ends of one connection's handshake and the server that waits for it.
template <net::Stack Lower>
struct Over<Lower>::Port {
  Port(Over& over_, typename Lower::Listener lower_) : over(over_), lower(std::move(lower_)) {}

  void wake() {
    if (accepting.waiting && !accepting.is_scheduled()) over.loop_.schedule(accepting);
  }
  // A connection was handed on or is gone.
  void leave() {
    --over.handshake_count_;
    if (room.waiting && !room.is_scheduled()) over.loop_.schedule(room);
  }

  // Waits on a Resumption that wake() or leave() schedules.
  struct Wait {
    base::Resumption& resumption;
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiting) const noexcept {
      resumption.waiting = waiting;
    }
    void await_resume() const noexcept {}
  };

  Over& over;
  typename Lower::Listener lower;
  std::deque<Flow> ready;
  std::vector<Connection*> shaking;
  base::Resumption accepting;
  base::Resumption room;
  bool cancelled = false;
  bool closed = false;
};

template <net::Stack Lower>
class Over<Lower>::Flow {
 public:
  Flow(Flow&&) noexcept = default;
  Flow& operator=(Flow&&) noexcept = default;

  base::Task<net::Result<base::Bytes>> read(std::size_t n, base::Duration within) {
    return connection_->read(n, within);
  }
  base::Task<net::Result<void>> write(std::span<const net::Piece> pieces, base::Duration stall) {
    return connection_->write(pieces, stall);
  }
  base::Task<net::Result<void>> shutdown(base::Duration within) {
    return connection_->shutdown(within);
  }
  void cancel() { connection_->lower.cancel(); }
  void close() {
    if (connection_) connection_->lower.close();
  }
  [[nodiscard]] net::Endpoint peer() { return connection_->lower.peer(); }

 private:
  friend class Over;
  explicit Flow(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}
  std::unique_ptr<Connection> connection_;
};

template <net::Stack Lower>
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

  struct Accept {
    Port& port;
    ~Accept() { port.accepting.waiting = {}; }
    [[nodiscard]] bool await_ready() const noexcept { return !port.ready.empty() || port.closed; }
    void await_suspend(std::coroutine_handle<> waiting) const noexcept {
      port.accepting.waiting = waiting;
    }
    net::Result<Flow> await_resume() const {
      if (std::exchange(port.cancelled, false) || port.ready.empty()) {
        return base::failure(net::Error::cancelled);
      }
      net::Result<Flow> flow = std::move(port.ready.front());
      port.ready.pop_front();
      port.leave();
      return flow;
    }
  };
  [[nodiscard]] Accept accept() { return {*port_}; }

  [[nodiscard]] std::uint16_t port() { return port_->lower.port(); }
  void cancel() {
    if (!port_->accepting.waiting) return;
    port_->cancelled = true;
    port_->wake();
  }
  // Connections that were not accepted yet are given up.
  void close() {
    if (!port_ || port_->closed) return;
    port_->closed = true;
    port_->lower.cancel();
    port_->lower.close();
    for (Connection* connection : port_->shaking) connection->lower.cancel();
    while (!port_->ready.empty()) {
      port_->ready.pop_front();
      port_->leave();
    }
    if (port_->room.waiting && !port_->room.is_scheduled()) {
      port_->over.loop_.schedule(port_->room);
    }
    port_->wake();
  }

 private:
  friend class Over;
  explicit Listener(std::shared_ptr<Port> port) : port_(std::move(port)) {}
  std::shared_ptr<Port> port_;
};

template <net::Stack Lower>
base::Task<void> Over<Lower>::accept_all(std::shared_ptr<Port> port) {
  Over& over = port->over;
  while (!port->closed) {
    if (over.handshake_count_ >= over.options_.handshakes_max) {
      co_await typename Port::Wait{port->room};
      continue;
    }
    net::Result<LowerFlow> lower = co_await port->lower.accept();
    if (!lower) continue;  // cancelled, which only close() does
    ++over.handshake_count_;
    over.loop_.spawn(shake_hands(port, std::move(*lower)));
  }
}

template <net::Stack Lower>
base::Task<void> Over<Lower>::shake_hands(std::shared_ptr<Port> port, LowerFlow lower) {
  Over& over = port->over;
  const base::Instant deadline = over.shared_.deadline_of(over.options_.handshake_within);
  auto connection = std::make_unique<Connection>(over.shared_, over.context_, std::move(lower));
  Session& session = connection->session;
  port->shaking.push_back(connection.get());
  bool good = true;
  while (good && session.phase() == Phase::handshake && !port->closed) {
    net::Result<base::Bytes> in =
        co_await connection->lower.read(record_bytes_max, over.shared_.left_until(deadline));
    if (!in) break;
    const base::Bytes early = session.receive(*in, over.shared_.buffers.scratch());
    connection->keep(early);
    if (session.has_pending() && session.phase() != Phase::failed) {
      net::Result<void> sent = co_await connection->send_pending(over.shared_.left_until(deadline));
      good = sent.has_value();
    }
  }
  if (session.phase() == Phase::failed && !port->closed) co_await connection->say_why(deadline);
  std::erase(port->shaking, connection.get());
  if (good && !port->closed &&
      (session.phase() == Phase::open || session.phase() == Phase::ended)) {
    port->ready.push_back(Flow(std::move(connection)));
    port->wake();
  } else {
    port->leave();
  }
}

}  // namespace tls
