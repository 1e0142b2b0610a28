// SPDX-License-Identifier: ISC
// tls/over.hpp: TLS over any stack, as a stack.
//
// Models:   net::ServerStack, over another one.   Used by: configurations; http never hears of it.
// Owns:     what its flows share (tls/connection.hpp).
// Handshakes are made here, many at once: accept() answers connections whose handshake is over, in
//           the order in which they got there. tls/places.hpp bounds how many are on their way, of
//           all listeners together, and closes the ones that have waited longest for their client
//           when there are more. A listener whose server does not accept stops at ready_max.
// Memory:   after a failed allocation the connection that needed it is closed and the service goes
//           on.
// Ending:   after Listener::close the loop must turn until the handshakes have noticed, before the
//           lower stack goes.
// May include: base, net/{flow,ready_flows,stack,endpoint}.hpp.

#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "base/counter.hpp"
#include "base/loop.hpp"
#include "net/flow.hpp"
#include "net/ready_flows.hpp"
#include "net/stack.hpp"
#include "tls/connection.hpp"
#include "tls/flow.hpp"
#include "tls/places.hpp"
#include "tls/shared_context.hpp"

namespace tls {

// How handshakes ended.
struct HandshakeCounts {
  base::Counter done;
  base::Counter refused;    // by an alert of ours, or by the client's
  base::Counter gone;       // the client ended the connection, or it broke
  base::Counter timed_out;  // in handshake_within
  base::Counter evicted;    // others needed its place
};

struct OverOptions {
  // From the lower accept to the end of the handshake.
  base::Duration handshake_within = std::chrono::seconds(10);
  std::size_t openings_max = 1024;         // connections whose hello is not whole, or refused ones
  std::size_t long_hellos_bytes = 524288;  // for what hellos have beyond 16 KiB, of all together
  std::size_t handshakes_max = 256;        // 45 KiB each
  std::size_t large_buffers_max = 64;      // of writers with more than a record, 66 KB each
  std::size_t ready_max = 256;             // of a listener: open sessions that wait for its accept
  HandshakeCounts* counts = nullptr;       // outlives the stack; null: not counted
  // In place of the stack's own context, for all threads; outlives the stack.
  const SharedContext* shared_context = nullptr;
  // Whether many clients come from an address, as from a proxy's: then each connection counts as
  // another client's. Loopback addresses are such anyway. Empty: no other is. It must not throw.
  std::function<bool(const net::Endpoint&)> is_shared = {};
  std::uint64_t seed = 0;  // random, so that nobody chooses to be counted with others
};

// After a failed allocation: time for others to give memory back.
inline constexpr base::Duration pause_after_failure = std::chrono::milliseconds(10);

template <net::ServerStack Lower>
class Over {
 public:
  using Flow = SecureFlow<typename Lower::Flow>;
  class Listener;

  // `lower` and `loop` outlive the stack. Without a context, and if none is expected, it cannot
  // listen; as long as there is none, handshakes are refused by an alert.
  Over(Lower& lower, base::Loop& loop, std::shared_ptr<const Context> context,
       OverOptions options = {})
      : lower_(lower),
        loop_(loop),
        shared_{loop},
        context_(std::move(context)),
        options_(std::move(options)),
        places_(
            {.openings_max = options_.openings_max, .handshakes_max = options_.handshakes_max}) {
    shared_.buffers.large_max = options_.large_buffers_max;
    long_hellos_.bytes_left = options_.long_hellos_bytes;
    CHECK(options_.openings_max > 0);
    CHECK(options_.handshakes_max > 0);
    CHECK(options_.ready_max > 0);
  }
  Over(const Over&) = delete;
  Over& operator=(const Over&) = delete;

  [[nodiscard]] net::ListenResult<Listener> listen(std::uint16_t port) {
    if (!is_on() && !is_expected())
      return base::failure(std::string("there is no certificate to serve TLS with"));
    auto lower = lower_.listen(port);
    if (!lower) return base::failure(std::move(lower.error()));
    auto shared = std::make_shared<Port>(*this, std::move(*lower));
    loop_.spawn(accept_all(shared));
    return Listener(std::move(shared));
  }

  // There are certificates.
  [[nodiscard]] bool is_on() const noexcept {
    return options_.shared_context != nullptr ? options_.shared_context->is_set().load()
                                              : context_ != nullptr;
  }
  // There may be some later.
  [[nodiscard]] bool is_expected() const noexcept {
    return options_.shared_context != nullptr && options_.shared_context->is_expected();
  }

  // What connections that come now are served with.
  [[nodiscard]] std::shared_ptr<const Context> context() const {
    return options_.shared_context != nullptr ? options_.shared_context->get() : context_;
  }

  // For connections that come from now on; the others keep theirs.
  void replace_context(std::shared_ptr<const Context> context) {
    CHECK(context != nullptr);
    context_ = std::move(context);
  }

  // Handshakes offer HTTP/2 while `is_wanted` says so of one more than `under_way` connections that
  // may still come to it; never set: not at all. It must not throw.
  void offer_http2(std::function<bool(std::size_t under_way)> is_wanted) {
    http2_is_wanted_ = std::move(is_wanted);
  }

  // Connections that exist; of those, the ones that have sent no whole hello yet or were refused;
  // and the ones in their handshake.
  [[nodiscard]] std::size_t connection_count() const noexcept { return shared_.connection_count; }
  [[nodiscard]] std::size_t opening_count() const noexcept { return places_.opening_count(); }
  [[nodiscard]] std::size_t handshake_count() const noexcept { return places_.handshake_count(); }

 private:
  using LowerFlow = typename Lower::Flow;
  using Connection = tls::Connection<LowerFlow>;
  struct Port;
  struct Entrant;

  static base::Task<void> accept_all(std::shared_ptr<Port> port);
  static base::Task<void> shake_hands(std::unique_ptr<Entrant> entrant);
  static base::Task<bool> open_session(Entrant& entrant);
  void count(const Entrant& entrant, bool alive) noexcept;
  // For the hello. `waiting`: sessions that are open and were not accepted yet.
  void prepare(Session& session, std::size_t waiting) {
    session.offer(offer(waiting));
    session.share(long_hellos_);
    if (options_.shared_context != nullptr) session.answer(options_.shared_context->challenges());
  }
  [[nodiscard]] Offer offer(std::size_t waiting) const {
    const bool wanted = http2_is_wanted_ && http2_is_wanted_(places_.handshake_count() + waiting);
    return wanted ? Offer::http_2 : Offer::http_1_1;
  }
  // Whom a connection of `peer` is counted with.
  [[nodiscard]] std::optional<std::uint64_t> client_of(const net::Endpoint& peer) const {
    if (net::is_loopback(peer) || (options_.is_shared && options_.is_shared(peer))) return {};
    return net::hash_of(net::client_of(peer), options_.seed);
  }

  Lower& lower_;
  base::Loop& loop_;
  Shared shared_;
  std::shared_ptr<const Context> context_;
  OverOptions options_;
  Places places_;
  LongHellos long_hellos_;
  std::function<bool(std::size_t)> http2_is_wanted_;
};

// What a listener accepted below, and the server that waits for it.
template <net::ServerStack Lower>
struct Over<Lower>::Port {
  Port(Over& over_, typename Lower::Listener lower_)
      : over(over_), lower(std::move(lower_)), ready(over.loop_, over.options_.ready_max) {}

  Over& over;
  typename Lower::Listener lower;
  net::ReadyFlows<Flow> ready;
};

// A connection on its way to an open session. Its place ends with it.
template <net::ServerStack Lower>
struct Over<Lower>::Entrant final : Places::Entry {
  Entrant(std::shared_ptr<Port> port_, LowerFlow lower)
      : Entry(port_->over.client_of(lower.peer())),
        port(std::move(port_)),
        deadline(port->over.shared_.deadline_of(port->over.options_.handshake_within)),
        connection(std::make_unique<Connection>(port->over.shared_, port->over.context(),
                                                std::move(lower))) {
    port->over.places_.arrive(*this);
  }

  void evict() noexcept override {
    evicted = true;
    connection->session.abandon();
    connection->lower.cancel();
  }

  std::shared_ptr<Port> port;
  base::Instant deadline;
  std::unique_ptr<Connection> connection;
  bool evicted = false;
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

  [[nodiscard]] auto accept() { return port_->ready.accept(); }

  [[nodiscard]] std::uint16_t port() { return port_->lower.port(); }
  void cancel() { port_->ready.cancel(); }
  // Connections that were not accepted yet are given up.
  void close() {
    if (!port_ || port_->ready.is_closed()) return;
    port_->lower.cancel();
    port_->lower.close();
    port_->over.places_.evict_if([this](const Places::Entry& entry) {
      return static_cast<const Entrant&>(entry).port == port_;
    });
    port_->ready.close();
  }

 private:
  friend class Over;
  explicit Listener(std::shared_ptr<Port> port) : port_(std::move(port)) {}
  std::shared_ptr<Port> port_;
};

template <net::ServerStack Lower>
base::Task<void> Over<Lower>::accept_all(std::shared_ptr<Port> port) {
  Over& over = port->over;
  while (!port->ready.is_closed()) {
    if (port->ready.is_full()) {
      co_await port->ready.room();
      continue;
    }
    bool failed = false;
    try {
      net::Result<LowerFlow> lower = co_await port->lower.accept();
      if (!lower) {
        port->ready.end(lower.error());
        co_return;
      }
      over.loop_.spawn(shake_hands(std::make_unique<Entrant>(port, std::move(*lower))));
    } catch (const std::exception&) {
      failed = true;  // out of memory: that connection is closed
    }
    if (failed) co_await over.loop_.sleep_for(pause_after_failure);
  }
}

// Its place and its connection end with the frame, however that ends.
template <net::ServerStack Lower>
base::Task<void> Over<Lower>::shake_hands(std::unique_ptr<Entrant> entrant) {
  Port& port = *entrant->port;
  Session& session = entrant->connection->session;
  const bool alive = co_await open_session(*entrant);
  port.over.count(*entrant, alive);
  if (!alive || entrant->evicted) co_return;
  if (session.phase() == Phase::failed || session.was_challenge()) {
    session.close_notify();
    port.over.places_.close(*entrant);
    co_await entrant->connection->say_why(entrant->deadline);
    co_return;
  }
  port.ready.push(Flow(std::move(entrant->connection)));
}

template <net::ServerStack Lower>
void Over<Lower>::count(const Entrant& entrant, bool alive) noexcept {
  if (options_.counts == nullptr) return;
  HandshakeCounts& counts = *options_.counts;
  if (entrant.evicted) {
    counts.evicted.add();
  } else if (!alive) {
    const bool is_late = shared_.left_until(entrant.deadline) <= base::Duration{1};
    (is_late ? counts.timed_out : counts.gone).add();
  } else if (entrant.connection->session.phase() == Phase::failed) {
    counts.refused.add();
  } else {
    counts.done.add();
  }
}

// Until the session leaves Phase::handshake; false: the client has gone, or its time is over.
template <net::ServerStack Lower>
base::Task<bool> Over<Lower>::open_session(Entrant& entrant) {
  Over& over = entrant.port->over;
  Connection& connection = *entrant.connection;
  Session& session = connection.session;
  bool has_begun = false;
  while (session.phase() == Phase::handshake) {
    net::Result<base::Bytes> in =
        co_await connection.lower.read(record_bytes_max, over.shared_.left_until(entrant.deadline));
    if (!in) co_return false;
    if (!has_begun) over.prepare(session, entrant.port->ready.size());
    connection.keep(session.receive(*in, over.shared_.buffers.scratch()));
    if (session.has_begun() && !std::exchange(has_begun, true)) {
      over.places_.begin_handshake(entrant);
    }
    if (!session.has_pending() || session.phase() == Phase::failed) continue;
    if (session.phase() == Phase::handshake) over.places_.answered(entrant);
    net::Result<void> sent =
        co_await connection.send_pending(over.shared_.left_until(entrant.deadline));
    if (!sent) co_return false;
  }
  co_return true;
}

}  // namespace tls
