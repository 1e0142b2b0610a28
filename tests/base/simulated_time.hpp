// SPDX-License-Identifier: ISC
// tests/base/simulated_time.hpp: a clock that moves only when a loop sleeps, and then at once.
//
// Models:  base::Clock, base::Idle.   Used by: every test that needs a Loop without a kernel.

#pragma once

#include "base/loop.hpp"

namespace base {

class SimulatedTime final : public Clock, public Idle {
 public:
  Instant now() noexcept override { return now_; }
  std::int64_t wall_s() noexcept override {
    return 1'700'000'000 +
           std::chrono::duration_cast<std::chrono::seconds>(now_.time_since_epoch()).count();
  }
  void sleep(Instant deadline) override {
    ++sleeps;
    CHECK(deadline != never);  // nothing could ever wake this loop: the test hangs
    if (deadline > now_) now_ = deadline;
  }
  void advance(Duration by) { now_ += by; }

  int sleeps = 0;

 private:
  Instant now_{};
};

}  // namespace base
