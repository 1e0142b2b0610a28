// SPDX-License-Identifier: ISC
#include "targets/virtio/transport.hpp"

#include "targets/virtio/mmio.hpp"
#include "targets/virtio/pci.hpp"

namespace virtio_target {

std::vector<std::unique_ptr<Transport>> find(DeviceKind kind) {
  std::vector<std::unique_ptr<Transport>> found;
  pci::find(kind, found);
  mmio::find(kind, found);
  return found;
}

}  // namespace virtio_target
