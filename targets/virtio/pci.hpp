// SPDX-License-Identifier: ISC
// targets/virtio/pci.hpp: virtio devices on PCI, of version 1 or later.
//
// Bounds:  buses behind bridges are followed; each function is asked once; capabilities: at
//          most 64.
// Source:  PCI Local Bus 3.0, chapter 6; VIRTIO 1.2, section 4.1.

#pragma once

#include "targets/virtio/transport.hpp"

namespace virtio_target::pci {

// Appends those of this kind.
void find(DeviceKind kind, std::vector<std::unique_ptr<Transport>>& out);

}  // namespace virtio_target::pci
