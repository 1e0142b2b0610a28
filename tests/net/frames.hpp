// SPDX-License-Identifier: ISC
// tests/net/frames.hpp: Ethernet frames as a test makes them, with good checksums.

#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace net::frames {

inline void put_word(std::string& frame, std::size_t at, unsigned value) {
  frame[at] = static_cast<char>(value >> 8U);
  frame[at + 1] = static_cast<char>(value & 0xffU);
}

inline void put_long(std::string& frame, std::size_t at, std::uint32_t value) {
  put_word(frame, at, value >> 16U);
  put_word(frame, at + 2, value & 0xffffU);
}

// RFC 1071, byte by byte.
inline unsigned sum_of(std::string_view bytes, unsigned sum = 0) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    sum += i % 2 == 0 ? unsigned{byte} << 8U : unsigned{byte};
  }
  while (sum > 0xffffU) sum = (sum & 0xffffU) + (sum >> 16U);
  return sum;
}

inline constexpr std::string_view our_mac{"\x02\0\0\0\0\x01", 6};
inline constexpr std::string_view other_mac{"\x02\0\0\0\0\x02", 6};
inline constexpr std::uint32_t our_ipv4 = 0x0a000001;

// An IPv4 packet to 10.0.0.1 in a frame.
struct Ipv4 {
  std::uint32_t from = 0x0a000002;
  unsigned protocol = 6;
  unsigned id = 1;
  unsigned fragment = 0;  // flags and offset
};
inline std::string ipv4(const Ipv4& head, std::string_view payload) {
  std::string frame(34, '\0');
  frame.replace(0, 6, our_mac);
  frame.replace(6, 6, other_mac);
  put_word(frame, 12, 0x0800);
  frame[14] = 0x45;
  put_word(frame, 16, static_cast<unsigned>(20 + payload.size()));
  put_word(frame, 18, head.id);
  put_word(frame, 20, head.fragment);
  frame[22] = 64;
  frame[23] = static_cast<char>(head.protocol);
  put_long(frame, 26, head.from);
  put_long(frame, 30, our_ipv4);
  put_word(frame, 24, ~sum_of(std::string_view(frame).substr(14, 20)) & 0xffffU);
  return frame.append(payload);
}

// An IPv6 packet to fd00::1 in a frame.
inline constexpr std::string_view our_ipv6{"\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01", 16};
inline constexpr std::string_view other_ipv6{"\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x02", 16};
struct Ipv6 {
  std::string_view from = other_ipv6;
  std::string_view to = our_ipv6;
  unsigned protocol = 6;
  unsigned hop_limit = 64;
};
inline std::string ipv6(const Ipv6& head, std::string_view payload) {
  std::string frame(54, '\0');
  frame.replace(0, 6, our_mac);
  frame.replace(6, 6, other_mac);
  put_word(frame, 12, 0x86dd);
  frame[14] = 0x60;
  put_word(frame, 18, static_cast<unsigned>(payload.size()));
  frame[20] = static_cast<char>(head.protocol);
  frame[21] = static_cast<char>(head.hop_limit);
  frame.replace(22, 16, head.from);
  frame.replace(38, 16, head.to);
  return frame.append(payload);
}
// The sum of the pseudo header (RFC 8200 section 8.1).
inline unsigned pseudo_sum(const Ipv6& head, std::size_t payload_bytes) {
  const unsigned start = head.protocol + static_cast<unsigned>(payload_bytes);
  return sum_of(head.to, sum_of(head.from, start));
}

struct Tcp {
  std::uint32_t from = 0x0a000002;
  unsigned from_port = 40000;
  unsigned to_port = 80;
  std::uint32_t sequence = 1;
  std::uint32_t acknowledged = 0;
  unsigned flags = 2;  // SYN
  unsigned window = 65535;
  std::string_view options{};  // a multiple of four bytes
  bool is_ipv6 = false;        // from `other_ipv6` then
};
// Without IP's header and without a checksum.
inline std::string tcp_segment(const Tcp& head, std::string_view payload) {
  std::string segment(20, '\0');
  put_word(segment, 0, head.from_port);
  put_word(segment, 2, head.to_port);
  put_long(segment, 4, head.sequence);
  put_long(segment, 8, head.acknowledged);
  segment[12] = static_cast<char>((5 + head.options.size() / 4) << 4U);
  segment[13] = static_cast<char>(head.flags);
  put_word(segment, 14, head.window);
  segment.append(head.options);
  return segment.append(payload);
}
inline std::string tcp(const Tcp& head, std::string_view payload = {}) {
  std::string segment = tcp_segment(head, payload);
  if (head.is_ipv6) {
    const Ipv6 packet;
    put_word(segment, 16, ~sum_of(segment, pseudo_sum(packet, segment.size())) & 0xffffU);
    return ipv6(packet, segment);
  }
  std::string pseudo(12, '\0');
  put_long(pseudo, 0, head.from);
  put_long(pseudo, 4, our_ipv4);
  pseudo[9] = 6;
  put_word(pseudo, 10, static_cast<unsigned>(segment.size()));
  put_word(segment, 16, ~sum_of(segment, sum_of(pseudo)) & 0xffffU);
  return ipv4({.from = head.from}, segment);
}

// "Who has 10.0.0.1? Tell `from`", or with another `target` somebody else's business.
inline std::string arp_request(std::uint32_t from, std::string_view mac,
                               std::uint32_t target = our_ipv4) {
  std::string frame(42, '\0');
  frame.replace(0, 6, 6, '\xff');
  frame.replace(6, 6, mac);
  put_word(frame, 12, 0x0806);
  put_word(frame, 14, 1);
  put_word(frame, 16, 0x0800);
  put_word(frame, 18, 0x0604);
  put_word(frame, 20, 1);
  frame.replace(22, 6, mac);
  put_long(frame, 28, from);
  put_long(frame, 38, target);
  return frame;
}

}  // namespace net::frames
