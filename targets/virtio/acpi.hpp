// SPDX-License-Identifier: ISC
// targets/virtio/acpi.hpp: the few things that only ACPI's tables tell: interrupt controllers, the
// way to switch off, the power button, and devices that are neither on PCI nor on the command line.
//
// Method:  the tables are read as what they are; of the byte code in the DSDT only literals are
//          looked for (the package _S5_, the devices LNRO0005 and ACPI0013), as their makers write
//          them.
// Bounds:  every length is checked against its table's; a table over 1 MiB is not read.
// Errors:  without ACPI: one I/O controller at its usual address, no power button.
// Source:  ACPI 6.4, chapters 5 and 6.

#pragma once

#include <cstdint>
#include <span>

#include "targets/virtio/words.hpp"

namespace virtio_target::acpi {

struct IoController {
  std::uint64_t base = 0;
  std::uint32_t first_line = 0;
};

// Where the power button is heard: machines with the classic registers have PM1a events in I/O
// space, others the Generic Event Device in memory.
struct Events {
  std::uint16_t port = 0;  // 0: there is none
  std::uint16_t bytes = 0;
  std::uint64_t device = 0;  // its selector; 0: there is none
  std::uint32_t interrupt = 0;
};

// Reads the tables, and tells power.hpp how to switch off. Call once, before the others.
void begin();
[[nodiscard]] std::span<const IoController> io_controllers() noexcept;
[[nodiscard]] const Events& events() noexcept;
[[nodiscard]] const MmioPlaces& places() noexcept;

}  // namespace virtio_target::acpi
