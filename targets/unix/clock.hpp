// SPDX-License-Identifier: ISC
// targets/unix/clock.hpp: the kernel's clocks, read through the vDSO (no system call).
//
// Models:  base::Clock.   Source: clock_gettime(2).

#pragma once

#include <ctime>

#include "base/clock.hpp"

namespace unix_target {

class Clock final : public base::Clock {
 public:
  base::Instant now() noexcept override {
    timespec time{};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return base::Instant(std::chrono::seconds(time.tv_sec) +
                         std::chrono::nanoseconds(time.tv_nsec));
  }
  // The coarse clock: the kernel's own cache of it, at most a timer tick (1 to 10 ms) old.
  std::int64_t wall_s() noexcept override {
    timespec time{};
    clock_gettime(CLOCK_REALTIME_COARSE, &time);
    return time.tv_sec;
  }
};

}  // namespace unix_target
