// SPDX-License-Identifier: ISC
// net/lwip/icmp_rate.hpp: how many ICMP errors are sent (RFC 4443 section 2.4 (f), RFC 1812 section
// 4.3.2.8): whoever sends packets that cannot be delivered must not get one for each, nor have
// them sent to others by a forged address.
//
// Method:  a token bucket, of all errors to all hosts together, as large and as fast as Linux's
//          (icmp_msgs_burst, icmp_msgs_per_sec).

#pragma once

#include <algorithm>
#include <chrono>

#include "base/clock.hpp"

namespace net::lwip {

class IcmpRate {
 public:
  static constexpr int burst = 50;
  static constexpr base::Duration each = std::chrono::milliseconds(1);

  // Whether one more may be sent; it counts as if it were.
  [[nodiscard]] bool admit(base::Instant now) noexcept {
    full_at_ = std::max(full_at_, now);
    if (full_at_ - now > each * (burst - 1)) return false;
    full_at_ += each;
    return true;
  }

 private:
  base::Instant full_at_{};  // when `burst` may be sent at once again
};

}  // namespace net::lwip
