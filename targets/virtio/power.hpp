// SPDX-License-Identifier: ISC
// targets/virtio/power.hpp: switching the machine off.
//
// Source:  ACPI 6.4 sections 4.8.3.2 (PM1 control) and 4.8.3.7 (sleep control); QEMU's
//          hw/misc/debugexit.c.

#pragma once

#include <cstdint>

namespace virtio_target::power {

// What ACPI says about it.
struct Way {
  bool is_known = false;
  std::uint8_t type = 0;           // SLP_TYP of S5
  std::uint16_t control_port = 0;  // PM1a control; 0: there is none
  std::uint16_t sleep_port = 0;    // the sleep control register, where it is a port
  std::uint64_t sleep_memory = 0;  // or in memory, mapped
};
void use(const Way& to) noexcept;

// Ends the machine. A status other than 0 is told to QEMU's isa-debug-exit at port 0x501, if there
// is one (QEMU ends with 2 * status + 1), and is lost otherwise. No C library, no vector registers.
[[noreturn]] void off(int status) noexcept;

}  // namespace virtio_target::power
