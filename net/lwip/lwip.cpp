// SPDX-License-Identifier: ISC
#include "net/lwip/lwip.hpp"

#include <lwip/tcp.h>

#include "net/lwip/engine.hpp"
#include "net/lwip/ip.hpp"
#include "net/lwip/udp.hpp"

namespace net {

Lwip::Lwip(base::Loop& loop, base::Entropy& entropy, base::Log& log,
           std::unique_ptr<lwip::AnyDevice> device, const Options& options)
    : engine_(std::make_unique<lwip::Engine>(loop, entropy, log, std::move(device), options)) {}

// There is no kernel that would go on sending what was written to flows that are closed.
Lwip::~Lwip() {
  base::Loop& loop = engine_->loop;
  const base::Instant deadline = loop.now() + lwip::last_words_patience;
  while (engine_->orphans.are_sending() && loop.now() < deadline) loop.turn(deadline);
}

ListenResult<Lwip::Listener> Lwip::listen(std::uint16_t port) {
  auto listening = std::make_unique<lwip::ListeningPcb>(engine_->loop, engine_->pool);
  ListenResult<void> open = listening->open(port);
  if (!open) return base::failure(std::move(open.error()));
  return Listener(std::move(listening));
}

base::Task<Result<Lwip::Flow>> Lwip::connect(const Endpoint& to, base::Duration within) {
  engine_->clockwork.enter(true);
  const bool is_v4 = is_ipv4(to);
  tcp_pcb* pcb = tcp_new_ip_type(is_v4 ? IPADDR_TYPE_V4 : IPADDR_TYPE_V6);
  if (pcb == nullptr) co_return base::failure(Error::reset);
  lwip::Connection* connection = engine_->pool.take(pcb);
  if (connection == nullptr) {
    tcp_abort(pcb);
    co_return base::failure(Error::reset);
  }
  Flow flow(*connection);
  if (!connection->connect(to)) co_return base::failure(Error::reset);
  Result<void> connected = co_await flow.connected(within);
  if (!connected) co_return base::failure(connected.error());
  co_return std::move(flow);
}

Result<Lwip::Datagrams> Lwip::open_datagrams(const Endpoint& peer) noexcept {
  return lwip::Datagrams::open(*engine_, peer);
}

NameServers& Lwip::name_servers() noexcept { return engine_->name_servers; }

std::size_t Lwip::flow_count() const noexcept { return engine_->pool.taken_count(); }
bool Lwip::has_ipv4() const noexcept { return engine_->interface.has_ipv4(); }
bool Lwip::has_ipv6() const noexcept { return engine_->interface.has_ipv6(); }

}  // namespace net
