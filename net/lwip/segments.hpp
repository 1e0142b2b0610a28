// SPDX-License-Identifier: ISC
// net/lwip/segments.hpp: how long TCP's segments may be, and how lwIP's queues are kept so.
//
// Rule:    TCP is never fragmented. A segment that is too long for its path is cut into shorter
//          ones, and those are sent: when a router says that a packet was too big, and when the
//          MTU of the interface has shrunk. When what a router said has expired they may be longer
//          again.
// Method:  lwIP's own segments stay as they are, since the device may still read them; new ones
//          take their place in `unsent` or `unacked`. Bytes that last are referred to, others
//          copied.
// Owns:    a mark at each pcb: the maximum segment size that its peer announced; and, because there
//          is room, when it was last sent a challenge.
// Source:  RFC 9293 section 3.7, RFC 1191 section 6.4, RFC 8201 section 5.4.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

struct tcp_pcb;
struct tcp_seg;

namespace net::lwip {

// What a peer announced in its SYN: the longest segment that it takes. `announced`: nothing if it
// did not say, which is 536 bytes with IPv4 and 1,220 with IPv6. Less than 48 is taken for 48, as
// Linux does: a peer must not make us send a byte a packet.
void note_announced_segment(tcp_pcb& pcb, std::optional<std::uint16_t> announced) noexcept;

// Whether it is long enough since the last one that a challenge (net/lwip/acceptance.hpp) may go
// out, on a clock of milliseconds. It counts as if it did.
[[nodiscard]] bool may_challenge(tcp_pcb& pcb, std::uint32_t now_ms) noexcept;

// The connection's packets, with IP's header, may have `packet_bytes_max`: from now on, and again
// for all that waits to be sent or to be acknowledged. What was under way and was longer is sent
// again. Without memory some of it stays too long; it is tried again when it is to be sent.
void fit_segments(tcp_pcb& pcb, std::size_t packet_bytes_max) noexcept;

// Before bytes are queued. lwIP makes segments of at most half the largest window that it has seen,
// and stops the machine if the last one that waits is longer. Linux makes none below 48 bytes.
void make_room_at_tail(tcp_pcb& pcb) noexcept;

// Holds back the segments that are to be sent again, as long as bytes or a FIN are queued: lwIP
// would add these to the last of them, which is in the middle of the stream.
class WithoutResent {
 public:
  explicit WithoutResent(tcp_pcb& pcb) noexcept;
  ~WithoutResent();
  WithoutResent(const WithoutResent&) = delete;
  WithoutResent& operator=(const WithoutResent&) = delete;

 private:
  tcp_pcb& pcb_;
  tcp_seg* held_ = nullptr;
};

}  // namespace net::lwip
