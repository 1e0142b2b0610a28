// SPDX-License-Identifier: ISC
#include "net/lwip/acceptance.hpp"

#include <lwip/priv/tcp_priv.h>
#include <lwip/tcp.h>

namespace net::lwip {

namespace {

Verdict examine_reset(const tcp_pcb& pcb, const Arrived& segment) noexcept {
  if (pcb.state == SYN_SENT) return Verdict::take;  // lwIP looks at what it acknowledges
  if (segment.sequence == pcb.rcv_nxt) return Verdict::take;
  const bool is_in_window = TCP_SEQ_GT(segment.sequence, pcb.rcv_nxt) &&
                            TCP_SEQ_LT(segment.sequence, pcb.rcv_nxt + pcb.rcv_wnd);
  return is_in_window ? Verdict::challenge : Verdict::drop;
}

// By its number and length, against the window.
Verdict examine_place(const tcp_pcb& pcb, const Arrived& segment) noexcept {
  const std::uint32_t window_end = pcb.rcv_nxt + pcb.rcv_wnd;
  const std::uint32_t end = segment.sequence + static_cast<std::uint32_t>(segment.bytes);
  const Verdict refusal = segment.bytes > 0 ? Verdict::answer : Verdict::challenge;
  if (TCP_SEQ_GT(segment.sequence, window_end)) return refusal;
  // What comes before a gap is kept by lwIP as it is: its end must be in the window.
  if (TCP_SEQ_GT(segment.sequence, pcb.rcv_nxt) && TCP_SEQ_GT(end, window_end)) return refusal;
  // An old one without bytes, which lwIP answers: a keep-alive, or one that was overtaken. Only the
  // latter may acknowledge something new.
  const bool is_old = segment.bytes == 0 && (segment.flags & TCP_FIN) == 0 &&
                      TCP_SEQ_LT(segment.sequence, pcb.rcv_nxt);
  if (is_old && TCP_SEQ_LEQ(segment.acknowledged, pcb.lastack)) return Verdict::challenge;
  return Verdict::take;
}

}  // namespace

Verdict examine(const tcp_pcb& pcb, const Arrived& segment) noexcept {
  const unsigned flags = segment.flags;
  if (pcb.state == LISTEN) {
    const bool is_both = (flags & TCP_SYN) != 0 && (flags & TCP_FIN) != 0;
    return is_both && (flags & TCP_RST) == 0 ? Verdict::drop : Verdict::take;
  }
  if (pcb.state == TIME_WAIT) return Verdict::take;
  if ((flags & TCP_RST) != 0) return examine_reset(pcb, segment);
  if (pcb.state == SYN_SENT) return Verdict::take;
  if ((flags & TCP_SYN) != 0) {
    const bool is_repeated = pcb.state == SYN_RCVD && (flags & TCP_ACK) == 0;
    return is_repeated ? Verdict::take : Verdict::challenge;
  }
  if ((flags & TCP_ACK) == 0) return Verdict::drop;
  const Verdict place = examine_place(pcb, segment);
  if (place != Verdict::take) return place;
  if (pcb.state == SYN_RCVD) {
    // lwIP looks at what it acknowledges, and not at its number.
    return TCP_SEQ_LT(segment.sequence, pcb.rcv_nxt) ? Verdict::challenge : Verdict::take;
  }
  if (TCP_SEQ_GT(segment.acknowledged, pcb.snd_nxt)) return Verdict::challenge;
  if (TCP_SEQ_LT(segment.acknowledged, pcb.lastack - pcb.snd_wnd_max)) return Verdict::challenge;
  return Verdict::take;
}

}  // namespace net::lwip
