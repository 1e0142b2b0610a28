// SPDX-License-Identifier: ISC
// targets/virtio/platform.hpp: what a configuration gets on a virtio machine, and how it starts.
//
// States:  start: devices are found -> run -> the power button or the end of all jobs -> the exit
//          status, by which libos ends the machine.
// Errors:  a machine without what it takes: a sentence on the console, and status 1.

#pragma once

#include <functional>

#include "base/log.hpp"
#include "targets/libos/platform.hpp"
#include "targets/virtio/devices.hpp"

namespace virtio_target {

using Platform = libos::PlatformOver<Devices>::type;

// Runs `run`; gives the machine's exit status. An exception that leaves it is logged: 1.
int start(int argc, char** argv, base::LogLevel log_level,
          const std::function<int(Platform&)>& run);

}  // namespace virtio_target
