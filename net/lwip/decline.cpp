// SPDX-License-Identifier: ISC
#include "net/lwip/decline.hpp"

#include <array>
#include <cstdint>
#include <cstring>

#include <lwip/dhcp.h>
#include <lwip/pbuf.h>
#include <lwip/prot/dhcp.h>
#include <lwip/prot/iana.h>
#include <lwip/udp.h>

#include "base/check.hpp"
#include "net/lwip/engine.hpp"

namespace net::lwip {

namespace {

// DHCPDECLINE, as RFC 2131's table 5 has it: both options are a MUST.
dhcp_msg message_for(const netif& interface, const dhcp& state) {
  dhcp_msg message{};
  message.op = DHCP_BOOTREQUEST;
  message.htype = LWIP_IANA_HWTYPE_ETHERNET;
  message.hlen = interface.hwaddr_len;
  message.xid = Engine::current().random();
  std::memcpy(message.chaddr, interface.hwaddr, interface.hwaddr_len);
  message.cookie = PP_HTONL(DHCP_MAGIC_COOKIE);
  std::uint8_t* at = message.options;
  auto put = [&](std::uint8_t option, const void* value, std::uint8_t size) {
    *at++ = option;
    *at++ = size;
    std::memcpy(at, value, size);
    at += size;
  };
  const std::uint8_t type = DHCP_DECLINE;
  put(DHCP_OPTION_MESSAGE_TYPE, &type, 1);
  put(DHCP_OPTION_REQUESTED_IP, &state.offered_ip_addr.addr, 4);
  put(DHCP_OPTION_SERVER_ID, &state.server_ip_addr.u_addr.ip4.addr, 4);
  *at = DHCP_OPTION_END;
  return message;
}

void broadcast(netif& interface, const dhcp_msg& message) {
  udp_pcb* pcb = udp_new_ip_type(IPADDR_TYPE_V4);
  pbuf* bytes = pbuf_alloc(PBUF_TRANSPORT, sizeof message, PBUF_RAM);
  if (pcb != nullptr && bytes != nullptr) {
    pbuf_take(bytes, &message, sizeof message);
    // Not bound: lwIP's own client is, to this port.
    pcb->local_port = LWIP_IANA_PORT_DHCP_CLIENT;
    ip_set_option(pcb, SOF_BROADCAST);
    udp_sendto_if_src(pcb, bytes, IP_ADDR_BROADCAST, LWIP_IANA_PORT_DHCP_SERVER, &interface,
                      IP4_ADDR_ANY);
  }
  if (bytes != nullptr) pbuf_free(bytes);
  if (pcb != nullptr) udp_remove(pcb);
}

}  // namespace

void decline_lease(netif& interface) {
  dhcp* state = netif_dhcp_data(&interface);
  CHECK(state != nullptr);
  broadcast(interface, message_for(interface, *state));
  // As lwIP does after its own: when the time is over it discovers.
  state->state = DHCP_STATE_BACKING_OFF;
  state->tries = 0;
  state->request_timeout =
      static_cast<std::uint16_t>(decline_wait / std::chrono::milliseconds(DHCP_FINE_TIMER_MSECS));
  state->t0_timeout = 0;
  state->t1_renew_time = 0;
  state->t2_rebind_time = 0;
  netif_set_addr(&interface, IP4_ADDR_ANY4, IP4_ADDR_ANY4, IP4_ADDR_ANY4);
}

}  // namespace net::lwip
