// SPDX-License-Identifier: ISC
// net/lwip/neighbour_inputs.cpp: ICMPv6's messages of neighbours and routers, on their way to lwIP
// (net/lwip/port/hooks.h). ICMPv6's checksum has been found good.
//
// Owns:    the pbuf that comes in, as the function that it takes the place of does.

#include <algorithm>
#include <chrono>
#include <cstring>
#include <span>

#include <lwip/icmp6.h>
#include <lwip/inet_chksum.h>
#include <lwip/ip6.h>
#include <lwip/mld6.h>
#include <lwip/nd6.h>
#include <lwip/priv/nd6_priv.h>
#include <lwip/prot/icmp6.h>
#include <lwip/prot/mld6.h>
#include <lwip/prot/nd6.h>

#include "net/lwip/engine.hpp"
#include "net/lwip/neighbours.hpp"
#include "net/lwip/port/hooks.h"

using net::lwip::Engine;
using net::lwip::NeighbourMessage;

namespace {

constexpr unsigned hop_limit = 255;

NeighbourMessage message_of(pbuf& message) {
  using From = NeighbourMessage::From;
  using To = NeighbourMessage::To;
  const ip6_addr_t& from = *ip6_current_src_addr();
  const ip6_addr_t& to = *ip6_current_dest_addr();
  NeighbourMessage read;
  if (ip6_addr_isany(&from)) read.from = From::nobody;
  if (ip6_addr_islinklocal(&from)) read.from = From::link_local;
  if (ip6_addr_ismulticast(&to)) {
    read.to = ip6_addr_issolicitednode(&to) ? To::solicited_node : To::many;
  }
  read.hop_limit = IP6H_HOPLIM(ip6_current_header());
  read.is_fragmented = message.next != nullptr || Engine::current().is_put_together;
  read.bytes = {static_cast<const std::byte*>(message.payload), message.len};
  return read;
}

// Without a zone: there is one interface (LWIP_SINGLE_NETIF).
ip6_addr_t address_at(base::Bytes message, std::size_t at) {
  ip6_addr_t address{};
  std::memcpy(address.addr, &message[at], sizeof address.addr);
  return address;
}

// Whether an address is ours for good: duplicates were looked for, and none found.
bool is_ours(const netif& interface, const ip6_addr_t& address) {
  const s8_t index = netif_get_ip6_addr_match(const_cast<netif*>(&interface), &address);
  return index >= 0 && ip6_addr_isvalid(netif_ip6_addr_state(&interface, index));
}

// Of a solicitation by someone who did not say where the answer is to go: lwIP would not answer.
void answer_solicitation(const ip6_addr_t& target, netif& interface) {
  constexpr u16_t header_bytes = 24;
  constexpr u16_t option_bytes = 8;
  pbuf* answer = pbuf_alloc(PBUF_IP, header_bytes + option_bytes, PBUF_RAM);
  if (answer == nullptr) return;
  auto* bytes = static_cast<u8_t*>(answer->payload);
  std::memset(bytes, 0, header_bytes + option_bytes);
  bytes[0] = ICMP6_TYPE_NA;
  bytes[4] = ND6_FLAG_SOLICITED | ND6_FLAG_OVERRIDE;
  std::memcpy(bytes + 8, target.addr, sizeof target.addr);
  bytes[header_bytes] = ND6_OPTION_TYPE_TARGET_LLADDR;
  bytes[header_bytes + 1] = 1;
  std::memcpy(bytes + header_bytes + 2, interface.hwaddr, interface.hwaddr_len);
  const u16_t sum =
      ip6_chksum_pseudo(answer, IP6_NEXTH_ICMP6, answer->tot_len, &target, ip6_current_src_addr());
  std::memcpy(bytes + 2, &sum, sizeof sum);
  ip6_output_if(answer, &target, ip6_current_src_addr(), hop_limit, 0, IP6_NEXTH_ICMP6, &interface);
  pbuf_free(answer);
}

// A redirect counts only from the router that is used for its destination (RFC 4861 section 8.1).
bool is_from_its_router(base::Bytes message) {
  const ip6_addr_t destination = address_at(message, 24);
  const std::span known(&destination_cache[0], LWIP_ND6_NUM_DESTINATIONS);
  return std::ranges::any_of(known, [&](const nd6_destination_cache_entry& each) {
    // NOLINTBEGIN(misc-redundant-expression): lwIP's macros
    return ip6_addr_eq(&each.destination_addr, &destination) &&
           ip6_addr_eq(&each.next_hop_addr, ip6_current_src_addr());
    // NOLINTEND(misc-redundant-expression)
  });
}

nd6_neighbor_cache_entry* known_neighbour(const ip6_addr_t& address) {
  const std::span known(&neighbor_cache[0], LWIP_ND6_NUM_NEIGHBORS);
  const auto found = std::ranges::find_if(known, [&](const nd6_neighbor_cache_entry& each) {
    return each.state != ND6_NO_ENTRY && ip6_addr_eq(&each.next_hop_address, &address);
  });
  return found != known.end() ? &*found : nullptr;
}

// RFC 4861 section 7.2.5, of a neighbour whose MAC is known. lwIP takes any advertisement to one
// address for an answer, which it need not be, and hears too little in the others. False: lwIP is
// not to see it.
bool hear_advertisement(nd6_neighbor_cache_entry& neighbour, base::Bytes message,
                        const netif& interface) {
  constexpr std::size_t flags_at = 4;
  constexpr std::size_t mac_at = sizeof(na_header) + 2;
  const auto flags = std::to_integer<unsigned>(message[flags_at]);
  const bool overrides = (flags & ND6_FLAG_OVERRIDE) != 0;
  const bool has_mac = message.size() >= mac_at + interface.hwaddr_len;
  const bool differs =
      has_mac && std::memcmp(neighbour.lladdr, &message[mac_at], interface.hwaddr_len) != 0;
  if (differs && !overrides) {
    if (neighbour.state == ND6_REACHABLE) neighbour.state = ND6_STALE;
    return false;
  }
  if ((flags & ND6_FLAG_SOLICITED) != 0) {
    if (has_mac || !overrides) return true;
    neighbour.state = ND6_REACHABLE;  // lwIP wants a MAC
    neighbour.counter.reachable_time = LWIP_ND6_REACHABLE_TIME;
    return false;
  }
  if (differs) {
    std::memcpy(neighbour.lladdr, &message[mac_at], interface.hwaddr_len);
    neighbour.state = ND6_STALE;
  }
  return false;
}

void hear_name_servers(base::Bytes advertisement) {
  Engine& engine = Engine::current();
  const net::lwip::AdvertisedServers named(advertisement);
  for (const auto& [endpoint, lifetime_s] : named.all()) {
    const bool is_endless = lifetime_s == net::lwip::AdvertisedServers::without_end_s;
    const base::Instant now = engine.loop.now();
    engine.name_servers.hear_router(
        endpoint, is_endless ? base::never : now + std::chrono::seconds(lifetime_s), now);
  }
}

// False: lwIP is not to see it.
bool prepare(pbuf& message, netif& interface) {
  const base::MutableBytes bytes{static_cast<std::byte*>(message.payload), message.len};
  const auto type = std::to_integer<unsigned>(bytes[0]);
  if (type == net::lwip::redirect_message) return is_from_its_router(bytes);
  if (type == net::lwip::router_advertisement) {
    net::lwip::hide_impossible_prefixes(bytes);
    hear_name_servers(bytes);
    // lwIP only ever makes it smaller.
    if (net::lwip::says_mtu(bytes)) interface.mtu6 = interface.mtu;
    return true;
  }
  const ip6_addr_t target = address_at(bytes, 8);
  const std::size_t size = net::lwip::put_link_layer_first(bytes);
  const bool is_question = type == net::lwip::neighbour_solicitation;
  const bool has_link_layer = size > sizeof(ns_header);
  // Our address is ours, whoever claims it (RFC 4862 section 5.4.4 is of tentative ones).
  if (!is_question && is_ours(interface, target)) return false;
  if (is_question && !has_link_layer && !ip6_addr_isany(ip6_current_src_addr())) {
    if (is_ours(interface, target)) answer_solicitation(target, interface);
    return false;
  }
  pbuf_realloc(&message, static_cast<u16_t>(size));
  nd6_neighbor_cache_entry* const neighbour = is_question ? nullptr : known_neighbour(target);
  if (neighbour == nullptr || neighbour->state == ND6_INCOMPLETE) return true;
  return hear_advertisement(*neighbour, bytes.first(size), interface);
}

}  // namespace

extern "C" {

// lwIP would believe any "packet too big", and then cut what is sent into the smallest of
// fragments.
void crunch_lwip_nd6_input(pbuf* message, netif* interface) {
  if (*static_cast<const u8_t*>(message->payload) == ICMP6_TYPE_PTB) {
    Engine::current().paths.hear_too_big(*message, true);
  } else if (net::lwip::is_valid(message_of(*message)) && prepare(*message, *interface)) {
    nd6_input(message, interface);
    return;
  }
  pbuf_free(message);
}

// RFC 2710 section 3: from the link itself.
void crunch_lwip_mld6_input(pbuf* message, netif* interface) {
  const bool is_near =
      ip6_addr_islinklocal(ip6_current_src_addr()) && IP6H_HOPLIM(ip6_current_header()) == 1;
  if (is_near && message->len >= sizeof(mld_header)) {
    mld6_input(message, interface);
  } else {
    pbuf_free(message);
  }
}

}  // extern "C"
