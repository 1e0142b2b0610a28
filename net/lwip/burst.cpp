// SPDX-License-Identifier: ISC
#include "net/lwip/burst.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include <lwip/pbuf.h>

#include "base/check.hpp"
#include "net/lwip/checksum.hpp"

namespace net::lwip {

namespace {

constexpr std::size_t ip_at = ethernet_header_bytes;
constexpr std::size_t ipv4_length_at = ip_at + 2;
constexpr std::size_t ipv4_id_at = ip_at + 4;
constexpr std::size_t ipv4_checksum_at = ip_at + 10;
constexpr std::size_t ipv6_length_at = ip_at + 4;
constexpr std::size_t ipv6_header_bytes = 40;
constexpr std::size_t sequence_in_tcp = 4;
constexpr std::size_t flags_in_tcp = 13;
constexpr std::size_t checksum_in_tcp = 16;
constexpr std::byte push_and_fin{8 | 1};
constexpr std::size_t ip_bytes_max = 0xffff;

base::Bytes payload_of(const pbuf& piece) {
  return {static_cast<const std::byte*>(piece.payload), piece.len};
}

}  // namespace

Burst::Header Burst::common(base::Bytes header, const Segment& segment) noexcept {
  Header common{};
  std::copy_n(header.begin(), segment.payload_at, common.begin());
  if (segment.is_ipv4) {
    for (std::size_t at : {ipv4_length_at, ipv4_id_at, ipv4_checksum_at}) put_word(common, at, 0);
  } else {
    put_word(common, ipv6_length_at, 0);
  }
  for (std::size_t at : {sequence_in_tcp, sequence_in_tcp + 2, checksum_in_tcp}) {
    put_word(common, segment.tcp_at + at, 0);
  }
  common[segment.tcp_at + flags_in_tcp] &= ~push_and_fin;
  return common;
}

bool Burst::is_next(const Header& its_common, const Segment& segment) const noexcept {
  const std::size_t after = payload_bytes_ + segment.payload_bytes;
  return !is_over_ && count_ < segments_max && segment.payload_at == first_.payload_at &&
         segment.payload_bytes <= first_.payload_bytes &&
         segment.sequence == first_.sequence + static_cast<std::uint32_t>(payload_bytes_) &&
         after <= payload_bytes_max_ && after + first_.payload_at - ip_at <= ip_bytes_max &&
         std::memcmp(its_common.data(), common_.data(), segment.payload_at) == 0;
}

bool Burst::add_pieces(const pbuf& frame, std::size_t skip) noexcept {
  const std::size_t pieces_before = piece_count_;
  const base::Bytes last_before = piece_count_ > 0 ? pieces_[piece_count_ - 1] : base::Bytes{};
  for (const pbuf* each = &frame; each != nullptr; each = each->next) {
    const base::Bytes piece = payload_of(*each).subspan(std::exchange(skip, 0));
    if (piece.empty()) continue;
    base::Bytes& last = pieces_[piece_count_ - 1];
    if (piece_count_ > 1 && last.data() + last.size() == piece.data()) {
      last = {last.data(), last.size() + piece.size()};
    } else if (piece_count_ < pieces_max) {
      pieces_[piece_count_++] = piece;
    } else {
      piece_count_ = pieces_before;
      pieces_[piece_count_ - 1] = last_before;
      return false;
    }
  }
  return true;
}

bool Burst::take(pbuf& frame, const Segment& segment) noexcept {
  const base::Bytes header = payload_of(frame).first(segment.payload_at);
  const Header its_common = common(header, segment);
  if (is_empty()) {
    first_ = segment;
    common_ = its_common;
    std::ranges::copy(header, header_.begin());
    pieces_[0] = base::Bytes(header_).first(header.size());
    piece_count_ = 1;
  } else if (!is_next(its_common, segment)) {
    return false;
  }
  if (!add_pieces(frame, segment.payload_at)) return false;
  pbuf_ref(&frame);
  frames_[count_++] = &frame;
  payload_bytes_ += segment.payload_bytes;
  last_flags_ = header[segment.tcp_at + flags_in_tcp];
  is_over_ = segment.ends_burst || segment.payload_bytes < first_.payload_bytes;
  return true;
}

FrameOut Burst::frame() noexcept {
  CHECK(count_ > 1);
  const base::MutableBytes header = base::MutableBytes(header_).first(first_.payload_at);
  const std::size_t ip_bytes = first_.payload_at - ip_at + payload_bytes_;
  if (first_.is_ipv4) {
    put_word(header, ipv4_length_at, ip_bytes);
    put_word(header, ipv4_checksum_at, 0);
    const base::Bytes ip = header.subspan(ip_at, first_.tcp_at - ip_at);
    const auto sum = static_cast<std::uint16_t>(~checksum(ip));
    std::memcpy(&header[ipv4_checksum_at], &sum, sizeof sum);
  } else {
    put_word(header, ipv6_length_at, ip_bytes - ipv6_header_bytes);
  }
  header[first_.tcp_at + flags_in_tcp] = last_flags_;
  return {.pieces = std::span(pieces_).first(piece_count_),
          .checksum = ask_for_checksum(header, ip_at + ip_bytes),
          .segment_bytes = static_cast<std::uint16_t>(first_.payload_bytes)};
}

void Burst::forget() noexcept {
  for (std::size_t i = 0; i < count_; ++i) pbuf_free(frames_[i]);
  count_ = 0;
  payload_bytes_ = 0;
  is_over_ = false;
}

}  // namespace net::lwip
