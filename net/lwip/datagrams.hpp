// SPDX-License-Identifier: ISC
// net/lwip/datagrams.hpp: what of IP is looked at before lwIP reads it: options, and fragments that
// overlap.
//
// Source: RFC 791, RFC 7126 (options), RFC 8200 section 4, RFC 5722 and RFC 7112 (fragments).

#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/bytes.hpp"
#include "base/clock.hpp"

namespace net::lwip {

// Whether the options of an IPv4 packet make sense and ask for nothing that we refuse, which is
// source routing. `packet` may be less than all of it; what is not there is not judged.
[[nodiscard]] bool are_ipv4_options_good(base::Bytes packet) noexcept;
// Whether the options of an IPv6 packet lie within their headers, up to a fragment header.
[[nodiscard]] bool are_ipv6_options_good(base::Bytes packet) noexcept;

// One fragment of IPv6.
struct Fragment {
  std::array<std::uint8_t, 32> ends{};  // both addresses
  std::uint32_t id = 0;
  std::size_t begin = 0;  // of its bytes in the whole
  std::size_t end = 0;
  bool is_last = false;
  unsigned following = 0;  // the header that the first one begins with
};

// Fragments that came lately. A datagram of which two overlap is dropped with all that still comes
// of it (RFC 5722): lwIP would drop the second only.
class Fragments {
 public:
  static constexpr std::size_t fragments_max = 128;
  // As long as lwIP waits for the others.
  static constexpr base::Duration kept = std::chrono::seconds(17);

  // Whether it may be put together with others.
  [[nodiscard]] bool admit(const Fragment& fragment, base::Instant now) noexcept;

 private:
  struct Seen {
    Fragment fragment;
    base::Instant until{};
    bool is_spoiled = false;
  };
  std::array<Seen, fragments_max> seen_{};
  std::size_t next_ = 0;  // a ring
};

}  // namespace net::lwip
