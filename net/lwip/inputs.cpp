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

#include <lwip/icmp.h>
#include <lwip/inet_chksum.h>
#include <lwip/ip.h>
#include <lwip/ip4_frag.h>
#include <lwip/ip6_frag.h>
#include <lwip/nd6.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/prot/icmp.h>
#include <lwip/prot/icmp6.h>
#include <lwip/prot/ip4.h>
#include <lwip/prot/ip6.h>

#include "net/lwip/engine.hpp"
#include "net/lwip/frame.hpp"
#include "net/lwip/port/hooks.h"
#include "net/lwip/segments.hpp"

using net::lwip::Engine;

namespace {

constexpr u16_t tcp_header_bytes_max = 60;
constexpr std::size_t icmp_header_bytes = 8;
// The longest IPv4 header and what routers must quote after it (RFC 792).
constexpr std::size_t quote_bytes_max = 60 + 8;

// A router's message that a packet was too big; at `mtu_at` it says what is not.
void hear_too_big(const pbuf& message, std::size_t mtu_at, bool is_word) {
  std::array<std::byte, icmp_header_bytes + quote_bytes_max> copy{};
  const std::size_t size = pbuf_copy_partial(&message, copy.data(), copy.size(), 0);
  if (size < icmp_header_bytes) return;
  const std::size_t bytes =
      is_word ? net::lwip::word_at(copy, mtu_at) : net::lwip::long_at(copy, mtu_at);
  const auto quoted = base::Bytes(copy).first(size).subspan(icmp_header_bytes);
  Engine::current().paths.hear_too_big(quoted, bytes);
}

}  // namespace

extern "C" {

// lwIP reads the header, and options in two pieces at most, where the first fragments end.
void crunch_lwip_tcp_input(pbuf* segment, netif* interface) {
  if (segment->next == nullptr || segment->len >= tcp_header_bytes_max) {
    tcp_input(segment, interface);
    return;
  }
  pbuf* whole = pbuf_clone(PBUF_RAW, PBUF_RAM, segment);
  if (whole != nullptr) tcp_input(whole, interface);
  pbuf_free(segment);
}

void crunch_lwip_icmp_input(pbuf* message, netif* interface) {
  const auto* head = static_cast<const u8_t*>(message->payload);
  if (message->len >= 2 && head[0] == ICMP_DUR && head[1] == ICMP_DUR_FRAG &&
      inet_chksum_pbuf(message) == 0) {
    hear_too_big(*message, 6, true);
  }
  icmp_input(message, interface);
}

// lwIP would believe any "packet too big", and then cut what is sent into the smallest of
// fragments.
void crunch_lwip_nd6_input(pbuf* message, netif* interface) {
  if (*static_cast<const u8_t*>(message->payload) != ICMP6_TYPE_PTB) {
    nd6_input(message, interface);
    return;
  }
  hear_too_big(*message, 4, false);
  pbuf_free(message);
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
