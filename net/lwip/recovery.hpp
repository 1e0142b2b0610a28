// SPDX-License-Identifier: ISC
// net/lwip/recovery.hpp: which segments of a connection are lost, and when they are sent again.
//
// lwIP alone counts three duplicate acknowledgements, sends one segment again and waits for its
// timer for the others. Here, without a change to it: what selective acknowledgements say (RFC
// 2018) is kept as marks on lwIP's own list of segments, and those that are lost by it are put back
// in front of what it sends (RFC 6675): lwIP sends them as its window lets it, all in one round
// trip. From a peer without them one segment a round trip is repaired (RFC 6582, NewReno).
//
// States:  quiet -> recovering, from the first loss until all that was sent before it is
//          acknowledged -> quiet. After a timeout lwIP sends all again, and nothing is done here.
// Rules:   1. A segment is lost when `threshold_` later ones have come; fewer when fewer are under
//             way and there is nothing more to send (RFC 5827).
//          2. It is sent again once; the first again when segments have come that were sent after.
//          3. What has come is not under way: so much more may be, beyond the window (the "pipe" of
//             RFC 6675). Before recovery begins, that is limited transmit (RFC 3042).
//          4. When the peer had all of them twice (RFC 2883), nothing was lost but overtaken: the
//             window is as before (RFC 3708), and the threshold twice as high.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.hpp"

struct tcp_pcb;
struct tcp_seg;

namespace net::lwip {

class Recovery {
 public:
  // Before lwIP works on a segment from the peer: what it acknowledges, the window that it
  // announces, whether it has data, and its options.
  void before_segment(tcp_pcb& pcb, std::uint32_t acknowledged, std::uint16_t window, bool has_data,
                      base::Bytes options) noexcept;
  // After lwIP took an acknowledgement of something new.
  void after_acknowledgement(tcp_pcb& pcb) noexcept;

 private:
  struct Block {
    std::uint32_t from;
    std::uint32_t to;
  };
  static constexpr unsigned threshold_min = 3;
  static constexpr unsigned threshold_max = 48;

  static std::size_t read_blocks(base::Bytes options, std::span<Block> blocks) noexcept;
  void take_blocks(tcp_pcb& pcb, std::uint32_t acknowledged,
                   std::span<const Block> blocks) noexcept;
  void see_doubled(tcp_pcb& pcb) noexcept;
  [[nodiscard]] unsigned threshold_now(const tcp_pcb& pcb) const noexcept;
  bool begin(tcp_pcb& pcb) noexcept;
  void resend_lost(tcp_pcb& pcb) noexcept;
  bool resend(tcp_pcb& pcb, tcp_seg** place) noexcept;
  // The congestion window is wider by what has come, but while lwIP reckons with it.
  void give_room(tcp_pcb& pcb) noexcept;
  void take_room_back(tcp_pcb& pcb) noexcept;

  bool is_recovering_ = false;
  bool has_gaps_ = false;       // the peer has reported segments that came before others
  bool after_timeout_ = false;  // lwIP sends all again
  unsigned threshold_ = threshold_min;
  std::uint32_t until_ = 0;       // recovering: the end of what had been sent
  std::uint32_t first_sent_ = 0;  // when the first was sent again: what was new then
  unsigned resent_count_ = 0;     // in the last recovery
  unsigned doubled_count_ = 0;    // of them, what the peer had twice
  std::uint32_t room_given_ = 0;  // of the congestion window, for what has come
  std::uint32_t window_before_ = 0;
  std::uint32_t slow_start_before_ = 0;
};

}  // namespace net::lwip
