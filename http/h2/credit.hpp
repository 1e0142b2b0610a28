// SPDX-License-Identifier: ISC
// http/h2/credit.hpp: how much a peer may ask for that costs us work and gives it nothing.
//
// States:      Credit.   Used by: http/h2/framing.
// Method:      a bucket that fills with time and with answers that were taken. A flood of any kind
//              of frame empties it, and then the connection ends with ENHANCE_YOUR_CALM.
// Source:      RFC 9113 section 10.5; CVE-2019-9511 to 9518, CVE-2023-44487, CVE-2025-8671.
// May include: base/clock.hpp.

#pragma once

#include <algorithm>
#include <cstdint>

#include "base/clock.hpp"

namespace http::h2 {

class Credit {
 public:
  // Full at first.
  constexpr Credit(std::uint32_t most, std::uint32_t per_second) noexcept
      : most_(most), per_second_(per_second), left_(most) {}

  // False: there is none left.
  [[nodiscard]] bool spend(base::Instant now) noexcept {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now - filled_at_).count();
    if (seconds > 0) {
      const auto gain = std::min<std::int64_t>(seconds, most_) * per_second_;
      left_ = static_cast<std::uint32_t>(std::min<std::int64_t>(left_ + gain, most_));
      filled_at_ = now;
    }
    if (left_ == 0) return false;
    --left_;
    return true;
  }
  void earn(std::uint32_t count) noexcept { left_ = std::min(most_, left_ + count); }

 private:
  std::uint32_t most_;
  std::uint32_t per_second_;
  std::uint32_t left_;
  base::Instant filled_at_{};
};

}  // namespace http::h2
