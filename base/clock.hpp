// SPDX-License-Identifier: ISC
// base/clock.hpp: time, as a target gives it.
//
// States:  Instant, Duration, Clock.   Modelled by: targets/<t>; tests simulate it.

#pragma once

#include <chrono>
#include <cstdint>

namespace base {

using Duration = std::chrono::nanoseconds;

// A point on the monotonic clock; its epoch means nothing (often: boot).
struct MonotonicEpoch {
  using rep = Duration::rep;
  using period = Duration::period;
  using duration = Duration;
  using time_point = std::chrono::time_point<MonotonicEpoch, Duration>;
  static constexpr bool is_steady = true;
};
using Instant = MonotonicEpoch::time_point;

// Later than every deadline: wait without one.
inline constexpr Instant never = Instant::max();

class Clock {
 public:
  virtual ~Clock() = default;
  // Never goes back.
  virtual Instant now() noexcept = 0;
  // Seconds since 1970-01-01 UTC; may be set, so only for Date and logs.
  virtual std::int64_t wall_s() noexcept = 0;
};

}  // namespace base
