// SPDX-License-Identifier: ISC
// net/sockets/sockets.hpp: flows over the kernel's own TCP, and datagrams over its UDP.
//
// Models:  net::Stack, net::Listener, net::Flow, net::DatagramStack.
// Owns:    its flows' and listeners' descriptors.
// May include: base, net/{endpoint,flow,stack}.hpp.   Source: tcp(7), ipv6(7), socket(7).
// Why not Boost.Asio: docs/benchmarks.md has both floors and the difference.

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/descriptors.hpp"
#include "base/log.hpp"
#include "base/loop.hpp"
#include "net/datagrams.hpp"
#include "net/sockets/datagrams.hpp"
#include "net/sockets/listener.hpp"
#include "net/sockets/socket.hpp"
#include "net/stack.hpp"

namespace net {

class Sockets {
 public:
  struct Options {
    // Where to listen: all zero is every address, IPv6 and IPv4 (only IPv4 where there is no IPv6).
    Endpoint address{};
    // Accept a connection only when its first bytes are there: for protocols in which the client
    // speaks first. A connection that stays silent is accepted after about a second.
    bool wait_for_first_bytes = false;
    // A socket that listens on this port already, which listen() takes over; negative: there is
    // none. Empty: there never is. Asked by the first thread only.
    std::function<int(std::uint16_t port)> take_listening = {};
    // Several threads listen on the same ports: each has a stack, and all have one PortShare.
    sockets::PortShare* share = nullptr;
    unsigned thread_index = 0;
    unsigned thread_count = 1;
    // False: no flow sends what is in the program's own file, which is not opened then.
    bool sends_image = true;
  };

  class Flow;
  class Listener;

  // All must outlive the stack, and the stack its listeners, flows and what waits on them.
  Sockets(base::Loop& loop, base::Descriptors& descriptors, base::Log& log, const Options& options);
  Sockets(base::Loop& loop, base::Descriptors& descriptors, base::Log& log)
      : Sockets(loop, descriptors, log, Options{}) {}

  // Port 0: one that is free.
  ListenResult<Listener> listen(std::uint16_t port);
  base::Task<Result<Flow>> connect(const Endpoint& to, base::Duration within);
  using Datagrams = sockets::Datagrams;
  [[nodiscard]] Result<Datagrams> open_datagrams(const Endpoint& peer) noexcept {
    return Datagrams::open(loop_, descriptors_, peer);
  }

  [[nodiscard]] std::size_t flow_count() const noexcept { return pool_.taken_count(); }

 private:
  // The first thread's: its own socket; those of the others wait in the PortShare.
  ListenResult<sockets::BoundSocket> open_for_all(Endpoint at);
  // One that listens already, for all threads; empty: there is none.
  std::optional<ListenResult<sockets::BoundSocket>> take_over(std::uint16_t port);

  base::Loop& loop_;
  base::Descriptors& descriptors_;
  base::Log& log_;
  Options options_;
  sockets::Pool pool_;
  std::size_t listened_count_ = 0;
};

class Sockets::Flow {
 public:
  explicit Flow(sockets::Socket& socket) noexcept : socket_(&socket) {}
  Flow(Flow&& other) noexcept : socket_(std::exchange(other.socket_, nullptr)) {}
  Flow& operator=(Flow&& other) noexcept {
    Flow before(std::move(*this));
    socket_ = std::exchange(other.socket_, nullptr);
    return *this;
  }
  ~Flow() {
    if (socket_ != nullptr) socket_->release();
  }

  [[nodiscard]] sockets::Read read(std::size_t bytes_max, base::Duration within) noexcept {
    return {*socket_, bytes_max, within};
  }
  [[nodiscard]] sockets::Write write(std::span<const Piece> pieces, base::Duration stall) noexcept {
    return {*socket_, pieces, stall};
  }
  // The kernel takes it at once: `within` is for flows that have to wait.
  base::Ready<Result<void>> shutdown(base::Duration) noexcept { return {socket_->shutdown()}; }
  void cancel() noexcept { socket_->cancel(); }
  void close() noexcept { socket_->close(); }
  [[nodiscard]] const Endpoint& peer() const noexcept { return socket_->peer(); }
  // A plain flow negotiates nothing and has no certificate.
  [[nodiscard]] static std::string_view protocol() noexcept { return {}; }
  [[nodiscard]] static bool serves(std::string_view) noexcept { return true; }

 private:
  friend class Sockets;
  sockets::Connected connected(base::Duration within) noexcept { return {*socket_, within}; }
  sockets::Socket* socket_;  // null: moved from
};

class Sockets::Listener {
 public:
  using Flow = Sockets::Flow;
  explicit Listener(std::unique_ptr<sockets::ListeningSocket> listening) noexcept
      : listening_(std::move(listening)) {}

  // No coroutine frame: the awaiter is the call itself.
  struct [[nodiscard]] Accepted : sockets::Accept {
    using Accept::Accept;
    Result<Flow> await_resume() const noexcept {
      if (socket() == nullptr) return base::failure(error());
      return Flow(*socket());
    }
  };
  Accepted accept() noexcept { return Accepted(*listening_); }
  [[nodiscard]] std::uint16_t port() const noexcept { return listening_->port(); }
  void cancel() noexcept { listening_->cancel(); }
  void close() noexcept { listening_->close(); }

 private:
  std::unique_ptr<sockets::ListeningSocket> listening_;
};

static_assert(Flow<Sockets::Flow>);
static_assert(Listener<Sockets::Listener>);
static_assert(Stack<Sockets> && DatagramStack<Sockets>);

}  // namespace net
