// SPDX-License-Identifier: ISC
// net/lwip/round_trip.hpp: how long a round trip takes, and how long to wait for one.
//
// Source:  RFC 6298; the least variance that is counted and the longest timeout are Linux's.

#pragma once

#include <algorithm>
#include <chrono>

#include "base/clock.hpp"

namespace net::lwip {

class RoundTrip {
 public:
  static constexpr base::Duration timeout_unmeasured = std::chrono::seconds(1);
  static constexpr base::Duration variance_least = std::chrono::milliseconds(200);
  static constexpr base::Duration timeout_most = std::chrono::seconds(120);
  static constexpr base::Duration least_kept = std::chrono::minutes(5);

  // A segment that was sent once has been acknowledged after `took`.
  void measure(base::Duration took, base::Instant now) noexcept {
    took = std::max(took, base::Duration(1));
    if (!is_measured()) {
      smoothed_ = took;
      variance_ = took / 2;
    } else {
      const base::Duration off = took > smoothed_ ? took - smoothed_ : smoothed_ - took;
      variance_ = (3 * variance_ + off) / 4;
      smoothed_ = (7 * smoothed_ + took) / 8;
    }
    if (least_ == base::Duration{} || took <= least_ || now - least_at_ > least_kept) {
      least_ = took;
      least_at_ = now;
    }
  }
  [[nodiscard]] bool is_measured() const noexcept { return smoothed_ > base::Duration{}; }
  [[nodiscard]] base::Duration smoothed() const noexcept { return smoothed_; }
  // Of the last minutes; 0: nothing was measured.
  [[nodiscard]] base::Duration least() const noexcept { return least_; }
  // After so many timeouts in a row.
  [[nodiscard]] base::Duration timeout(unsigned timeouts) const noexcept {
    base::Duration one = timeout_unmeasured;
    if (is_measured()) one = smoothed_ + std::max(4 * variance_, variance_least);
    return std::min(one * (std::int64_t{1} << std::min(timeouts, 10U)), timeout_most);
  }

 private:
  base::Duration smoothed_{};
  base::Duration variance_{};
  base::Duration least_{};
  base::Instant least_at_{};
};

}  // namespace net::lwip
