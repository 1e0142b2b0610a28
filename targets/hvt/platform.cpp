// SPDX-License-Identifier: ISC
#include "targets/hvt/platform.hpp"

#include <utility>

#include "targets/hvt/idle.hpp"

namespace hvt_target {

int start(int argc, char** argv, base::LogLevel log_level,
          const std::function<int(Platform&)>& run) {
  const libos::Texts texts{.no_random = "a tender has none to give",
                           .asked_to_stop = "the tender was asked to end"};
  return libos::start<Devices, Idle>(
      argc, argv, log_level, texts, [] { return Devices(boot_info()); },
      [&](Platform& platform) {
        platform.ready = [&platform, ready = std::move(platform.ready)] {
          platform.block_devices.warn_if_not_durable(platform.log);
          ready();
        };
        return run(platform);
      });
}

}  // namespace hvt_target
