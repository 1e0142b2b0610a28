// SPDX-License-Identifier: ISC
// net/lwip/frame.hpp: Ethernet frames as bytes: what kind they are, and where things are in them.
//
// Source: IEEE 802.3, RFC 791, RFC 8200, RFC 9293.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.hpp"
#include "net/device.hpp"

namespace net::lwip {

inline constexpr std::size_t ethertype_at = 12;
inline constexpr std::uint16_t type_ipv4 = 0x0800;
inline constexpr std::uint16_t type_arp = 0x0806;
inline constexpr std::uint16_t type_ipv6 = 0x86dd;

// In the network's order.
[[nodiscard]] std::uint16_t word_at(base::Bytes bytes, std::size_t at) noexcept;
[[nodiscard]] std::uint32_t long_at(base::Bytes bytes, std::size_t at) noexcept;
void put_word(base::MutableBytes bytes, std::size_t at, std::size_t value) noexcept;

// A frame that is only more of TCP: it changes no table but TCP's.
[[nodiscard]] bool is_plain_tcp(base::Bytes frame) noexcept;
[[nodiscard]] bool is_fragment(base::Bytes frame) noexcept;

// A TCP segment with a payload and without SYN, RST and URG; all headers were in the first piece.
struct Segment {
  bool is_ipv4 = false;
  bool ends_burst = false;        // it has PSH or FIN, which the segments before it must not have
  std::size_t tcp_at = 0;         // where TCP's header begins
  std::size_t payload_at = 0;     // and where it ends
  std::size_t payload_bytes = 0;  // of the whole frame
  std::uint32_t sequence = 0;
};
// `first`: the frame's first piece; `frame_bytes`: its length. Nothing: it is something else.
[[nodiscard]] std::optional<Segment> read_segment(base::Bytes first,
                                                  std::size_t frame_bytes) noexcept;

// Sets "don't fragment" in a TCP frame of IPv4, and corrects the header's checksum.
void forbid_fragments(base::MutableBytes first) noexcept;

// For a TCP frame to a device that sums: where the checksum is to be. Its field is given the sum of
// the pseudo header. Nothing: not TCP.
[[nodiscard]] std::optional<ChecksumRequest> ask_for_checksum(base::MutableBytes first,
                                                              std::size_t frame_bytes) noexcept;

}  // namespace net::lwip
