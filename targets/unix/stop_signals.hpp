// SPDX-License-Identifier: ISC
// targets/unix/stop_signals.hpp: SIGTERM and SIGINT ask the process to stop.
//
// States:  none asked -> asked (the Wake is signalled) -> a second SIGINT: exit status 130 at once.
// Rule:    one instance at a time (signal dispositions belong to the process); it is checked.

#pragma once

#include <csignal>

#include "targets/unix/wake.hpp"

namespace unix_target {

class StopSignals {
 public:
  // `wake` must outlive this.
  explicit StopSignals(const Wake& wake) noexcept;
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

 private:
  struct sigaction before_term_ {};
  struct sigaction before_int_ {};
};

}  // namespace unix_target
