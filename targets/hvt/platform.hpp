// SPDX-License-Identifier: ISC
// targets/hvt/platform.hpp: what a configuration gets as a guest of a tender, and how it starts.
//
// States:  start: the device is found -> run -> the tender was asked to end, or all jobs have
//          ended -> the exit status, which the tender's is then.
// Errors:  a tender without the device: a sentence on the console, and status 1.

#pragma once

#include <functional>

#include "base/log.hpp"
#include "targets/hvt/devices.hpp"
#include "targets/libos/platform.hpp"

namespace hvt_target {

using Platform = libos::PlatformOver<Devices>::type;

// Runs `run`; gives the guest's exit status. An exception that leaves it is logged: 1.
int start(int argc, char** argv, base::LogLevel log_level,
          const std::function<int(Platform&)>& run);

}  // namespace hvt_target
