// SPDX-License-Identifier: ISC
// tests/net/router.hpp: a router on the wire, whose MTU may change: a packet that is too big for it
// is lost, and its sender is told (RFC 1191, RFC 8201).

#pragma once

#include <algorithm>
#include <cstddef>
#include <string>

#include "tests/net/frames.hpp"
#include "tests/net/offload.hpp"

namespace net {

class Router {
 public:
  std::size_t mtu_bytes = 65'535;
  bool tells = true;                // false: a black hole
  std::size_t lost_count = 0;       // what was too big
  std::size_t divisible_count = 0;  // TCP packets of IPv4 that it might have cut: none may be

  // Whether the frame passes. If not, `message` is for its sender, or empty.
  bool passes(const std::string& frame, std::string& message) {
    message.clear();
    const unsigned type = offload::get_word(frame, 12);
    if (type != 0x0800 && type != 0x86dd) return true;
    const bool is_ipv6 = type == 0x86dd;
    const std::size_t tcp_at = is_ipv6 ? 20 : 23;
    const bool is_tcp = frame.size() > 54 && frame[tcp_at] == 6;
    if (is_tcp && !is_ipv6 && offload::get_word(frame, 20) != 0x4000) ++divisible_count;
    if (is_ipv6 && frame[20] == 44) ++divisible_count;
    // What a wire has added at the end is not IP's.
    const std::size_t bytes = offload::get_word(frame, is_ipv6 ? 18 : 16) + (is_ipv6 ? 40U : 0U);
    if (std::min(frame.size() - 14, bytes) <= mtu_bytes) return true;
    ++lost_count;
    if (tells) message = too_big(frame, is_ipv6);
    return false;
  }

  [[nodiscard]] std::string too_big(const std::string& frame, bool is_ipv6) const {
    std::string icmp(8, '\0');
    icmp[0] = is_ipv6 ? 2 : 3;
    icmp[1] = is_ipv6 ? 0 : 4;
    frames::put_word(icmp, 6, static_cast<unsigned>(mtu_bytes));
    icmp += frame.substr(14, is_ipv6 ? 600 : 28);
    std::string back;
    if (is_ipv6) {
      const std::string to = frame.substr(22, 16);
      const frames::Ipv6 head{.to = to, .protocol = 58};
      frames::put_word(icmp, 2,
                       ~frames::sum_of(icmp, frames::pseudo_sum(head, icmp.size())) & 0xffffU);
      back = frames::ipv6(head, icmp);
    } else {
      frames::put_word(icmp, 2, ~frames::sum_of(icmp) & 0xffffU);
      back = frames::ipv4({.from = 0x0a0000fe, .protocol = 1}, icmp);
    }
    return back.replace(0, 6, frame.substr(6, 6));
  }
};

}  // namespace net
