// SPDX-License-Identifier: ISC
// targets/xen/platform.hpp: what a configuration gets in a Xen guest, and how it starts.
//
// States:  start: xenstore, the network device -> run -> xl shutdown, xl reboot or the end of all
//          jobs -> the exit status, by which libos ends the guest.
// Errors:  a guest without what it takes: a sentence on the console, and status 1.

#pragma once

#include <functional>
#include <span>
#include <string>

#include "base/clock.hpp"
#include "base/console.hpp"
#include "base/entropy.hpp"
#include "base/log.hpp"
#include "base/loop.hpp"
#include "targets/xen/netfront.hpp"
#include "targets/xen/xenstore.hpp"

namespace xen_target {

struct Platform {
  base::Loop& loop;
  base::Clock& clock;
  base::Entropy& entropy;
  Netfront& net_device;
  // What the toolstack says about this guest and its operator left for it (vm-data).
  Xenstore& store;
  base::Console& console;
  base::Log& log;                    // on the console too: there is nothing else
  std::span<char* const> arguments;  // the command line
  // What the toolstack says of the network device: addresses, separated by spaces; or empty.
  std::string addresses;
  unsigned thread_index = 0;
  unsigned thread_count = 1;

  // Called when the ports are open: writes the boot line.
  std::function<void()> ready;
  // Set it to what ends the work in order (drain); called at most once, on the loop, when the
  // toolstack asks for an end. Left empty: the loop is stopped.
  std::function<void()> on_stop;
};

// Runs `run`; gives the machine's exit status. An exception that leaves it is logged: 1.
int start(int argc, char** argv, base::LogLevel log_level,
          const std::function<int(Platform&)>& run);

}  // namespace xen_target
