// SPDX-License-Identifier: ISC
// targets/virtio/words.hpp: what a hypervisor writes on the command line for itself: where its
// devices are.
//
// Source:  Linux's drivers/virtio/virtio_mmio.c: virtio_mmio.device=<size>@<base>:<irq>[:<id>], as
//          Firecracker and QEMU's microvm without ACPI say it.

#pragma once

#include <cstddef>
#include <cstdint>

namespace virtio_target {

// A device's registers in memory and its interrupt's number.
struct MmioPlace {
  std::uint64_t base = 0;
  std::uint32_t interrupt = 0;
};
inline constexpr std::size_t mmio_places_max = 32;
struct MmioPlaces {
  MmioPlace at[mmio_places_max] = {};
  std::size_t count = 0;
};

namespace words {

// Whether `word` is of that kind; then it is noted. Refuses to start when it cannot be read.
[[nodiscard]] bool take(const char* word) noexcept;
[[nodiscard]] const MmioPlaces& places() noexcept;

}  // namespace words
}  // namespace virtio_target
