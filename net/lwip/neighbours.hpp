// SPDX-License-Identifier: ISC
// net/lwip/neighbours.hpp: messages of neighbour discovery, before lwIP believes them.
//
// Rules:   1. Only what RFC 4861 calls valid (sections 6.1, 7.1 and 8.1) reaches lwIP.
//          2. lwIP takes the first option for the link-layer address, whatever it is: the one that
//             is that is put there, and the others are taken away.
//          3. A prefix that no address can have (RFC 4862 section 5.5.3) is made unknown to lwIP.
// Source:  RFC 4861, RFC 4862, RFC 6980.

#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.hpp"

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

}  // namespace net::lwip
