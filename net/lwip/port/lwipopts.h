// SPDX-License-Identifier: ISC
// net/lwip/port/lwipopts.h: what of lwIP 2.2 is compiled in, and its numbers: a server over one
// Ethernet device, without threads, fed by a loop.
//
// Source: lwip/opt.h, which explains every name. Where a number is not its default, the reason is
// here. No lwIP timers: net/lwip/clockwork.hpp calls what is due, and nothing when nothing is.

#pragma once

// No operating system: nobody locks, the loop calls in. (No sockets, no threads, no DNS.)
#define NO_SYS 1
#define NO_SYS_NO_TIMERS 1
#define SYS_LIGHTWEIGHT_PROT 0
#define LWIP_NETCONN 0
#define LWIP_SOCKET 0
#define LWIP_STATS 0
#define LWIP_PROVIDE_ERRNO 0

// Memory is malloc's, counted and bounded by net/lwip/memory.hpp; every table and queue below has a
// maximum of its own.
#define MEM_CUSTOM_ALLOCATOR 1
#define MEM_CUSTOM_MALLOC crunch_lwip_allocate
#define MEM_CUSTOM_CALLOC crunch_lwip_allocate_zeroed
#define MEM_CUSTOM_FREE crunch_lwip_free
#define MEMP_MEM_MALLOC 1
#define MEM_ALIGNMENT 8
#define PBUF_POOL_FREE_OOSEQ 0

// The device: pieces as they are (it takes chains), checksums as it offers (per netif).
#define LWIP_SINGLE_NETIF 1
#define LWIP_NETIF_TX_SINGLE_PBUF 0
#define LWIP_CHECKSUM_CTRL_PER_NETIF 1
#define LWIP_CHKSUM crunch_lwip_checksum
// Summed when a segment goes out and not when it is written: with offload it is never summed.
#define LWIP_CHECKSUM_ON_COPY 0
#define LWIP_NETIF_STATUS_CALLBACK 1
#define LWIP_NETIF_HOSTNAME 1

// IPv4. The tables are searched linearly and their indices have 7 bits.
#define LWIP_IPV4 1
#define LWIP_ARP 1
#define ARP_TABLE_SIZE 120
#define ARP_QUEUEING 1
#define ARP_QUEUE_LEN 8
#define LWIP_ACD 1  // for its probe: "who else has this address?"
#define LWIP_ICMP 1
#define LWIP_IGMP 0
#define LWIP_UDP 1
#define LWIP_RAW 0
#define LWIP_DHCP 1
#define LWIP_DHCP_DOES_ACD_CHECK 0  // see net/lwip/decline.hpp
#define LWIP_DHCP_GET_NTP_SRV 0
// Leases are timed by the second: by the minute, one of a minute would end before it is renewed.
#define DHCP_COARSE_TIMER_SECS 1
#define DHCP_TIMEOUT_SIZE_T u32_t
#define DHCP_DEFINE_CUSTOM_TIMEOUTS
#define DHCP_SET_TIMEOUT_FROM_OFFERED_T0_LEASE(result, dhcp) crunch_lwip_lease_times(dhcp)
#define DHCP_SET_TIMEOUT_FROM_OFFERED_T1_RENEW(result, dhcp) ((void)(result))
#define DHCP_SET_TIMEOUT_FROM_OFFERED_T2_REBIND(result, dhcp) ((void)(result))
#define DHCP_NEXT_TIMEOUT_THRESHOLD 60  // RFC 2131 section 4.4.5
#define DHCP_REQUEST_BACKOFF_SEQUENCE(tries) (u16_t)(((tries) < 6 ? 1 << (tries) : 60) * 1000)
// Fragments that wait for their others, of all datagrams together.
#define IP_REASSEMBLY 1
#define IP_REASS_MAX_PBUFS 64
#define IP_REASS_MAXAGE 15
#define IP_FRAG 1

// IPv6.
#define LWIP_IPV6 1
#define LWIP_IPV6_NUM_ADDRESSES 6
#define LWIP_IPV6_MLD 1
#define LWIP_IPV6_AUTOCONFIG 1
#define LWIP_IPV6_DUP_DETECT_ATTEMPTS 1
#define LWIP_IPV6_SEND_ROUTER_SOLICIT 1
#define LWIP_IPV6_DHCP6 0
#define LWIP_IPV6_FRAG 1
#define LWIP_IPV6_REASS 1
#define IPV6_REASS_MAXAGE IP_REASS_MAXAGE
#define IPV6_FRAG_COPYHEADER 1  // pointers have 64 bits
#define LWIP_ND6_QUEUEING 1
#define LWIP_ND6_NUM_NEIGHBORS 120
#define LWIP_ND6_NUM_DESTINATIONS 120
#define MEMP_NUM_MLD6_GROUP 16

// TCP: windows scale, segments as large as the MTU lets them be (9,000 at most), no delay.
#define LWIP_TCP 1
#define TCP_MSS 8960
#define LWIP_WND_SCALE 1
#define TCP_RCV_SCALE 0
// What a client may send ahead of the reader. Requests are small: more would only be a place for
// 5,000 clients to leave bytes in.
#define TCP_WND 65535
// Of content, sent from where it lies; of what is copied, net/lwip/connection.cpp takes less.
#define TCP_SND_BUF (2 * 1024 * 1024)
// In pieces, which are what content costs: two a segment, 200 bytes together. 2 MiB are 2,880 of
// them with segments of 1,460 bytes; smaller ones come to less than 2 MiB.
#define TCP_SND_QUEUELEN 4096
#define TCP_SNDLOWAT 16384
#define TCP_QUEUE_OOSEQ 1
#define TCP_OOSEQ_MAX_BYTES TCP_WND
#define TCP_OOSEQ_BYTES_LIMIT(pcb) crunch_lwip_reordered_bytes_max()
#define TCP_OOSEQ_MAX_PBUFS 128
#define TCP_OOSEQ_TIMEOUT 20
#define LWIP_TCP_SACK_OUT 1
// lwIP's own backlog drops the newest of 255 at most; net/lwip/half_open.hpp has another.
#define TCP_LISTEN_BACKLOG 0
#define LWIP_TCP_PCB_NUM_EXT_ARGS 5
#define LWIP_TCP_KEEPALIVE 1
#define SO_REUSE 1
// TIME_WAIT lasts twice this.
#define TCP_MSL 5000
// Ticks of 50 ms: a retransmission waits at least 200 to 300 ms, as with Linux, not 1 to 1.5 s.
#define TCP_TMR_INTERVAL 50
#define LWIP_TCP_RTO_TIME 1000  // RFC 6298 section 2

// What lwIP asks the house (net/lwip/port.cpp).
#define LWIP_HOOK_FILENAME "hooks.h"
#define LWIP_HOOK_TCP_ISN crunch_lwip_sequence
#define LWIP_HOOK_TCP_INPACKET_PCB crunch_lwip_segment
#define LWIP_HOOK_TCP_OUT_ADD_TCPOPTS crunch_lwip_segment_out
#define LWIP_HOOK_IP4_INPUT crunch_lwip_ip4_input
#define LWIP_HOOK_IP6_INPUT crunch_lwip_ip6_input
#define LWIP_HOOK_ND6_GET_GW crunch_lwip_ipv6_gateway
