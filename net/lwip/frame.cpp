// SPDX-License-Identifier: ISC
#include "net/lwip/frame.hpp"

#include <array>
#include <cstring>

#include "net/lwip/checksum.hpp"

namespace net::lwip {

namespace {

constexpr std::byte protocol_tcp{6};
constexpr std::size_t ipv6_header_bytes = 40;
constexpr std::size_t tcp_header_bytes = 20;

unsigned byte_at(base::Bytes bytes, std::size_t at) noexcept {
  return std::to_integer<unsigned>(bytes[at]);
}

// Where TCP's header begins in a frame that is_plain_tcp.
std::size_t tcp_of(base::Bytes frame, bool is_ipv4) noexcept {
  return ethernet_header_bytes +
         (is_ipv4 ? std::size_t{byte_at(frame, ethernet_header_bytes) & 0xfU} * 4
                  : ipv6_header_bytes);
}

}  // namespace

std::uint16_t word_at(base::Bytes bytes, std::size_t at) noexcept {
  return static_cast<std::uint16_t>(byte_at(bytes, at) << 8U | byte_at(bytes, at + 1));
}

std::uint32_t long_at(base::Bytes bytes, std::size_t at) noexcept {
  return std::uint32_t{word_at(bytes, at)} << 16U | word_at(bytes, at + 2);
}

void put_word(base::MutableBytes bytes, std::size_t at, std::size_t value) noexcept {
  bytes[at] = static_cast<std::byte>(value >> 8U & 0xffU);
  bytes[at + 1] = static_cast<std::byte>(value & 0xffU);
}

bool is_plain_tcp(base::Bytes frame) noexcept {
  if (frame.size() < 54) return false;
  const std::uint16_t type = word_at(frame, ethertype_at);
  if (type == type_ipv6) return frame[20] == protocol_tcp;
  // No fragment: neither an offset nor "more".
  return type == type_ipv4 && frame[23] == protocol_tcp && (word_at(frame, 20) & 0x3fffU) == 0;
}

bool is_fragment(base::Bytes frame) noexcept {
  if (frame.size() < 55) return false;
  const std::uint16_t type = word_at(frame, ethertype_at);
  if (type == type_ipv4) return (word_at(frame, 20) & 0x3fffU) != 0;
  constexpr std::byte fragment_header{44};
  constexpr std::byte hop_by_hop{0};  // which a fragment header may follow
  return type == type_ipv6 && (frame[20] == fragment_header ||
                               (frame[20] == hop_by_hop && frame[54] == fragment_header));
}

std::optional<Segment> read_segment(base::Bytes first, std::size_t frame_bytes) noexcept {
  if (!is_plain_tcp(first)) return {};
  Segment segment;
  segment.is_ipv4 = word_at(first, ethertype_at) == type_ipv4;
  segment.tcp_at = tcp_of(first, segment.is_ipv4);
  if (first.size() < segment.tcp_at + tcp_header_bytes) return {};
  segment.payload_at = segment.tcp_at + std::size_t{byte_at(first, segment.tcp_at + 12) >> 4U} * 4;
  if (first.size() < segment.payload_at || frame_bytes <= segment.payload_at) return {};
  segment.payload_bytes = frame_bytes - segment.payload_at;
  constexpr unsigned fin = 1;
  constexpr unsigned push = 8;
  constexpr unsigned acknowledges = 16;
  const unsigned flags = byte_at(first, segment.tcp_at + 13);
  if ((flags & ~(fin | push)) != acknowledges) return {};
  segment.ends_burst = (flags & (fin | push)) != 0;
  segment.sequence = long_at(first, segment.tcp_at + 4);
  return segment;
}

void forbid_fragments(base::MutableBytes first) noexcept {
  constexpr std::size_t flags_at = ethernet_header_bytes + 6;
  constexpr std::size_t checksum_at = ethernet_header_bytes + 10;
  constexpr unsigned dont_fragment = 0x4000;
  const unsigned flags = word_at(first, flags_at);
  if (word_at(first, ethertype_at) != type_ipv4 || (flags & dont_fragment) != 0) return;
  put_word(first, flags_at, flags | dont_fragment);
  // RFC 1624: the sum of the header is as much larger as the field is.
  const unsigned sum = (~unsigned{word_at(first, checksum_at)} & 0xffffU) + dont_fragment;
  put_word(first, checksum_at, ~(sum + (sum >> 16U)));
}

std::optional<ChecksumRequest> ask_for_checksum(base::MutableBytes first,
                                                std::size_t frame_bytes) noexcept {
  if (!is_plain_tcp(first)) return {};
  const bool is_ipv4 = word_at(first, ethertype_at) == type_ipv4;
  const std::size_t from = tcp_of(first, is_ipv4);
  constexpr std::size_t field = 16;
  if (first.size() < from + field + 2) return {};
  const base::Bytes addresses = is_ipv4 ? first.subspan(26, 8) : first.subspan(22, 32);
  // Sums are of words as they stand in memory, so these two are put there first.
  std::array<std::byte, 4> rest{std::byte{0}, protocol_tcp};
  put_word(rest, 2, frame_bytes - from);
  std::uint32_t sum = std::uint32_t{checksum(addresses)} + checksum(rest);
  sum = (sum & 0xffffU) + (sum >> 16U);
  const auto folded = static_cast<std::uint16_t>(sum);
  std::memcpy(first.data() + from + field, &folded, sizeof folded);
  return ChecksumRequest{static_cast<std::uint16_t>(from), static_cast<std::uint16_t>(field)};
}

}  // namespace net::lwip
