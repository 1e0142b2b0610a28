// SPDX-License-Identifier: ISC
// net/lwip/ip.hpp: net::Endpoint's address as lwIP writes it, and back.

#pragma once

#include <cstring>

#include <lwip/ip_addr.h>

#include "net/endpoint.hpp"
#include "net/ip_version.hpp"

namespace net::lwip {

[[nodiscard]] inline ip_addr_t to_lwip(const Endpoint& endpoint) noexcept {
  ip_addr_t out{};
  if (is_ipv4(endpoint)) {
    out.type = IPADDR_TYPE_V4;
    std::memcpy(&out.u_addr.ip4.addr, endpoint.address.data() + 12, 4);
  } else {
    out.type = IPADDR_TYPE_V6;
    std::memcpy(out.u_addr.ip6.addr, endpoint.address.data(), 16);
  }
  return out;
}

[[nodiscard]] inline Endpoint from_lwip(const ip_addr_t& in, std::uint16_t port) noexcept {
  if (in.type == IPADDR_TYPE_V4) {
    Endpoint endpoint = ipv4(0, 0, 0, 0, port);
    std::memcpy(endpoint.address.data() + 12, &in.u_addr.ip4.addr, 4);
    return endpoint;
  }
  Endpoint endpoint;
  endpoint.port = port;
  std::memcpy(endpoint.address.data(), in.u_addr.ip6.addr, 16);
  return endpoint;
}

}  // namespace net::lwip
