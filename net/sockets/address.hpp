// SPDX-License-Identifier: ISC
// net/sockets/address.hpp: net::Endpoint as the kernel writes it, and back.
//
// Source: ip(7), ipv6(7).

#pragma once

#include <array>
#include <cstring>

#include <netinet/in.h>
#include <sys/socket.h>

#include "net/endpoint.hpp"
#include "net/ip_version.hpp"

namespace net::sockets {

// Large enough for both families.
union Address {
  sockaddr any;
  sockaddr_in v4;
  sockaddr_in6 v6;
};

// Fills `out` and gives its size.
inline socklen_t to_kernel(const Endpoint& endpoint, Address& out) noexcept {
  out = {};
  if (is_ipv4(endpoint)) {
    out.v4.sin_family = AF_INET;
    out.v4.sin_port = htons(endpoint.port);
    std::memcpy(&out.v4.sin_addr, endpoint.address.data() + 12, 4);
    return sizeof out.v4;
  }
  out.v6 = {};
  out.v6.sin6_family = AF_INET6;
  out.v6.sin6_port = htons(endpoint.port);
  std::memcpy(&out.v6.sin6_addr, endpoint.address.data(), 16);
  return sizeof out.v6;
}

[[nodiscard]] inline Endpoint from_kernel(const Address& in) noexcept {
  if (in.any.sa_family == AF_INET) {
    Endpoint endpoint = ipv4(0, 0, 0, 0, ntohs(in.v4.sin_port));
    std::memcpy(endpoint.address.data() + 12, &in.v4.sin_addr, 4);
    return endpoint;
  }
  Endpoint endpoint;
  endpoint.port = ntohs(in.v6.sin6_port);
  std::memcpy(endpoint.address.data(), &in.v6.sin6_addr, 16);
  return endpoint;
}

}  // namespace net::sockets
