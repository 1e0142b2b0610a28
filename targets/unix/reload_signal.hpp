// SPDX-License-Identifier: ISC
// targets/unix/reload_signal.hpp: SIGHUP asks the process to read again what it has read of files.
//
// Rule:    one instance at a time (signal dispositions belong to the process); it is checked.
//          Without one SIGHUP ends the process, as when its terminal closes.

#pragma once

#include <csignal>

#include "targets/unix/wake.hpp"

namespace unix_target {

class ReloadSignal {
 public:
  // `wake` must outlive this.
  explicit ReloadSignal(const Wake& wake) noexcept;
  ~ReloadSignal();
  ReloadSignal(const ReloadSignal&) = delete;
  ReloadSignal& operator=(const ReloadSignal&) = delete;

 private:
  struct sigaction before_ {};
};

}  // namespace unix_target
