// SPDX-License-Identifier: ISC
// config/machine.hpp: what every machine without an operating system has for configurations:
// its boot keys, how it is run, and further network devices by number.
//
// States:  machine_keys, RunMachine, device_key, find_device.
// Used by: targets/{hvt,virtio,xen}/target.hpp, targets/virtio/nets.hpp, targets/xen/vifs.hpp.

#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "base/result.hpp"
#include "config/target.hpp"

namespace config {

// The boot keys that a machine adds to a configuration's.
inline constexpr std::tuple machine_keys{&log_level};

// Calls run(platform), by the machine's own `start`; gives the exit status.
template <auto start>
struct RunMachine {
  template <class Run>
  int operator()(int argc, char** argv, const BootLine& boot, const Run& run) const {
    return start(argc, argv, boot.value(log_level), run);
  }
};

// Of a stack that is not on the first device.
inline constexpr Key<unsigned> device_key{
    .name = "device",
    .section = "NETWORK",
    .doc = "The machine's network device that its network is on; the first is 1",
    .fallback = 2,
    .least = 1,
    .most = 32};

// What sentences call a device, and who uses it.
struct DeviceWords {
  std::string_view device = "network device";
  std::string_view user = "stack";
};
inline constexpr DeviceWords disk_words{"block device", "store"};

// Device `number` of `count`; the boot key `key` gave the number. begin(index) makes it: null when
// it is in use, std::runtime_error when it will not do. A sentence when it cannot be had; `how`:
// who gives a machine another one, and by what words.
template <class Begin>
auto find_device(std::string_view key, unsigned number, std::size_t count, std::string_view how,
                 const Begin& begin, const DeviceWords& words = {})
    -> base::Result<decltype(begin(std::size_t{0})), std::string> {
  std::string why = "--";
  why.append(key).append("=").append(std::to_string(number)).append(": ");
  if (number == 0 || number > count) {
    why.append("this machine has ").append(std::to_string(count)).append(" ").append(words.device);
    why.append(count == 1 ? "" : "s").append("; give it another one (").append(how).append(")");
    return base::failure(std::move(why));
  }
  try {
    if (const auto device = begin(number - 1)) return device;
    why.append("that ").append(words.device).append(" is another ").append(words.user);
    why.append("'s already; name another one");
  } catch (const std::runtime_error& error) {
    why.append(error.what());
  }
  return base::failure(std::move(why));
}

}  // namespace config
