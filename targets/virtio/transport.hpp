// SPDX-License-Identifier: ISC
// targets/virtio/transport.hpp: a virtio device, however it is reached: over PCI or in memory.
//
// States:  Transport, find.   Models: pci.cpp, mmio.cpp.
// Order:   features -> agree -> add_queue for each -> begin. Then notify, and took_interrupt after
//          a sleep.
// Errors:  std::runtime_error, a sentence that says what the device lacks.
// Source:  VIRTIO 1.2, sections 3.1 and 4.

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "targets/libos/machine.hpp"
#include "targets/virtio/queue.hpp"

namespace virtio_target {

enum class DeviceKind : std::uint8_t { net = 1, block = 2, entropy = 4 };

// Feature bits that are the same for all devices.
inline constexpr std::uint64_t feature_any_layout = 1ULL << 27U;
inline constexpr std::uint64_t feature_events = 1ULL << 29U;
inline constexpr std::uint64_t feature_version_1 = 1ULL << 32U;

class Transport {
 public:
  Transport() = default;
  virtual ~Transport() = default;
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  // Resets the device; what it offers.
  [[nodiscard]] virtual std::uint64_t features() = 0;
  // Tells it which of those are used. Throws if it will not have them.
  virtual void agree(std::uint64_t features) = 0;
  // The largest queue of this index; 0: there is none.
  [[nodiscard]] virtual std::uint16_t queue_size_max(unsigned index) = 0;
  // `queue` must stay while the device runs.
  virtual void add_queue(unsigned index, const Queue& queue) = 0;
  virtual void begin() = 0;
  // A byte of the device's own configuration; 0 behind its end.
  [[nodiscard]] virtual std::uint8_t config(unsigned offset) = 0;
  // Differs when the configuration has changed. (The old protocol has none: always 0.)
  [[nodiscard]] virtual std::uint32_t config_generation() { return 0; }
  // A little-endian number of `bytes` (1 to 8) of the configuration, of one generation.
  [[nodiscard]] std::uint64_t config_number(unsigned offset, unsigned bytes);

  virtual void notify(unsigned queue) noexcept = 0;
  // Whether an interrupt of this device came since the last call; its rings are to be looked at
  // afterwards.
  virtual bool took_interrupt() noexcept = 0;
  // Stops it: it reads and writes no memory any more.
  virtual void reset() noexcept = 0;
};

// Bits of a device's status.
namespace status {
inline constexpr std::uint8_t acknowledged = 1;
inline constexpr std::uint8_t has_driver = 2;
inline constexpr std::uint8_t driver_is_ready = 4;
inline constexpr std::uint8_t features_are_agreed = 8;
}  // namespace status

// Whether a device's registers can be at [begin, begin + bytes): not empty, not over the end of
// what an address can say, and no part of `memory`.
[[nodiscard]] bool can_be_registers(std::uint64_t begin, std::uint64_t bytes,
                                    std::span<const libos::Range> memory) noexcept;
// Maps them. Throws std::runtime_error if they cannot be there, std::bad_alloc.
void map_registers(std::uint64_t begin, std::uint64_t bytes);

// Every device of this kind that the machine has, in order of place.
[[nodiscard]] std::vector<std::unique_ptr<Transport>> find(DeviceKind kind);

}  // namespace virtio_target
