// SPDX-License-Identifier: ISC
// targets/virtio/platform.hpp: what a configuration gets on a virtio machine, and how it starts.
//
// States:  start: devices are found -> run -> the power button or the end of all jobs -> the exit
//          status, by which libos ends the machine.
// Errors:  a machine without what it takes: a sentence on the console, and status 1.

#pragma once

#include <functional>
#include <span>

#include "base/clock.hpp"
#include "base/console.hpp"
#include "base/entropy.hpp"
#include "base/log.hpp"
#include "base/loop.hpp"
#include "targets/virtio/net.hpp"

namespace virtio_target {

struct Platform {
  base::Loop& loop;
  base::Clock& clock;
  base::Entropy& entropy;
  Net& net_device;  // the only one
  base::Console& console;
  base::Log& log;                    // on the console too: there is nothing else
  std::span<char* const> arguments;  // the command line, without devices' words
  unsigned thread_index = 0;
  unsigned thread_count = 1;

  // Called when the ports are open: writes the boot line.
  std::function<void()> ready;
  // Set it to what ends the work in order (drain); called at most once, on the loop, when the power
  // button is pressed. Left empty: the loop is stopped.
  std::function<void()> on_stop;
};

// Runs `run`; gives the machine's exit status. An exception that leaves it is logged: 1.
int start(int argc, char** argv, base::LogLevel log_level,
          const std::function<int(Platform&)>& run);

}  // namespace virtio_target
