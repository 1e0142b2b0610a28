// SPDX-License-Identifier: ISC
// targets/virtio/mmio.hpp: virtio devices in memory, of version 1 and of the one before, which
// QEMU's microvm still has unless told otherwise.
//
// Source:  VIRTIO 1.2, section 4.2 (4.2.4 for the old one).

#pragma once

#include "targets/virtio/transport.hpp"

namespace virtio_target::mmio {

// Appends those of this kind, at the places that ACPI and the command line tell of.
void find(DeviceKind kind, std::vector<std::unique_ptr<Transport>>& out);

}  // namespace virtio_target::mmio
