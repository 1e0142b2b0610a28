// SPDX-License-Identifier: ISC
// tests/net/mirror.hpp: a wire on which a stack meets itself, as another host.
//
// Method:  the two ends of a connection are the same stack. The mirror swaps sender and receiver of
//          every frame: what the stack at A sends to B comes back from B to A. ARP, IPv4, TCP and
//          UDP keep their checksums under the swap; only neighbour discovery has addresses inside,
//          and its checksum is made anew.

#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>

#include "net/device.hpp"

namespace net {

class Mirror {
 public:
  // `real` is the stack's own MAC, `other` the one that it shall see in the mirror. IPv6 addresses
  // swap their last bytes in the same way: `real6` and `other6`.
  struct Ends {
    Mac real;
    Mac other;
    std::array<std::uint8_t, 4> real4;
    std::array<std::uint8_t, 4> other4;
    std::array<std::uint8_t, 16> real6;
    std::array<std::uint8_t, 16> other6;
  };
  explicit Mirror(const Ends& ends) : ends_(ends) {}

  // What comes back for a frame that was sent; empty: nothing.
  [[nodiscard]] std::string reflect(std::string frame) const {
    if (frame.size() < 42) return {};
    swap_macs(frame);
    const unsigned type = word(frame, 12);
    if (type == 0x0806) {
      // Sender and target, each a MAC and an address: an announcement has both the same.
      swap_all(frame, 22);
      return frame;
    }
    if (type == 0x0800) {
      // Only what was sent to the other end: there is nobody else.
      if (frame.compare(30, 4, text(ends_.other4)) != 0) return {};
      swap_bytes(frame, 26, 30, 4);
      return frame;
    }
    if (type == 0x86dd && frame.size() >= 54) return reflect_ipv6(std::move(frame));
    return {};
  }

 private:
  template <std::size_t N>
  static std::string text(const std::array<std::uint8_t, N>& bytes) {
    return {bytes.begin(), bytes.end()};
  }
  static unsigned word(const std::string& frame, std::size_t at) {
    return unsigned{static_cast<unsigned char>(frame[at])} << 8U |
           static_cast<unsigned char>(frame[at + 1]);
  }
  static void swap_bytes(std::string& frame, std::size_t a, std::size_t b, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) std::swap(frame[a + i], frame[b + i]);
  }

  // The two MACs in the Ethernet header; one sent to all comes from the other end.
  void swap_macs(std::string& frame) const {
    if ((static_cast<unsigned char>(frame[0]) & 1U) != 0) {
      frame.replace(6, 6, text(ends_.other));
    } else {
      swap_bytes(frame, 0, 6, 6);
    }
  }

  // From `at` on, each end's MAC and addresses become the other's.
  void swap_all(std::string& frame, std::size_t at) const {
    swap_pair(frame, at, text(ends_.real), text(ends_.other));
    swap_pair(frame, at, text(ends_.real4), text(ends_.other4));
    swap_pair(frame, at, text(ends_.real6), text(ends_.other6));
  }
  static void swap_pair(std::string& frame, std::size_t from, const std::string& one,
                        const std::string& two) {
    for (std::size_t i = from; i + one.size() <= frame.size();) {
      const bool is_one = frame.compare(i, one.size(), one) == 0;
      const bool is_two = !is_one && frame.compare(i, two.size(), two) == 0;
      if (is_one) frame.replace(i, one.size(), two);
      if (is_two) frame.replace(i, two.size(), one);
      i += is_one || is_two ? one.size() : 1;
    }
  }

  [[nodiscard]] std::string reflect_ipv6(std::string frame) const {
    const bool is_icmp = frame[20] == 58;
    const bool is_to_other = frame.compare(38, 16, text(ends_.other6)) == 0;
    // Of ICMP only solicitations and advertisements of neighbours, with hop limit 255.
    if (!is_icmp) {
      if (!is_to_other) return {};
      swap_bytes(frame, 22, 38, 16);
      return frame;
    }
    if (frame.size() < 78) return {};
    const int kind = static_cast<unsigned char>(frame[54]);
    const std::string unspecified(16, '\0');
    if ((kind != 135 && kind != 136) || frame.compare(22, 16, unspecified) == 0) return {};
    const bool is_multicast = static_cast<unsigned char>(frame[38]) == 0xff;
    const std::string to = frame.substr(38, 16);
    swap_all(frame, 22);
    if (is_multicast) {
      // The solicited-node group of the target, whose last three bytes are the target's.
      frame.replace(38, 16, to);
      frame.replace(51, 3, frame.substr(75, 3));
      frame.replace(3, 3, frame.substr(75, 3));
    }
    fix_icmp6(frame);
    return frame;
  }

  static void fix_icmp6(std::string& frame) {
    frame[56] = frame[57] = 0;
    unsigned sum = 58 + static_cast<unsigned>(frame.size() - 54);
    for (std::size_t i = 22; i < frame.size(); ++i) {
      const auto byte = static_cast<unsigned char>(frame[i]);
      sum += i % 2 == 0 ? unsigned{byte} << 8U : unsigned{byte};
    }
    while (sum > 0xffffU) sum = (sum & 0xffffU) + (sum >> 16U);
    sum = ~sum & 0xffffU;
    frame[56] = static_cast<char>(sum >> 8U);
    frame[57] = static_cast<char>(sum & 0xffU);
  }

  Ends ends_;
};

}  // namespace net
