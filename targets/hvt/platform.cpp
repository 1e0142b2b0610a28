// SPDX-License-Identifier: ISC
#include "targets/hvt/platform.hpp"

#include "targets/hvt/idle.hpp"

namespace hvt_target {

int start(int argc, char** argv, base::LogLevel log_level,
          const std::function<int(Platform&)>& run) {
  const libos::Texts texts{.no_random = "a tender has none to give",
                           .asked_to_stop = "the tender was asked to end"};
  return libos::start<Net, Idle>(
      argc, argv, log_level, texts, [] { return Net(given()); }, run);
}

}  // namespace hvt_target
