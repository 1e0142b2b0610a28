// SPDX-License-Identifier: ISC
// net/lwip/port.cpp: the C functions that lwIP calls (net/lwip/port/arch/cc.h, hooks.h,
// lwip/sys.h).

#include <array>
#include <cstring>
#include <optional>
#include <utility>

#include <lwip/ip.h>
#include <lwip/netif.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/prot/tcp.h>
#include <lwip/sys.h>

#include "base/check.hpp"
#include "net/lwip/acceptance.hpp"
#include "net/lwip/checksum.hpp"
#include "net/lwip/engine.hpp"
#include "net/lwip/port/hooks.h"
#include "net/lwip/segments.hpp"
#include "net/lwip/sender.hpp"
#include "net/lwip/tcp_options.hpp"

using net::lwip::Engine;
using net::lwip::Sender;

namespace {

// What SYNs announce is taken from the one that opens a connection, or from the one that answers
// ours. lwIP would read any segment's.
void take_options(tcp_pcb& pcb, unsigned flags, base::MutableBytes options) {
  constexpr unsigned syn_and_ack = TCP_SYN | TCP_ACK;
  const bool is_answer = pcb.state == SYN_SENT && (flags & syn_and_ack) == syn_and_ack;
  if (pcb.state == LISTEN) {
    Engine::current().announced_segment = net::lwip::announced_segment(options);
  } else if (is_answer) {
    net::lwip::note_announced_segment(pcb, net::lwip::announced_segment(options));
  } else if ((flags & TCP_SYN) != 0) {
    net::lwip::erase_options(options);
  } else {
    net::lwip::erase_announced_segment(options);
  }
}

// Whether lwIP may work on it; if not, it has been answered as it must be.
bool is_acceptable(tcp_pcb& pcb, const net::lwip::Arrived& segment) {
  using net::lwip::Verdict;
  const Verdict verdict = net::lwip::examine(pcb, segment);
  if (verdict == Verdict::take) return true;
  const bool is_answered =
      verdict == Verdict::answer ||
      (verdict == Verdict::challenge && net::lwip::may_challenge(pcb, Engine::current().now_ms()));
  if (is_answered) tcp_send_empty_ack(&pcb);
  return false;
}

}  // namespace

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
  Engine& engine = Engine::current();
  const u32_t sequence = engine.sequence(std::as_bytes(std::span(&ends, 1)));
  const std::optional<u32_t> above = std::exchange(engine.sequence_above, std::nullopt);
  return above && TCP_SEQ_LEQ(sequence, *above) ? *above + 1 : sequence;
}

err_t crunch_lwip_segment(tcp_pcb* pcb, tcp_hdr* header, u16_t options_bytes, u16_t, u8_t*,
                          pbuf* payload) {
  Engine::current().connections.show_all();
  net::lwip::ConnectionTable::to_front(*pcb);
  const unsigned flags = TCPH_FLAGS(header);
  // In one piece: crunch_lwip_tcp_input has seen to it.
  const base::MutableBytes options{reinterpret_cast<std::byte*>(header + 1), options_bytes};
  if (!is_acceptable(*pcb, {flags, header->seqno, header->ackno, payload->tot_len})) return ERR_VAL;
  take_options(*pcb, flags, options);
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
    // Dropped; its sender sends it again.
    if (payload->tot_len > 0 && !connection.may_keep(payload->tot_len)) return ERR_MEM;
  }
  // What may close a gap is acknowledged at once (RFC 5681 section 4.2).
  if (pcb->ooseq != nullptr && payload->tot_len > 0) tcp_ack_now(pcb);
  if (Sender* sender = Sender::of(*pcb); sender != nullptr && (flags & TCP_ACK) != 0) {
    const bool is_plain = payload->tot_len == 0 && (flags & (TCP_SYN | TCP_FIN)) == 0;
    sender->on_segment({header->ackno, header->wnd, is_plain, options});
  }
  return ERR_OK;
}

u32_t* crunch_lwip_segment_out(pbuf* segment, tcp_hdr* header, const tcp_pcb* pcb, u32_t* options) {
  Sender* sender = pcb != nullptr ? Sender::of(*pcb) : nullptr;
  if (sender == nullptr) return options;
  const unsigned flags = TCPH_FLAGS(header);
  if ((flags & TCP_SYN) != 0) {
    sender->on_syn();
    return options;
  }
  // What probes a closed window is lwIP's own affair.
  const u32_t bytes = segment->tot_len - TCPH_HDRLEN_BYTES(header) + ((flags & TCP_FIN) != 0);
  const u32_t begin = lwip_ntohl(header->seqno);
  if (bytes > 0 && pcb->persist_backoff == 0) sender->on_transmit({begin, begin + bytes});
  return options;
}

err_t crunch_lwip_tcp_output(tcp_pcb* pcb) {
  Sender* sender = Sender::of(*pcb);
  const bool is_new = pcb->state == SYN_SENT || pcb->state == SYN_RCVD;
  return sender != nullptr && !is_new ? sender->output() : tcp_output(pcb);
}

const ip6_addr_t* crunch_lwip_ipv6_gateway(netif*, const ip6_addr_t*) {
  return Engine::current().interface.ipv6_gateway();
}

}  // extern "C"
