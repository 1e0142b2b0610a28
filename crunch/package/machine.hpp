// SPDX-License-Identifier: ISC
// crunch/package/machine.hpp: an image for virtio as a machine: what each hypervisor is told.
//
// States:  Machine, machine_of.   Used by: crunch/package/{libvirt,microvm}.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace crunch::package {

// A port of the host's loopback, and the guest's port that it leads to.
struct Forward {
  std::uint16_t from = 0;
  std::uint16_t to = 0;
};

struct MachineWords {
  std::string boot_line;           // the image's keys, as one line
  std::string network;             // a bridge or tap of the host; empty: see Machine::forwards
  std::vector<std::string> disks;  // files, in the order of the image's devices
  std::uint32_t memory_mib = 0;
  bool is_emulated = false;  // without /dev/kvm
};

struct Machine {
  std::string name;
  std::string image;  // an absolute path
  std::string boot_line;
  std::string network;
  std::vector<Forward> forwards;   // where there is no network of the host
  std::vector<std::string> disks;  // absolute paths
  std::uint32_t memory_mib = 0;
  bool is_emulated = false;
};

// Throws a Failure if the file at `path` is no image for virtio, and a Usage for words that no
// machine's description can have: control characters, or too long a name of a network device.
[[nodiscard]] Machine machine_of(const std::string& path, std::string_view name,
                                 const MachineWords& words);

}  // namespace crunch::package
