// SPDX-License-Identifier: ISC
// base/token_bucket.hpp: a rate that must not be exceeded for long.
//
// States: TokenBucket.
// Method: full at first; each taken token comes back after `each`. Only the instant at which it
//         would be full again is kept.

#pragma once

#include <algorithm>
#include <cstdint>

#include "base/clock.hpp"

namespace base {

class TokenBucket {
 public:
  // At most `most` at once (1 or more), and then one in each `each`.
  constexpr TokenBucket(std::uint32_t most, Duration each) noexcept : most_(most), each_(each) {}

  // Takes one; false: there is none.
  [[nodiscard]] bool take(Instant now) noexcept {
    full_at_ = std::max(full_at_, now);
    if (full_at_ - now > each_ * (most_ - 1)) return false;
    full_at_ += each_;
    return true;
  }
  // Puts some back. There are never more than `most`.
  void put_back(std::uint32_t count) noexcept { full_at_ -= each_ * count; }

 private:
  std::uint32_t most_;
  Duration each_;
  Instant full_at_{};
};

}  // namespace base
