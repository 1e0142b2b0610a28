// SPDX-License-Identifier: ISC
// net/lwip/paths.hpp: path MTU discovery for TCP (RFC 1191, RFC 8201): what routers say about the
// size of packets, and what it changes.
//
// Rules:   1. A packet of TCP is sent whole or not at all: IPv4 carries "don't fragment", and one
//             that is too long for its path is held back until its connection has been fitted to
//             the path (net/lwip/segments.hpp).
//          2. A router is believed only if it quotes a segment that is under way: one of our
//             connections' addresses and ports, and a sequence number that was sent and is not
//             acknowledged. Whoever cannot see our packets has to guess all of these (RFC 5927).
//          3. What it says holds for all connections to that host, for PathMtu::kept.
// Owns:    what is known of paths.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include <lwip/ip_addr.h>

#include "base/bytes.hpp"
#include "base/loop.hpp"
#include "net/lwip/connection_table.hpp"
#include "net/lwip/globals.hpp"
#include "net/lwip/path_mtu.hpp"

struct netif;
struct pbuf;
struct tcp_pcb;

namespace net::lwip {

class Paths final : public base::Work {
 public:
  Paths(base::Loop& loop, Globals& globals, const ConnectionTable& connections,
        netif& interface) noexcept
      : loop_(loop), globals_(globals), connections_(connections), interface_(interface) {}

  // The connection's segments are made to fit the path to its peer.
  void fit(tcp_pcb& pcb) noexcept;
  // Whether a TCP packet in a frame of `frame_bytes`, whose headers are in `first`, fits its path.
  // If not, all connections are fitted on the loop's next turn.
  [[nodiscard]] bool admits(base::Bytes first, std::size_t frame_bytes) noexcept;
  // A TCP packet did not even fit the interface.
  void hold_back() noexcept { loop_.schedule(*this); }
  // ICMP's message of a router that could not forward a packet, whose checksum is good.
  void hear_too_big(const pbuf& message, bool is_ipv6) noexcept;
  // What was heard long ago no longer holds.
  void forget_old() noexcept {
    if (known_.expire(loop_.now())) loop_.schedule(*this);
  }
  void run() override;

 private:
  // As lwIP has it in its connections.
  [[nodiscard]] ip_addr_t address_here(const PathMtu::Address& address) const noexcept;
  [[nodiscard]] std::size_t interface_bytes(bool is_ipv6) const noexcept;

  base::Loop& loop_;
  Globals& globals_;
  const ConnectionTable& connections_;
  netif& interface_;
  PathMtu known_;
};

}  // namespace net::lwip
