// SPDX-License-Identifier: ISC
// net/lwip/port.cpp: the C functions that lwIP calls (net/lwip/port/arch/cc.h, hooks.h,
// lwip/sys.h).

#include <array>
#include <cstring>

#include <lwip/ip.h>
#include <lwip/netif.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/prot/tcp.h>
#include <lwip/sys.h>

#include "base/check.hpp"
#include "net/lwip/checksum.hpp"
#include "net/lwip/engine.hpp"
#include "net/lwip/port/hooks.h"

using net::lwip::Engine;

extern "C" {

u32_t sys_now() { return Engine::current().now_ms(); }

uint32_t crunch_lwip_random() { return Engine::current().random(); }

uint16_t crunch_lwip_checksum(const void* bytes, int count) {
  return net::lwip::checksum(
      {static_cast<const std::byte*>(bytes), static_cast<std::size_t>(count)});
}

void crunch_lwip_panic(const char* file, int line, const char* what) {
  base::panic(file, line, what);
}

u32_t crunch_lwip_sequence(const ip_addr_t* local_ip, u16_t local_port, const ip_addr_t* remote_ip,
                           u16_t remote_port) {
  struct Ends {
    std::array<u32_t, 4> local{};
    std::array<u32_t, 4> remote{};
    u16_t local_port = 0;
    u16_t remote_port = 0;
  } ends;
  auto put = [](const ip_addr_t& from, std::array<u32_t, 4>& to) {
    const std::size_t size = IP_IS_V6_VAL(from) ? 16 : 4;
    std::memcpy(to.data(), &from.u_addr, size);
  };
  put(*local_ip, ends.local);
  put(*remote_ip, ends.remote);
  ends.local_port = local_port;
  ends.remote_port = remote_port;
  return Engine::current().sequence(std::as_bytes(std::span(&ends, 1)));
}

err_t crunch_lwip_segment(tcp_pcb* pcb, tcp_hdr* header, u16_t, u16_t first_options_bytes, u8_t*,
                          pbuf* payload) {
  const unsigned flags = TCPH_FLAGS(header);
  if (pcb->state == LISTEN) {
    const bool is_admitted =
        (flags & TCP_SYN) == 0 || (!Engine::current().pool.is_full() &&
                                   Engine::current().admit_stranger(*ip_current_src_addr()));
    return is_admitted ? ERR_OK : ERR_MEM;
  }
  // Before, its argument is the listener's; and once let go there is none.
  const bool has_owner =
      pcb->state == ESTABLISHED || pcb->state == FIN_WAIT_1 || pcb->state == CLOSE_WAIT;
  if (has_owner && pcb->callback_arg != nullptr && (flags & TCP_ACK) != 0) {
    auto& connection = *static_cast<net::lwip::Connection*>(pcb->callback_arg);
    connection.before_segment(
        header->ackno, header->wnd, payload->tot_len > 0,
        {reinterpret_cast<const std::byte*>(header + 1), first_options_bytes});
  }
  return ERR_OK;
}

const ip6_addr_t* crunch_lwip_ipv6_gateway(netif*, const ip6_addr_t*) {
  return Engine::current().interface.ipv6_gateway();
}

}  // extern "C"
