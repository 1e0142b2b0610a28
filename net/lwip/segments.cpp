// SPDX-License-Identifier: ISC
#include "net/lwip/segments.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include <lwip/memp.h>
#include <lwip/pbuf.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/tcp.h>

#include "base/check.hpp"
#include "net/lwip/acceptance.hpp"
#include "net/lwip/ext_args.hpp"
#include "net/lwip/port/hooks.h"

namespace net::lwip {

namespace {

constexpr std::size_t ipv4_and_tcp_bytes = 40;
constexpr std::size_t ipv6_and_tcp_bytes = 60;
constexpr std::uint16_t announced_min = 48;  // Linux: TCP_MIN_SND_MSS
constexpr std::uint16_t announced_by_none_ipv4 = 536;
constexpr std::uint16_t announced_by_none_ipv6 = 1220;

// What a pcb carries: in the lower half what its peer announced, 0 if that is not known yet; in the
// upper half the time of the last challenge, 0 for never.
struct Mark {
  std::uint32_t announced = 0;
  std::uint32_t challenged_ms = 0;
};

Mark mark_of(const tcp_pcb& pcb) {
  const auto bits = reinterpret_cast<std::uintptr_t>(tcp_ext_arg_get(&pcb, segments_arg));
  return std::bit_cast<Mark>(std::uint64_t{bits});
}

void set_mark(tcp_pcb& pcb, const Mark& mark) {
  const auto bits = static_cast<std::uintptr_t>(std::bit_cast<std::uint64_t>(mark));
  tcp_ext_arg_set(&pcb, segments_arg, reinterpret_cast<void*>(bits));
}

// Whether the bytes of a piece are elsewhere and last until they are acknowledged.
bool is_reference(const pbuf& piece) {
  constexpr unsigned own = PBUF_TYPE_FLAG_STRUCT_DATA_CONTIGUOUS | PBUF_TYPE_FLAG_DATA_VOLATILE;
  return (piece.type_internal & own) == 0;
}

// Some of a segment's bytes, behind room for headers. Null: no memory.
pbuf* part_of(const tcp_seg& segment, std::size_t from, std::size_t count) noexcept {
  pbuf* part = pbuf_alloc(PBUF_TRANSPORT, 0, PBUF_RAM);
  std::size_t skip = std::size_t{segment.p->tot_len} - segment.len + from;
  for (const pbuf* each = segment.p; part != nullptr && count > 0; each = each->next) {
    CHECK(each != nullptr);
    if (skip >= each->len) {
      skip -= each->len;
      continue;
    }
    auto* bytes = static_cast<std::byte*>(each->payload) + skip;
    const auto size = static_cast<u16_t>(std::min(each->len - skip, count));
    pbuf* more = is_reference(*each) ? pbuf_alloc_reference(bytes, size, PBUF_ROM)
                                     : pbuf_alloc(PBUF_RAW, size, PBUF_RAM);
    if (more == nullptr) {
      pbuf_free(part);
      return nullptr;
    }
    if (!is_reference(*each)) std::memcpy(more->payload, bytes, size);
    pbuf_cat(part, more);
    count -= size;
    skip = 0;
  }
  return part;
}

// A segment of its own of some of `segment`'s bytes. Null: no memory.
tcp_seg* segment_of(const tcp_seg& segment, std::size_t from, std::size_t count) noexcept {
  pbuf* part = part_of(segment, from, count);
  if (part == nullptr) return nullptr;
  auto* made = static_cast<tcp_seg*>(memp_malloc(MEMP_TCP_SEG));
  if (made == nullptr) {
    pbuf_free(part);
    return nullptr;
  }
  *made = segment;
  made->next = nullptr;
  made->p = part;
  made->len = static_cast<u16_t>(count);
  pbuf_add_header(part, TCP_HLEN);
  made->tcphdr = static_cast<tcp_hdr*>(part->payload);
  *made->tcphdr = *segment.tcphdr;
  made->tcphdr->seqno = lwip_htonl(lwip_ntohl(segment.tcphdr->seqno) + static_cast<u32_t>(from));
  // What ends the stream, or a write, is in the last one.
  const bool is_last = from + count == segment.len;
  const unsigned ends = is_last ? 0 : unsigned{TCP_FIN | TCP_PSH};
  TCPH_HDRLEN_FLAGS_SET(made->tcphdr, TCP_HLEN / 4, TCPH_FLAGS(segment.tcphdr) & ~ends);
  return made;
}

struct Chain {
  tcp_seg* first = nullptr;
  tcp_seg* last = nullptr;
};

// The same bytes in segments of at most `bytes_max`. Nothing: no memory.
Chain cut(const tcp_seg& segment, std::size_t bytes_max) noexcept {
  Chain chain;
  for (std::size_t from = 0; from < segment.len;) {
    const std::size_t count = std::min(segment.len - from, bytes_max);
    tcp_seg* made = segment_of(segment, from, count);
    if (made == nullptr) {
      tcp_segs_free(chain.first);
      return {};
    }
    (chain.first == nullptr ? chain.first : chain.last->next) = made;
    chain.last = made;
    from += count;
  }
  return chain;
}

// Takes a segment out of its queue and counts those that replace it.
void account(tcp_pcb& pcb, tcp_seg* before, const Chain& after) noexcept {
  std::size_t pieces = std::size_t{pcb.snd_queuelen} - pbuf_clen(before->p);
  for (const tcp_seg* each = after.first; each != nullptr; each = each->next) {
    pieces += pbuf_clen(each->p);
  }
  CHECK(pieces <= 0xffff);  // 2 MiB in segments of 512 bytes and more are far from it
  pcb.snd_queuelen = static_cast<u16_t>(pieces);
  tcp_seg_free(before);
}

std::uint32_t begin_of(const tcp_seg& segment) { return lwip_ntohl(segment.tcphdr->seqno); }

// Cuts what is too long in a queue, `unsent` or `unacked`. What was under way has been lost: it is
// to be sent again. False: some of it is still too long.
bool cut_all(tcp_pcb& pcb, tcp_seg*& queue, std::size_t bytes_max) noexcept {
  const bool is_under_way = &queue == &pcb.unacked;
  bool all = true;
  for (tcp_seg** place = &queue; *place != nullptr;) {
    tcp_seg* segment = *place;
    const Chain parts = segment->len > bytes_max ? cut(*segment, bytes_max) : Chain{};
    if (parts.first == nullptr) {
      all = all && segment->len <= bytes_max;
      place = &segment->next;
      continue;
    }
    *place = segment->next;
    account(pcb, segment, parts);
    tcp_seg** into = is_under_way ? &pcb.unsent : place;
    while (*into != nullptr && TCP_SEQ_LT(begin_of(**into), begin_of(*parts.first))) {
      into = &(*into)->next;
    }
    parts.last->next = *into;
    *into = parts.first;
    if (is_under_way) {
      pcb.rttest = 0;  // whose acknowledgement comes cannot be told
      if (pcb.rtime < 0) pcb.rtime = 0;
    } else {
      place = &parts.last->next;
    }
  }
  return all;
}

tcp_seg* last_of(tcp_seg* segments) {
  while (segments->next != nullptr) segments = segments->next;
  return segments;
}

}  // namespace

void note_announced_segment(tcp_pcb& pcb, std::optional<std::uint16_t> announced) noexcept {
  const bool is_v6 = IP_IS_V6_VAL(pcb.remote_ip);
  const std::uint16_t by_none = is_v6 ? announced_by_none_ipv6 : announced_by_none_ipv4;
  Mark mark = mark_of(pcb);
  mark.announced = std::max(announced.value_or(by_none), announced_min);
  set_mark(pcb, mark);
}

bool may_challenge(tcp_pcb& pcb, std::uint32_t now_ms) noexcept {
  constexpr auto interval = static_cast<std::uint32_t>(challenge_interval.count() / 1'000'000);
  Mark mark = mark_of(pcb);
  if (mark.challenged_ms != 0 && now_ms - mark.challenged_ms < interval) return false;
  mark.challenged_ms = std::max(now_ms, std::uint32_t{1});
  set_mark(pcb, mark);
  return true;
}

void fit_segments(tcp_pcb& pcb, std::size_t packet_bytes_max) noexcept {
  const std::size_t announced = mark_of(pcb).announced;
  if (announced == 0) return;
  const std::size_t headers = IP_IS_V6_VAL(pcb.remote_ip) ? ipv6_and_tcp_bytes : ipv4_and_tcp_bytes;
  const std::size_t bytes_max =
      std::min({announced, packet_bytes_max - headers, std::size_t{TCP_MSS}});
  const bool unsent = cut_all(pcb, pcb.unsent, bytes_max);
  const bool unacked = cut_all(pcb, pcb.unacked, bytes_max);
  if (!unsent || !unacked) return;  // lwIP counts on it that none is longer than `mss`
  pcb.mss = static_cast<u16_t>(bytes_max);
  pcb.unsent_oversize = 0;
  if (pcb.state >= ESTABLISHED) crunch_lwip_tcp_output(&pcb);
}

void make_room_at_tail(tcp_pcb& pcb) noexcept {
  std::size_t tail = announced_min;
  if (pcb.unsent != nullptr) {
    tail = std::max<std::size_t>(tail, last_of(pcb.unsent)->len + pcb.unsent_oversize);
  }
  pcb.snd_wnd_max = std::max<tcpwnd_size_t>(pcb.snd_wnd_max, static_cast<tcpwnd_size_t>(2 * tail));
}

WithoutResent::WithoutResent(tcp_pcb& pcb) noexcept : pcb_(pcb) {
  if (pcb.unsent == nullptr) return;
  const tcp_seg& last = *last_of(pcb.unsent);
  if (begin_of(last) + TCP_TCPLEN(&last) == pcb.snd_lbb) return;
  held_ = std::exchange(pcb.unsent, nullptr);
  pcb.unsent_oversize = 0;
}

WithoutResent::~WithoutResent() {
  if (held_ == nullptr) return;
  last_of(held_)->next = pcb_.unsent;
  pcb_.unsent = held_;
}

}  // namespace net::lwip
