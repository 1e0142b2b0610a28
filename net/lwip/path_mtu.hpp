// SPDX-License-Identifier: ISC
// net/lwip/path_mtu.hpp: how large a packet may be on its way to a host, where a router has said
// that the interface's MTU is too much.
//
// States:  PathMtu: a table of hosts, of `paths_max` at most; when it is full the oldest entry is
//          forgotten, and is learned again from the next packet that is too large.
// Source:  RFC 1191, RFC 8201. The floors are those of Linux and of RFC 8200.

#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"

namespace net::lwip {

class PathMtu {
 public:
  // As in net::Endpoint: IPv4 addresses are IPv4-mapped.
  using Address = std::array<std::uint8_t, 16>;

  static constexpr base::Duration kept = std::chrono::minutes(10);
  static constexpr std::size_t paths_max = 64;
  // A router that claims less than this is not believed: IPv4 is never below it...
  static constexpr std::size_t ipv4_bytes_min = 552;
  // ...and IPv6 discards the message (RFC 8201 section 4).
  static constexpr std::size_t ipv6_bytes_min = 1280;

  // A router says that packets to `host` may have `bytes`; the interface lets `interface_bytes`
  // through. True: that is less than was known, and is known from now on.
  bool learn(const Address& host, std::size_t bytes, std::size_t interface_bytes,
             base::Instant now) noexcept;
  // The largest packet to `host`, its IP header included.
  [[nodiscard]] std::size_t bytes_to(const Address& host,
                                     std::size_t interface_bytes) const noexcept;
  [[nodiscard]] bool is_empty() const noexcept { return count_ == 0; }
  // Forgets what is too old. True: something was.
  bool expire(base::Instant now) noexcept;

 private:
  struct Path {
    Address host{};
    std::size_t bytes = 0;
    base::Instant until{};
  };
  void forget(std::size_t index) noexcept;
  [[nodiscard]] std::size_t find(const Address& host) const noexcept;

  std::array<Path, paths_max> paths_{};  // the oldest first
  std::size_t count_ = 0;
};

}  // namespace net::lwip
