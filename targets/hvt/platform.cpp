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
      argc, argv, log_level, texts, [] { return Devices(given()); },
      [&](Platform& platform) {
        platform.ready = [&platform, ready = std::move(platform.ready)] {
          if (!platform.block_devices.are_durable()) {
            platform.log.warning(
                {"this tender has no flush and does not say that its writes are durable: what is "
                 "written to a block device may be lost when this host loses power; crunch's "
                 "hvt-tender makes each write durable"});
          }
          ready();
        };
        return run(platform);
      });
}

}  // namespace hvt_target
