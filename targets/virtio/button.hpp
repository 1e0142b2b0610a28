// SPDX-License-Identifier: ISC
// targets/virtio/button.hpp: the power button: how a hypervisor asks a machine to end.
//
// Source:  ACPI 6.4 sections 4.8.2.2 (PM1 events) and 5.6.9 (the Generic Event Device); QEMU's
//          hw/acpi/generic_event_device.c.

#pragma once

namespace virtio_target::button {

// From now on it is heard, where ACPI tells of one: QEMU's `system_powerdown`.
void listen();
// Whether it was pressed since it was last asked.
[[nodiscard]] bool is_pressed() noexcept;

}  // namespace virtio_target::button
