// SPDX-License-Identifier: ISC
// targets/xen/platform.hpp: what a configuration gets in a Xen guest, and how it starts.
//
// States:  start: xenstore, the first network device -> run -> xl shutdown, xl reboot or the end of
//          all jobs -> the exit status, by which libos ends the guest.
// Errors:  a guest without what it takes: a sentence on the console, and status 1.

#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "targets/libos/platform.hpp"
#include "targets/xen/vbds.hpp"
#include "targets/xen/vifs.hpp"
#include "targets/xen/vm_data.hpp"
#include "targets/xen/xenstore.hpp"

namespace xen_target {

struct Platform : libos::Platform<Netfront> {
  // Further devices, by `device_key`: their numbers, the first being 1.
  Vifs& net_devices;
  static constexpr const auto& device_key = Vifs::device_key;
  // Disks, by their numbers, the first being 1.
  Vbds& block_devices;
  // What the toolstack says about this guest, and its operator left for it (vm-data).
  Xenstore& store;
  // Boot keys from there: the command line's win over them.
  std::vector<std::string> host_words;
  // Instead of the image's own; empty: none.
  Credentials host_credentials;
};

// Runs `run`; gives the machine's exit status. An exception that leaves it is logged: 1.
int start(int argc, char** argv, base::LogLevel log_level,
          const std::function<int(Platform&)>& run);

}  // namespace xen_target
