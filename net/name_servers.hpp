// SPDX-License-Identifier: ISC
// net/name_servers.hpp: the DNS servers that are known, and who named them.
//
// States:  NameServers.   Used by: net/resolver, net/lwip, net/sockets.   May include: base, net.
// Rules:   1. Servers that were configured are the only ones. Else those that routers
//             advertised (RFC 8106) come first, then those of the DHCP server (RFC 2132 section
//             3.8), each kind in its order.
//          2. An advertised server counts until its lifetime ends; 0 removes it at once.
//          3. At most servers_max of each kind are kept; later ones are left out (of routers': the
//             one that ends first gives way).

#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "base/clock.hpp"
#include "net/endpoint.hpp"

namespace net {

class NameServers {
 public:
  static constexpr std::size_t servers_max = 4;
  static constexpr std::uint16_t dns_port = 53;

  class List {
   public:
    void add(const Endpoint& server) noexcept;
    [[nodiscard]] std::span<const Endpoint> all() const noexcept {
      return std::span(servers_).first(count_);
    }

   private:
    std::array<Endpoint, 2 * servers_max> servers_{};
    std::size_t count_ = 0;
  };

  void configure(std::span<const Endpoint> servers) noexcept { put(configured_, servers); }
  void hear_dhcp(std::span<const Endpoint> servers) noexcept { put(from_dhcp_, servers); }
  void hear_router(const Endpoint& server, base::Instant until, base::Instant now) noexcept;

  [[nodiscard]] List list(base::Instant now) const noexcept;

 private:
  struct Some {
    std::array<Endpoint, servers_max> servers{};
    std::size_t count = 0;
    [[nodiscard]] std::span<const Endpoint> all() const noexcept {
      return std::span(servers).first(count);
    }
  };
  struct Advertised {
    Endpoint server;
    base::Instant until{};  // past: nothing is here
  };
  static void put(Some& some, std::span<const Endpoint> servers) noexcept;

  Some configured_;
  Some from_dhcp_;
  std::array<Advertised, servers_max> advertised_{};
};

// Whether a host that others name to us can be a DNS server: not "this network", multicast,
// broadcast, reserved or loopback.
[[nodiscard]] bool can_be_name_server(const Endpoint& endpoint) noexcept;

// "192.0.2.1", "192.0.2.1:5353", "2001:db8::1", "[2001:db8::1]:5353"; the port is 53 unless it is
// written. Nothing: it is none of these.
[[nodiscard]] std::optional<Endpoint> name_server_of(std::string_view text) noexcept;

// The servers of a resolv.conf(5), at most as many as are kept; other lines mean nothing to us.
[[nodiscard]] NameServers::List name_servers_of_file(std::string_view text) noexcept;

}  // namespace net
