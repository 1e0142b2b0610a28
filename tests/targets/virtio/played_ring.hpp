// SPDX-License-Identifier: ISC
// tests/targets/virtio/played_ring.hpp: a virtqueue as a device sees it, which the test plays.

#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <string>

#include "targets/virtio/queue.hpp"

namespace virtio_target {

struct Descriptor {
  std::uint64_t address;
  std::uint32_t bytes;
  std::uint16_t flags, next;
};

// A queue as the device sees it.
struct Ring {
  const Queue* queue = nullptr;
  std::uint16_t seen = 0;  // in the available ring
  std::uint16_t used = 0;

  [[nodiscard]] std::uint16_t* available() const {
    return reinterpret_cast<std::uint16_t*>(queue->available_at());
  }
  [[nodiscard]] std::uint16_t* used_ring() const {
    return reinterpret_cast<std::uint16_t*>(queue->used_at());
  }
  [[nodiscard]] std::size_t waiting() const {
    return static_cast<std::uint16_t>(available()[1] - seen);
  }
  std::uint16_t take() { return available()[2 + seen++ % queue->size()]; }
  void use(std::uint32_t head, std::uint32_t bytes) {
    const std::uint32_t entry[2] = {head, bytes};
    std::memcpy(used_ring() + 2 + 4 * (used % queue->size()), entry, sizeof entry);
    used_ring()[1] = ++used;
  }
  [[nodiscard]] const Descriptor& descriptor(std::uint16_t i) const {
    return reinterpret_cast<const Descriptor*>(queue->descriptors_at())[i];
  }
  // All bytes of a chain that the device may read.
  [[nodiscard]] std::string bytes_of(std::uint16_t head) const {
    std::string bytes;
    for (std::uint16_t i = head;; i = descriptor(i).next) {
      EXPECT_EQ(descriptor(i).flags & 2, 0) << "to be written by the device";
      bytes.append(reinterpret_cast<const char*>(descriptor(i).address), descriptor(i).bytes);
      if ((descriptor(i).flags & 1) == 0) return bytes;
    }
  }
};

}  // namespace virtio_target
