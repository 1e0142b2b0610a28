// SPDX-License-Identifier: ISC
// net/lwip/lwip.hpp: flows over any NetDevice, by lwIP 2.2: our own stack, where there is no kernel
// below.
//
// Models:  net::Stack, net::Listener, net::Flow, net::DatagramStack.
// Owns:    its flows' and listeners' connections.
// May include: base, net/{device,endpoint,flow,stack}.hpp, and lwIP in its .cpp files.
// Several: each on a device of its own and all on one thread; they share nothing but the memory
//          (net/lwip/globals.hpp).
// Start:   addresses are being asked for or checked when the constructor returns; listening is
//          possible at once. What is ready, missing or in conflict is logged.
// Sleeps:  on the device's frames and on lwIP's due timers, which stop when nothing needs them.

#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <utility>

#include "base/entropy.hpp"
#include "base/log.hpp"
#include "base/loop.hpp"
#include "net/datagrams.hpp"
#include "net/lwip/any_device.hpp"
#include "net/lwip/connection.hpp"
#include "net/lwip/listening_pcb.hpp"
#include "net/lwip/options.hpp"
#include "net/lwip/udp.hpp"
#include "net/name_servers.hpp"
#include "net/stack.hpp"

namespace net {

namespace lwip {
class Engine;
inline constexpr base::Duration last_words_patience = std::chrono::seconds(5);
}  // namespace lwip

class Lwip {
 public:
  using Options = lwip::Options;
  class Flow;
  class Listener;

  // All must outlive the stack, and the stack its listeners, flows and what waits on them.
  template <NetDevice Device>
  Lwip(base::Loop& loop, base::Entropy& entropy, base::Log& log, Device& device,
       const Options& options)
      : Lwip(loop, entropy, log, std::make_unique<lwip::DeviceOf<Device>>(device), options) {}
  Lwip(base::Loop& loop, base::Entropy& entropy, base::Log& log,
       std::unique_ptr<lwip::AnyDevice> device, const Options& options);
  // Turns the loop until what was written to closed flows has arrived, for at most
  // lwip::last_words_patience.
  ~Lwip();
  Lwip(const Lwip&) = delete;
  Lwip& operator=(const Lwip&) = delete;

  // Port 0: one that is free.
  ListenResult<Listener> listen(std::uint16_t port);
  base::Task<Result<Flow>> connect(const Endpoint& to, base::Duration within);
  using Datagrams = lwip::Datagrams;
  [[nodiscard]] Result<Datagrams> open_datagrams(const Endpoint& peer) noexcept;
  // Those that DHCP and routers have named, and where others can be configured.
  [[nodiscard]] NameServers& name_servers() noexcept;

  [[nodiscard]] std::size_t flow_count() const noexcept;
  // Whether an address of this family can be used.
  [[nodiscard]] bool has_ipv4() const noexcept;
  [[nodiscard]] bool has_ipv6() const noexcept;

 private:
  std::unique_ptr<lwip::Engine> engine_;
};

class Lwip::Flow {
 public:
  explicit Flow(lwip::Connection& connection) noexcept : connection_(&connection) {}
  Flow(Flow&& other) noexcept : connection_(std::exchange(other.connection_, nullptr)) {}
  Flow& operator=(Flow&& other) noexcept {
    Flow before(std::move(*this));
    connection_ = std::exchange(other.connection_, nullptr);
    return *this;
  }
  ~Flow() {
    if (connection_ != nullptr) connection_->release();
  }

  [[nodiscard]] lwip::Read read(std::size_t bytes_max, base::Duration within) noexcept {
    return {*connection_, bytes_max, within};
  }
  [[nodiscard]] lwip::Write write(std::span<const Piece> pieces, base::Duration stall) noexcept {
    return {*connection_, pieces, stall};
  }
  // The stack takes it at once: `within` is for flows that have to wait.
  base::Ready<Result<void>> shutdown(base::Duration) noexcept { return {connection_->shutdown()}; }
  void cancel() noexcept { connection_->cancel(); }
  void close() noexcept { connection_->close(); }
  [[nodiscard]] const Endpoint& peer() const noexcept { return connection_->peer(); }
  // A plain flow negotiates nothing and has no certificate.
  [[nodiscard]] static std::string_view protocol() noexcept { return {}; }
  [[nodiscard]] static bool serves(std::string_view) noexcept { return true; }

 private:
  friend class Lwip;
  lwip::Connected connected(base::Duration within) noexcept { return {*connection_, within}; }
  lwip::Connection* connection_;  // null: moved from
};

class Lwip::Listener {
 public:
  using Flow = Lwip::Flow;
  explicit Listener(std::unique_ptr<lwip::ListeningPcb> listening) noexcept
      : listening_(std::move(listening)) {}

  // No coroutine frame: the awaiter is the call itself.
  struct [[nodiscard]] Accepted : lwip::Accept {
    using Accept::Accept;
    Result<Flow> await_resume() const noexcept {
      if (connection() == nullptr) return base::failure(Error::cancelled);
      return Flow(*connection());
    }
  };
  Accepted accept() noexcept { return Accepted(*listening_); }
  [[nodiscard]] std::uint16_t port() const noexcept { return listening_->port(); }
  void cancel() noexcept { listening_->cancel(); }
  void close() noexcept { listening_->close(); }

 private:
  std::unique_ptr<lwip::ListeningPcb> listening_;
};

static_assert(Flow<Lwip::Flow>);
static_assert(Listener<Lwip::Listener>);
static_assert(Stack<Lwip> && DatagramStack<Lwip>);

}  // namespace net
