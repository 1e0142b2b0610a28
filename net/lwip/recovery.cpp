// SPDX-License-Identifier: ISC
#include "net/lwip/recovery.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <lwip/pbuf.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/tcp.h>

#include "net/lwip/frame.hpp"
#include "net/lwip/tcp_options.hpp"

namespace net::lwip {

namespace {

// Marks in a segment's flags, of which lwIP 2.2 uses the lower five.
constexpr u8_t has_come = 0x40;
constexpr u8_t was_resent = 0x80;
static_assert(((TF_SEG_OPTS_MSS | TF_SEG_OPTS_TS | TF_SEG_DATA_CHECKSUMMED | TF_SEG_OPTS_WND_SCALE |
                TF_SEG_OPTS_SACK_PERM) &
               (has_come | was_resent)) == 0);

bool is_before(std::uint32_t a, std::uint32_t b) { return TCP_SEQ_LT(a, b); }

std::uint32_t begin_of(const tcp_seg& segment) { return lwip_ntohl(segment.tcphdr->seqno); }
std::uint32_t end_of(const tcp_seg& segment) { return begin_of(segment) + TCP_TCPLEN(&segment); }
bool has(const tcp_seg& segment, u8_t mark) { return (segment.flags & mark) != 0; }

void forget_marks(tcp_seg* segments) {
  for (; segments != nullptr; segments = segments->next) {
    segments->flags = static_cast<u8_t>(segments->flags & ~(has_come | was_resent));
  }
}

}  // namespace

// The blocks of selective acknowledgement among TCP's options.
std::size_t Recovery::read_blocks(base::Bytes options, std::span<Block> blocks) noexcept {
  std::size_t count = 0;
  for (auto each = next_option(options, 0); each;
       each = next_option(options, each->at + each->bytes)) {
    if (each->kind != TcpOption::selective) continue;
    for (std::size_t at = 2; at + 8 <= each->bytes && count < blocks.size(); at += 8) {
      blocks[count++] = {long_at(options, each->at + at), long_at(options, each->at + at + 4)};
    }
  }
  return count;
}

void Recovery::before_segment(tcp_pcb& pcb, std::uint32_t acknowledged, std::uint16_t window,
                              bool has_data, base::Bytes options) noexcept {
  const bool timed_out = (pcb.flags & TF_RTO) != 0;
  if (timed_out != std::exchange(after_timeout_, timed_out)) {
    forget_marks(pcb.unacked);
    forget_marks(pcb.unsent);
    room_given_ = 0;  // lwIP has set the window anew
  }
  if (!is_recovering_ && (pcb.flags & TF_INFR) != 0) {
    is_recovering_ = true;
    until_ = pcb.snd_nxt;
  }
  take_room_back(pcb);
  std::array<Block, 4> blocks;
  const std::size_t count = read_blocks(options, blocks);
  const bool is_new = is_before(pcb.lastack, acknowledged);
  if (is_new) has_gaps_ = count > 0;
  if (count == 0 || pcb.unacked == nullptr) return;
  has_gaps_ = true;
  const bool is_duplicate = acknowledged == pcb.lastack && !has_data;
  // An acknowledgement that only reports later segments is a duplicate, whatever else it says (RFC
  // 6675 section 2). lwIP does not count one that announces another window, as Linux's often do:
  // so it is shown the window as if it were old.
  if (is_duplicate) pcb.snd_wnd = SND_WND_SCALE(&pcb, tcpwnd_size_t{window});
  if (timed_out) return;
  take_blocks(pcb, acknowledged, std::span(blocks).first(count));
  bool is_recovering = (pcb.flags & TF_INFR) != 0;
  if (is_recovering) {
    resend_lost(pcb);
  } else if (is_duplicate) {
    is_recovering = begin(pcb);
  }
  if (is_new) return;  // lwIP moves the window first
  // lwIP counts this one: at the third it begins, which has been done, and above it widens the
  // window by a segment for each, which give_room() knows better.
  if (is_duplicate) pcb.dupacks = is_recovering ? threshold_min - 1 : 0;
  if (is_recovering) pcb.cwnd = pcb.ssthresh;
  give_room(pcb);
}

void Recovery::give_room(tcp_pcb& pcb) noexcept {
  for (const tcp_seg* each = pcb.unacked; each != nullptr; each = each->next) {
    if (has(*each, has_come)) room_given_ += TCP_TCPLEN(each);
  }
  pcb.cwnd += room_given_;
}

void Recovery::take_room_back(tcp_pcb& pcb) noexcept {
  const tcpwnd_size_t given = std::exchange(room_given_, 0);
  if (pcb.cwnd > given) pcb.cwnd -= given;
}

void Recovery::take_blocks(tcp_pcb& pcb, std::uint32_t acknowledged,
                           std::span<const Block> blocks) noexcept {
  // The first block may report what came twice (RFC 2883 section 4).
  const Block& first = blocks.front();
  const bool is_within = blocks.size() > 1 && !is_before(first.from, blocks[1].from) &&
                         !is_before(blocks[1].to, first.to);
  if (is_before(first.from, acknowledged) || is_within) see_doubled(pcb);
  for (tcp_seg* each = pcb.unacked; each != nullptr; each = each->next) {
    for (const Block& block : blocks) {
      if (is_before(begin_of(*each), block.from) || is_before(block.to, end_of(*each))) continue;
      each->flags |= has_come;
    }
  }
}

void Recovery::see_doubled(tcp_pcb& pcb) noexcept {
  if (doubled_count_ >= resent_count_ || ++doubled_count_ < resent_count_) return;
  pcb.cwnd = std::max(pcb.cwnd, static_cast<tcpwnd_size_t>(window_before_));
  // While it recovers lwIP takes the one for the other.
  const bool is_recovering = (pcb.flags & TF_INFR) != 0;
  const std::uint32_t slow_start = is_recovering ? window_before_ : slow_start_before_;
  pcb.ssthresh = std::max(pcb.ssthresh, static_cast<tcpwnd_size_t>(slow_start));
  threshold_ = std::min(threshold_ * 2, threshold_max);
}

unsigned Recovery::threshold_now(const tcp_pcb& pcb) const noexcept {
  unsigned under_way = 0;
  for (const tcp_seg* each = pcb.unacked; each != nullptr; each = each->next) ++under_way;
  if (under_way <= threshold_min && pcb.unsent == nullptr && threshold_ == threshold_min) {
    return under_way - 1;
  }
  return std::min(threshold_, std::max(threshold_min, under_way / 2));
}

// Quiet: whether recovery begins, with the first segment.
bool Recovery::begin(tcp_pcb& pcb) noexcept {
  unsigned came = 0;
  for (const tcp_seg* each = pcb.unacked; each != nullptr; each = each->next) {
    if (has(*each, has_come)) ++came;
  }
  tcp_seg& first = *pcb.unacked;
  const bool is_with_device = first.p->ref != 1;
  if (came == 0 || came < threshold_now(pcb) || is_with_device) return false;
  first.flags |= was_resent;
  first_sent_ = until_ = pcb.snd_nxt;
  is_recovering_ = true;
  resent_count_ = 1;
  doubled_count_ = 0;
  window_before_ = pcb.cwnd;
  slow_start_before_ = pcb.ssthresh;
  tcp_rexmit_fast(&pcb);
  return true;
}

void Recovery::resend_lost(tcp_pcb& pcb) noexcept {
  tcp_seg* const first = pcb.unacked;
  if (first == nullptr) return;
  unsigned above = 0;
  unsigned new_ones = 0;
  for (const tcp_seg* each = first; each != nullptr; each = each->next) {
    if (!has(*each, has_come)) continue;
    ++above;
    if (!is_before(begin_of(*each), first_sent_)) ++new_ones;
  }
  const unsigned threshold = threshold_now(pcb);
  if (has(*first, was_resent) && new_ones >= std::max(threshold, threshold_min)) {
    first->flags = static_cast<u8_t>(first->flags & ~was_resent);
    first_sent_ = pcb.snd_nxt;
  }
  for (tcp_seg** place = &pcb.unacked; *place != nullptr && above >= std::max(threshold, 1U);) {
    if (has(**place, has_come)) --above;
    if (has(**place, has_come | was_resent) || !resend(pcb, place)) place = &(*place)->next;
  }
}

// Moves a segment back in front of what is to be sent. False: the device has it still.
bool Recovery::resend(tcp_pcb& pcb, tcp_seg** place) noexcept {
  tcp_seg* segment = *place;
  if (segment->p->ref != 1) return false;
  *place = segment->next;
  tcp_seg** before = &pcb.unsent;
  while (*before != nullptr && is_before(begin_of(**before), begin_of(*segment))) {
    before = &(*before)->next;
  }
  segment->next = *before;
  *before = segment;
  if (segment->next == nullptr) pcb.unsent_oversize = 0;
  segment->flags |= was_resent;
  pcb.rttest = 0;  // whose acknowledgement comes cannot be told
  ++resent_count_;
  return true;
}

void Recovery::after_acknowledgement(tcp_pcb& pcb) noexcept {
  if (!is_before(pcb.lastack, until_) || pcb.unacked == nullptr || (pcb.flags & TF_RTO) != 0) {
    is_recovering_ = false;
  }
  if (pcb.unacked == nullptr || (pcb.flags & TF_RTO) != 0) return;
  if (!is_recovering_) {
    if (!has_gaps_) return;
    if (begin(pcb)) pcb.cwnd = pcb.ssthresh;
    give_room(pcb);
    return;
  }
  // Only a part of it: what is first now is lost too, if it is not on its way again.
  first_sent_ = pcb.snd_nxt;
  tcp_set_flags(&pcb, TF_INFR);
  pcb.dupacks = threshold_min;
  if (!has(*pcb.unacked, has_come | was_resent)) resend(pcb, &pcb.unacked);
  if (has_gaps_) give_room(pcb);
}

}  // namespace net::lwip
