// SPDX-License-Identifier: ISC
// net/lwip/inputs.cpp: what lwIP's layers hand to one another, looked at on the way
// (net/lwip/port/hooks.h).
//
// Method:  cmake/lwip.cmake gives single files of lwIP other names for single functions, so that
//          those call these. lwIP has parsed the layers below: addresses are in ip_current_*, and
//          fragments have been put together.
// Owns:    the pbuf that comes in, as the function that it takes the place of does.

#include <algorithm>
#include <array>
#include <cstring>

#include <lwip/dhcp.h>
#include <lwip/icmp.h>
#include <lwip/inet_chksum.h>
#include <lwip/ip.h>
#include <lwip/ip4_frag.h>
#include <lwip/ip6_frag.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/prot/dhcp.h>
#include <lwip/prot/iana.h>
#include <lwip/prot/icmp.h>
#include <lwip/prot/ip4.h>
#include <lwip/prot/ip6.h>
#include <lwip/prot/tcp.h>
#include <lwip/prot/udp.h>
#include <lwip/udp.h>

#include "net/lwip/engine.hpp"
#include "net/lwip/ip.hpp"
#include "net/lwip/leases.hpp"
#include "net/lwip/port/hooks.h"
#include "net/lwip/segments.hpp"

using net::lwip::Engine;

namespace {

constexpr u16_t tcp_header_bytes_max = 60;

base::Bytes first_of(const pbuf& packet) {
  return {static_cast<const std::byte*>(packet.payload), packet.len};
}

// Addresses that no host answers from (RFC 1122 section 3.2.1.3, RFC 4291); lwIP's IP has dropped
// what comes from multicast and broadcast addresses.
bool is_from_a_host(const netif& interface) {
  const ip_addr_t& from = *ip_current_src_addr();
  if (IP_IS_V6_VAL(from)) {
    return !ip6_addr_isany(ip_2_ip6(&from)) && !ip6_addr_isloopback(ip_2_ip6(&from));
  }
  const ip4_addr_t& address = *ip_2_ip4(&from);
  constexpr u8_t this_network = 0;
  return ip4_addr1(&address) != this_network && !ip4_addr_isloopback(&address) &&
         !ip4_addr_eq(&address, netif_ip4_addr(&interface));
}

// Sent to us alone, by a host: what may be answered (RFC 1122 sections 3.2.2 and 3.3.6).
bool is_between_two(const pbuf& packet, const netif& interface) {
  constexpr unsigned to_many = PBUF_FLAG_LLBCAST | PBUF_FLAG_LLMCAST;
  return (packet.flags & to_many) == 0 && is_from_a_host(interface);
}

net::lwip::Tuple tuple_of(const tcp_hdr& header) {
  return {*ip_current_dest_addr(), *ip_current_src_addr(), lwip_ntohs(header.dest),
          lwip_ntohs(header.src)};
}

// A client may open a connection from the port of one that is in TIME-WAIT here, by a number above
// all that it has sent (RFC 9293 MAY-2): that one is forgotten, and ours begins above all that we
// have sent, as with Linux.
void make_room_for_new(const pbuf& segment, const netif& interface) {
  const auto& header = *static_cast<const tcp_hdr*>(segment.payload);
  constexpr unsigned all = TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN;
  if (tcp_tw_pcbs == nullptr || (TCPH_FLAGS(&header) & all) != TCP_SYN) return;
  tcp_pcb* old = Engine::current().connections.find(tuple_of(header));
  if (old == nullptr || old->state != TIME_WAIT ||
      !TCP_SEQ_GT(lwip_ntohl(header.seqno), old->rcv_nxt)) {
    return;
  }
  const bool is_checked = (interface.chksum_flags & NETIF_CHECKSUM_CHECK_TCP) != 0;
  if (is_checked && ip_chksum_pseudo(const_cast<pbuf*>(&segment), IP_PROTO_TCP, segment.tot_len,
                                     ip_current_src_addr(), ip_current_dest_addr()) != 0) {
    return;
  }
  constexpr u32_t window_max = 65'535;
  Engine::current().sequence_above = old->snd_nxt + window_max;
  tcp_abort(old);  // without a word
}

bool is_from_dhcp(const pbuf& datagram) {
  std::array<std::byte, net::lwip::dhcp_bytes_max> copy{};
  const std::size_t size = pbuf_copy_partial(&datagram, copy.data(), copy.size(), UDP_HLEN);
  return net::lwip::is_dhcp_good(base::Bytes(copy).first(size));
}

// lwIP asks again at once when a server refuses what was offered, as often as that happens.
void hear_dhcp(pbuf* datagram, netif& interface) {
  const dhcp* before = netif_dhcp_data(&interface);
  const bool was_requesting = before != nullptr && before->state == DHCP_STATE_REQUESTING;
  const bool was_bound = before == nullptr || before->state == DHCP_STATE_BOUND;
  Engine& engine = Engine::current();
  engine.dhcp_name_servers = {};
  udp_input(datagram, &interface);
  dhcp* state = netif_dhcp_data(&interface);
  if (!was_bound && state != nullptr && state->state == DHCP_STATE_BOUND) {
    engine.name_servers.hear_dhcp(engine.dhcp_name_servers.all());
  }
  if (!was_requesting || state == nullptr) return;
  if (state->state == DHCP_STATE_BOUND) engine.dhcp_refusals = 0;
  if (state->state != DHCP_STATE_SELECTING) return;
  const std::uint32_t seconds = net::lwip::seconds_after_refusal(++engine.dhcp_refusals);
  state->state = DHCP_STATE_BACKING_OFF;
  state->request_timeout = seconds * 1000 / DHCP_FINE_TIMER_MSECS;
}

void take_segment(pbuf* segment, netif* interface) {
  Engine& engine = Engine::current();
  if (segment->len >= TCP_HLEN) {
    make_room_for_new(*segment, *interface);
    engine.connections.show_only(tuple_of(*static_cast<const tcp_hdr*>(segment->payload)));
  }
  tcp_input(segment, interface);
  engine.connections.settle();
  engine.sequence_above.reset();
}

}  // namespace

extern "C" {

int crunch_lwip_ip4_input(pbuf* packet, netif*) {
  if (net::lwip::are_ipv4_options_good(first_of(*packet))) return 0;
  pbuf_free(packet);
  return 1;
}

int crunch_lwip_ip6_input(pbuf* packet, netif*) {
  Engine::current().is_put_together = false;
  if (net::lwip::are_ipv6_options_good(first_of(*packet))) return 0;
  pbuf_free(packet);
  return 1;
}

pbuf* crunch_lwip_ip6_reass(pbuf* fragment) {
  const auto* header = static_cast<const ip6_frag_hdr*>(fragment->payload);
  net::lwip::Fragment seen;
  std::memcpy(seen.ends.data(), &ip6_current_header()->src, seen.ends.size());
  seen.id = header->_identification;
  const unsigned place = lwip_ntohs(header->_fragment_offset);
  seen.begin = place & IP6_FRAG_OFFSET_MASK;
  seen.end = seen.begin + fragment->tot_len - IP6_FRAG_HLEN;
  seen.is_last = (place & IP6_FRAG_MORE_FLAG) == 0;
  seen.following = header->_nexth;
  Engine& engine = Engine::current();
  pbuf* whole = fragment;
  if (engine.fragments.admit(seen, engine.loop.now())) {
    whole = ip6_reass(fragment);
    engine.is_put_together = whole != nullptr;
    if (whole == nullptr || net::lwip::are_ipv6_options_good(first_of(*whole))) return whole;
  }
  pbuf_free(whole);
  return nullptr;
}

// lwIP reads the header, and options in two pieces at most, where the first fragments end.
void crunch_lwip_tcp_input(pbuf* segment, netif* interface) {
  if (!is_between_two(*segment, *interface)) {
    pbuf_free(segment);
    return;
  }
  if (segment->next == nullptr || segment->len >= tcp_header_bytes_max) {
    take_segment(segment, interface);
    return;
  }
  pbuf* whole = pbuf_clone(PBUF_RAW, PBUF_RAM, segment);
  if (whole != nullptr) take_segment(whole, interface);
  pbuf_free(segment);
}

// Nobody listens but DHCP's client, on its port; and what is sent to many is never answered.
void crunch_lwip_udp_input(pbuf* datagram, netif* interface) {
  const auto* header = static_cast<const udp_hdr*>(datagram->payload);
  const bool is_for_dhcp = datagram->len >= UDP_HLEN && !ip_current_is_v6() &&
                           lwip_ntohs(header->dest) == LWIP_IANA_PORT_DHCP_CLIENT;
  if (is_for_dhcp && is_from_dhcp(*datagram)) {
    hear_dhcp(datagram, *interface);
  } else if (!is_for_dhcp && is_between_two(*datagram, *interface)) {
    udp_input(datagram, interface);
  } else {
    pbuf_free(datagram);
  }
}

void crunch_lwip_dns_setserver(u8_t, const ip_addr_t* server) {
  const net::Endpoint named = net::lwip::from_lwip(*server, net::NameServers::dns_port);
  if (net::can_be_name_server(named)) Engine::current().dhcp_name_servers.add(named);
}

void crunch_lwip_lease_times(dhcp* state) {
  const net::lwip::LeaseTimes times = net::lwip::lease_times(
      state->offered_t0_lease, state->offered_t1_renew, state->offered_t2_rebind);
  state->t0_timeout = times.lease;
  state->t1_timeout = times.renew;
  state->t2_timeout = times.rebind;
}

void crunch_lwip_icmp_input(pbuf* message, netif* interface) {
  const auto* head = static_cast<const u8_t*>(message->payload);
  if (message->len >= 2 && head[0] == ICMP_DUR && head[1] == ICMP_DUR_FRAG &&
      inet_chksum_pbuf(message) == 0) {
    Engine::current().paths.hear_too_big(*message, false);
  }
  icmp_input(message, interface);
}

err_t crunch_lwip_ip4_frag(pbuf* packet, netif* interface, const ip4_addr_t* to) {
  if (IPH_PROTO(static_cast<const ip_hdr*>(packet->payload)) != IP_PROTO_TCP) {
    return ip4_frag(packet, interface, to);
  }
  Engine::current().paths.hold_back();
  return ERR_BUF;
}

err_t crunch_lwip_ip6_frag(pbuf* packet, netif* interface, const ip6_addr_t* to) {
  if (IP6H_NEXTH(static_cast<const ip6_hdr*>(packet->payload)) != IP6_NEXTH_TCP) {
    return ip6_frag(packet, interface, to);
  }
  Engine::current().paths.hold_back();
  return ERR_BUF;
}

err_t crunch_lwip_tcp_send_fin(tcp_pcb* pcb) {
  const net::lwip::WithoutResent at_the_end(*pcb);
  return tcp_send_fin(pcb);
}

}  // extern "C"
