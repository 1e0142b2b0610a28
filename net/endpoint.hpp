// SPDX-License-Identifier: ISC
// net/endpoint.hpp: an IP address and a port.

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace net {

struct Endpoint {
  // IPv4 addresses are written as IPv4-mapped ones, ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2).
  std::array<std::uint8_t, 16> address{};
  std::uint16_t port = 0;

  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

[[nodiscard]] constexpr Endpoint ipv4(std::uint8_t a, std::uint8_t b, std::uint8_t c,
                                      std::uint8_t d, std::uint16_t port) {
  return {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d}, port};
}

// "192.0.2.1" or "2001:db8::1" (RFC 5952); without the port.
[[nodiscard]] std::string address_text(const Endpoint& endpoint);

// The address that such a text says, with port 0; nothing: it is none.
[[nodiscard]] std::optional<Endpoint> address_of(std::string_view text) noexcept;

// The client that `peer` is of, for what one client may have: its IPv4 address, or its IPv6 network
// of 64 bits; no port.
[[nodiscard]] Endpoint client_of(const Endpoint& peer) noexcept;
[[nodiscard]] bool is_loopback(const Endpoint& peer) noexcept;

// Of the address and the port. `seed` keeps whoever chooses addresses from choosing hashes.
[[nodiscard]] std::uint64_t hash_of(const Endpoint& endpoint, std::uint64_t seed) noexcept;

}  // namespace net
