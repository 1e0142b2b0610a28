// SPDX-License-Identifier: ISC
// tests/net/offload.hpp: what a device, or the host behind it, does with frames whose checksum is
// to be finished and that are to be cut (net/device.hpp), by the rules, byte by byte: nothing of
// the stack's own arithmetic. A frame that breaks the rules ends the test.

#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "net/device.hpp"
#include "tests/net/frames.hpp"

namespace net::offload {

inline void require(bool good, const char* what) {
  if (good) return;
  std::fprintf(stderr, "a frame that no device could cut or sum: %s\n", what);
  std::abort();
}

inline unsigned get_word(const std::string& frame, std::size_t at) {
  return unsigned{static_cast<unsigned char>(frame[at])} << 8U |
         static_cast<unsigned char>(frame[at + 1]);
}

// RFC 1071 from `from` to the end.
inline void finish_checksum(std::string& frame, const ChecksumRequest& request) {
  const unsigned sum = frames::sum_of(std::string_view(frame).substr(request.from));
  frames::put_word(frame, std::size_t{request.from} + request.field, ~sum & 0xffffU);
}

// The sum of TCP's pseudo header, for a segment of `tcp_bytes` (RFC 9293 section 3.1).
inline unsigned pseudo_sum(const std::string& frame, bool is_ipv4, std::size_t tcp_bytes) {
  const std::string_view addresses =
      is_ipv4 ? std::string_view(frame).substr(26, 8) : std::string_view(frame).substr(22, 32);
  return frames::sum_of(addresses, 6 + static_cast<unsigned>(tcp_bytes));
}

// The frames that go over the wire for `whole`, which is frame's pieces joined.
inline std::vector<std::string> cut(std::string whole, const FrameOut& frame,
                                    std::size_t payload_bytes_max) {
  if (frame.segment_bytes == 0) {
    if (frame.checksum) finish_checksum(whole, *frame.checksum);
    return {std::move(whole)};
  }
  require(frame.checksum.has_value() && frame.checksum->field == 16, "no checksum is asked for");
  const std::size_t tcp = frame.checksum->from;
  const std::size_t payload = tcp + (static_cast<unsigned char>(whole[tcp + 12]) >> 4U) * 4U;
  require(!frame.pieces.empty() && frame.pieces[0].size() >= payload,
          "headers are not in the first piece");
  const std::size_t total = whole.size() - payload;
  require(total <= payload_bytes_max, "more than was offered");
  require(total > frame.segment_bytes, "one segment only");
  const bool is_ipv4 = get_word(whole, 12) == 0x0800;
  require(get_word(whole, is_ipv4 ? 16 : 18) == whole.size() - (is_ipv4 ? 14 : 54),
          "the length is not that of the whole");
  require(!is_ipv4 || frames::sum_of(std::string_view(whole).substr(14, tcp - 14)) == 0xffffU,
          "IPv4's checksum is wrong");
  require(get_word(whole, tcp + 16) == pseudo_sum(whole, is_ipv4, whole.size() - tcp),
          "not the sum of the pseudo header");
  std::vector<std::string> frames_out;
  for (std::size_t at = 0; at < total; at += frame.segment_bytes) {
    const bool is_last = at + frame.segment_bytes >= total;
    std::string one = whole.substr(0, payload) + whole.substr(payload + at, frame.segment_bytes);
    const std::uint32_t sequence = get_word(whole, tcp + 4) << 16U | get_word(whole, tcp + 6);
    frames::put_long(one, tcp + 4, sequence + static_cast<std::uint32_t>(at));
    if (!is_last) one[tcp + 13] &= static_cast<char>(~9);  // PSH and FIN are of the last
    frames::put_word(one, is_ipv4 ? 16 : 18,
                     static_cast<unsigned>(one.size() - (is_ipv4 ? 14 : 54)));
    if (is_ipv4) {
      frames::put_word(one, 18, (get_word(whole, 18) + frames_out.size()) & 0xffffU);
      frames::put_word(one, 24, 0);
      const unsigned sum = frames::sum_of(std::string_view(one).substr(14, tcp - 14));
      frames::put_word(one, 24, ~sum & 0xffffU);
    }
    frames::put_word(one, tcp + 16, pseudo_sum(one, is_ipv4, one.size() - tcp));
    finish_checksum(one, *frame.checksum);
    frames_out.push_back(std::move(one));
  }
  return frames_out;
}

}  // namespace net::offload
