// SPDX-License-Identifier: ISC
#include "targets/virtio/transport.hpp"

#include <new>
#include <stdexcept>

#include "targets/libos/paging.hpp"
#include "targets/virtio/mmio.hpp"
#include "targets/virtio/pci.hpp"

namespace virtio_target {

bool can_be_registers(std::uint64_t begin, std::uint64_t bytes,
                      std::span<const libos::Range> memory) noexcept {
  const std::uint64_t end = begin + bytes;
  if (end <= begin) return false;
  for (const libos::Range& range : memory) {
    if (begin < range.end && range.begin < end) return false;
  }
  return true;
}

void map_registers(std::uint64_t begin, std::uint64_t bytes) {
  const libos::Boot& boot = libos::boot();
  if (!can_be_registers(begin, bytes, {boot.memory, boot.memory_count})) {
    throw std::runtime_error("the registers of a virtio device are said to lie in memory");
  }
  if (!libos::paging::map_device(begin, bytes)) throw std::bad_alloc();
}

std::vector<std::unique_ptr<Transport>> find(DeviceKind kind) {
  std::vector<std::unique_ptr<Transport>> found;
  pci::find(kind, found);
  mmio::find(kind, found);
  return found;
}

}  // namespace virtio_target
