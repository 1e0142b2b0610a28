// SPDX-License-Identifier: ISC
// targets/hvt/machine.hpp: what the tender said at the entry that libos::Boot has no place for.
//
// States:  BootInfo, boot_info.   Models (machine.cpp): targets/libos/machine.hpp.

#pragma once

#include <cstddef>
#include <cstdint>

#include "solo5/abi.hpp"
#include "targets/hvt/notes.hpp"

namespace hvt_target {

struct BootInfo {
  std::uint64_t tsc_hz = 0;
  bool has_network = false;  // `service`, and the rest is its
  std::uint8_t mac[6] = {};
  std::uint16_t mtu_bytes = 0;
  solo5::Ring* ring = nullptr;  // if the tender offers one
  // Of the manifest's block devices, which the tender has attached all.
  solo5::BlockDetails blocks[blocks_max] = {};
  std::size_t block_count = 0;
};
[[nodiscard]] const BootInfo& boot_info() noexcept;

}  // namespace hvt_target
