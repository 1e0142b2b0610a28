// SPDX-License-Identifier: ISC
// net/lwip/port/hooks.h: the questions that lwIP asks while it works; net/lwip/port.cpp answers.

#pragma once

#include <lwip/ip_addr.h>
#include <lwip/tcp.h>

#ifdef __cplusplus
extern "C" {
#endif

struct dhcp;
struct netif;
struct pbuf;
struct tcp_hdr;

// The first sequence number of a connection: nobody who does not see its packets can guess it
// (RFC 6528).
u32_t crunch_lwip_sequence(const ip_addr_t* local_ip, u16_t local_port, const ip_addr_t* remote_ip,
                           u16_t remote_port);

// Whether a segment that was matched with `pcb` is to be worked on: ERR_OK, or it is dropped.
err_t crunch_lwip_segment(struct tcp_pcb* pcb, struct tcp_hdr* header, u16_t options_bytes,
                          u16_t first_options_bytes, u8_t* second_options, struct pbuf* payload);

// Whether a packet that has come is eaten: dropped before IP reads it.
int crunch_lwip_ip4_input(struct pbuf* packet, struct netif* netif);
int crunch_lwip_ip6_input(struct pbuf* packet, struct netif* netif);

// What IP hands up, looked at before lwIP's own functions of these names, and what it does with
// packets that are longer than the interface's MTU (cmake/lwip.cmake makes lwIP call these).
void crunch_lwip_tcp_input(struct pbuf* segment, struct netif* netif);
void crunch_lwip_udp_input(struct pbuf* datagram, struct netif* netif);
void crunch_lwip_icmp_input(struct pbuf* message, struct netif* netif);
void crunch_lwip_nd6_input(struct pbuf* message, struct netif* netif);
void crunch_lwip_mld6_input(struct pbuf* message, struct netif* netif);
struct pbuf* crunch_lwip_ip6_reass(struct pbuf* fragment);
err_t crunch_lwip_ip4_frag(struct pbuf* packet, struct netif* netif, const ip4_addr_t* to);
err_t crunch_lwip_ip6_frag(struct pbuf* packet, struct netif* netif, const ip6_addr_t* to);

// The DHCP message that is read names a DNS server, its `number`th from 0.
void crunch_lwip_dns_setserver(u8_t number, const ip_addr_t* server);

// A lease has been given: when it ends, and when to renew it.
void crunch_lwip_lease_times(struct dhcp* dhcp);

// A segment goes out; returns `options`, where more could be added.
u32_t* crunch_lwip_segment_out(struct pbuf* segment, struct tcp_hdr* header,
                               const struct tcp_pcb* pcb, u32_t* options);

// Sends what may be sent; and queues a FIN.
err_t crunch_lwip_tcp_output(struct tcp_pcb* pcb);
err_t crunch_lwip_tcp_send_fin(struct tcp_pcb* pcb);

// The static IPv6 gateway, or NULL: the one that a router advertised.
const ip6_addr_t* crunch_lwip_ipv6_gateway(struct netif* netif, const ip6_addr_t* to);

#ifdef __cplusplus
}
#endif
