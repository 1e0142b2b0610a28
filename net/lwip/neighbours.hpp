// SPDX-License-Identifier: ISC
// net/lwip/neighbours.hpp: messages of neighbour discovery, before lwIP believes them.
//
// Rules:   1. Only what RFC 4861 calls valid (sections 6.1, 7.1 and 8.1) reaches lwIP.
//          2. lwIP takes the first option for the link-layer address, whatever it is: the one that
//             is that is put there, and the others are taken away.
//          3. A prefix that no address can have (RFC 4862 section 5.5.3) is made unknown to lwIP.
// Source:  RFC 4861, RFC 4862, RFC 6980.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.hpp"
#include "net/endpoint.hpp"
#include "net/name_servers.hpp"

namespace net::lwip {

struct NeighbourMessage {
  enum class From : std::uint8_t { nobody, link_local, other };
  enum class To : std::uint8_t { one, solicited_node, many };

  From from = From::other;
  To to = To::one;
  unsigned hop_limit = 0;
  bool is_fragmented = false;
  base::Bytes bytes{};  // from ICMPv6's type on
};

inline constexpr unsigned router_advertisement = 134;
inline constexpr unsigned neighbour_solicitation = 135;
inline constexpr unsigned neighbour_advertisement = 136;
inline constexpr unsigned redirect_message = 137;

// Whether it is one of these four, and valid.
[[nodiscard]] bool is_valid(const NeighbourMessage& message) noexcept;

// Of a valid solicitation or advertisement: its link-layer address option, if it has one, is moved
// to be the first. The length of the message up to that option's end, or without options.
[[nodiscard]] std::size_t put_link_layer_first(base::MutableBytes message) noexcept;

// Of a valid router advertisement: whether it says what MTU the link has.
[[nodiscard]] bool says_mtu(base::Bytes message) noexcept;
void hide_impossible_prefixes(base::MutableBytes message) noexcept;

// The DNS servers that a valid router advertisement names (RFC 8106 section 5.1), each with its
// lifetime; those that cannot be are left out.
class AdvertisedServers {
 public:
  static constexpr std::uint32_t without_end_s = 0xffff'ffff;
  struct Server {
    Endpoint endpoint;
    std::uint32_t lifetime_s = 0;  // 0: no longer
  };
  explicit AdvertisedServers(base::Bytes advertisement) noexcept;
  [[nodiscard]] std::span<const Server> all() const noexcept {
    return std::span(servers_).first(count_);
  }

 private:
  void read(base::Bytes option) noexcept;
  std::array<Server, 2 * NameServers::servers_max> servers_{};
  std::size_t count_ = 0;
};

}  // namespace net::lwip
