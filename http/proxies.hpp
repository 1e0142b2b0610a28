// SPDX-License-Identifier: ISC
// http/proxies.hpp: what proxies in front of the server say about who asked, and how.
//
// States:  TrustedProxies, Visitor, visitor_of.
// Rule:    nothing is believed unless the peer is a trusted proxy. Of the addresses in Forwarded,
//          or without it in X-Forwarded-For, the visitor is the rightmost that is no trusted proxy:
//          what is further left is the visitor's own to write. Where an address cannot be read, the
//          proxy behind it is the last that is known.
// Source:  RFC 7239.
// Used by: access logs, limits for each client, and the redirect to HTTPS.
// May include: std, net/endpoint.hpp, http.

#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "http/request.hpp"
#include "net/endpoint.hpp"

namespace http {

// A network: the first `bits` of an address. IPv4's are those of an IPv4-mapped address: 96 more.
struct Network {
  net::Endpoint address;
  unsigned bits = 128;
};

class TrustedProxies {
 public:
  TrustedProxies() = default;
  explicit TrustedProxies(std::vector<Network> networks) : networks_(std::move(networks)) {}
  [[nodiscard]] bool is_empty() const noexcept { return networks_.empty(); }
  [[nodiscard]] bool contains(const net::Endpoint& peer) const noexcept;

 private:
  std::vector<Network> networks_;
};

struct Visitor {
  enum class Scheme : std::uint8_t { unknown, http, https };
  net::Endpoint address;
  Scheme scheme = Scheme::unknown;  // unknown: as the connection is
};

// Who asks. `peer` is the connection's.
[[nodiscard]] Visitor visitor_of(const Request& request, const net::Endpoint& peer,
                                 const TrustedProxies& trusted) noexcept;

}  // namespace http
