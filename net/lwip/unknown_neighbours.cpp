// SPDX-License-Identifier: ISC
#include "net/lwip/unknown_neighbours.hpp"

#include <algorithm>
#include <span>

#include <lwip/etharp.h>
#include <lwip/priv/nd6_priv.h>

namespace net::lwip {

namespace {

bool is_stranger(netif& interface, const ip4_addr_t& sender) {
  if (!ip4_addr_net_eq(&sender, netif_ip4_addr(&interface), netif_ip4_netmask(&interface))) {
    return false;
  }
  eth_addr* mac = nullptr;
  const ip4_addr_t* address = nullptr;
  return etharp_find_addr(&interface, &sender, &mac, &address) < 0;
}

bool is_stranger(netif& interface, const ip6_addr_t& sender) {
  bool is_near = ip6_addr_islinklocal(&sender) != 0;
  for (s8_t i = 0; i < LWIP_IPV6_NUM_ADDRESSES; ++i) {
    is_near = is_near || (ip6_addr_isvalid(netif_ip6_addr_state(&interface, i)) &&
                          ip6_addr_net_eq(&sender, netif_ip6_addr(&interface, i)));
  }
  if (!is_near) return false;
  const std::span known(&neighbor_cache[0], LWIP_ND6_NUM_NEIGHBORS);
  return std::none_of(known.begin(), known.end(), [&](const nd6_neighbor_cache_entry& each) {
    return each.state > ND6_INCOMPLETE && ip6_addr_eq(&each.next_hop_address, &sender);
  });
}

}  // namespace

bool UnknownNeighbours::admit(netif& interface, const ip_addr_t& sender,
                              base::Instant now) noexcept {
  const bool is_one = IP_IS_V6(&sender) ? is_stranger(interface, *ip_2_ip6(&sender))
                                        : is_stranger(interface, *ip_2_ip4(&sender));
  return !is_one || answers_.take(now);
}

}  // namespace net::lwip
