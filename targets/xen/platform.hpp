// SPDX-License-Identifier: ISC
// targets/xen/platform.hpp: what a configuration gets in a Xen guest, and how it starts.
//
// States:  start: xenstore, the network device -> run -> xl shutdown, xl reboot or the end of all
//          jobs -> the exit status, by which libos ends the guest.
// Errors:  a guest without what it takes: a sentence on the console, and status 1.

#pragma once

#include <functional>
#include <string>

#include "base/log.hpp"
#include "targets/libos/platform.hpp"
#include "targets/xen/netfront.hpp"
#include "targets/xen/xenstore.hpp"

namespace xen_target {

struct Platform : libos::Platform<Netfront> {
  // What the toolstack says about this guest, and its operator left for it (vm-data).
  Xenstore& store;
  // Of the network device, as the toolstack says, separated by spaces; or empty.
  std::string addresses;
};

// Runs `run`; gives the machine's exit status. An exception that leaves it is logged: 1.
int start(int argc, char** argv, base::LogLevel log_level,
          const std::function<int(Platform&)>& run);

}  // namespace xen_target
