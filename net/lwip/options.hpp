// SPDX-License-Identifier: ISC
// net/lwip/options.hpp: what a stack is told when it starts: its addresses and its bounds.
//
// States:  Ipv4, Ipv6, Options.   Used by: net/lwip/lwip.hpp; made from text by
//          net/lwip/addresses.hpp.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace net::lwip {

using Ipv4Address = std::array<std::uint8_t, 4>;
using Ipv6Address = std::array<std::uint8_t, 16>;

struct Ipv4 {
  Ipv4Address address{};
  unsigned prefix_bits = 24;
  std::optional<Ipv4Address> gateway;
};

struct Ipv6 {
  Ipv6Address address{};  // its network is its first 64 bits: lwIP knows no other
  std::optional<Ipv6Address> gateway;
};

enum class Ipv6Mode : std::uint8_t {
  off,        // frames of IPv6 are not even looked at
  automatic,  // link-local, and what routers advertise (SLAAC, RFC 4862)
  fixed,      // link-local, and Options::ipv6
};

struct Options {
  // Which of several stacks: what it logs and the names of its boot keys begin with it. Empty: the
  // only one, or the first.
  std::string group;
  std::optional<Ipv4> ipv4;  // none: see dhcp
  bool dhcp = true;          // asks for an IPv4 address when none is given
  Ipv6Mode ipv6_mode = Ipv6Mode::automatic;
  Ipv6 ipv6;
  std::string hostname;  // told to the DHCP server; empty: not told
  // Connections at once, accepted or not yet. A SYN above it is dropped: the client asks again.
  std::size_t connections_max = 16'384;
};

}  // namespace net::lwip
