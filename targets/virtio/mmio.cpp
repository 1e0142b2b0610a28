// SPDX-License-Identifier: ISC
#include "targets/virtio/mmio.hpp"

#include <algorithm>
#include <stdexcept>

#include "targets/virtio/acpi.hpp"
#include "targets/virtio/apic.hpp"
#include "targets/virtio/arrivals.hpp"
#include "targets/virtio/words.hpp"

namespace virtio_target::mmio {

namespace {

constexpr std::uint32_t magic_value = 0x74726976;
constexpr std::uint32_t old_version = 1;
constexpr std::uint64_t registers_bytes = 0x200;
constexpr std::uint32_t page_bytes = 4096;

enum Register : unsigned {
  magic = 0x00,
  version = 0x04,
  device_id = 0x08,
  device_features = 0x10,
  device_features_select = 0x14,
  driver_features = 0x20,
  driver_features_select = 0x24,
  guest_page_size = 0x28,  // old
  queue_select = 0x30,
  queue_size_most = 0x34,
  queue_size = 0x38,
  queue_align = 0x3c,  // old
  queue_page = 0x40,   // old
  queue_ready = 0x44,
  queue_notify = 0x50,
  interrupt_status = 0x60,
  interrupt_acknowledge = 0x64,
  device_status = 0x70,
  queue_descriptors = 0x80,
  queue_available = 0x90,
  queue_used = 0xa0,
  generation = 0xfc,
  configuration = 0x100,
};

volatile std::uint32_t& at(std::uint64_t base, unsigned offset) {
  return *reinterpret_cast<volatile std::uint32_t*>(base + offset);
}

class MmioTransport final : public Transport {
 public:
  explicit MmioTransport(const MmioPlace& place)
      : base_(place.base), is_old_(at(base_, version) == old_version), vector_(apic::new_vector()) {
    if (!apic::route(place.interrupt, vector_)) {
      throw std::runtime_error("a virtio device has an interrupt that no controller has");
    }
  }

  std::uint64_t features() override {
    reset();
    set_status(status::acknowledged | status::has_driver);
    std::uint64_t all = 0;
    for (std::uint32_t half = 0; half < 2; ++half) {
      at(base_, device_features_select) = half;
      all |= std::uint64_t{at(base_, device_features)} << 32U * half;
    }
    return is_old_ ? all & 0xffffffffU : all;
  }

  void agree(std::uint64_t features) override {
    if (!is_old_ && (features & feature_version_1) == 0) {
      throw std::runtime_error("a virtio device does not offer virtio 1");
    }
    for (std::uint32_t half = 0; half < 2; ++half) {
      at(base_, driver_features_select) = half;
      at(base_, driver_features) = static_cast<std::uint32_t>(features >> 32U * half);
    }
    if (is_old_) {
      at(base_, guest_page_size) = page_bytes;
      return;
    }
    set_status(status_ | status::features_are_agreed);
    if ((at(base_, device_status) & status::features_are_agreed) == 0) {
      throw std::runtime_error("a virtio device refuses what it offered");
    }
  }

  std::uint16_t queue_size_max(unsigned index) override {
    at(base_, queue_select) = index;
    constexpr std::uint32_t most = 0x8000;  // what a split queue can have
    const std::uint32_t said = at(base_, queue_size_most);
    return static_cast<std::uint16_t>(std::min(said, most));
  }

  void add_queue(unsigned index, const Queue& queue) override {
    at(base_, queue_select) = index;
    at(base_, queue_size) = queue.size();
    if (is_old_) {
      at(base_, queue_align) = page_bytes;
      at(base_, queue_page) = static_cast<std::uint32_t>(queue.descriptors_at() / page_bytes);
      return;
    }
    set_address(queue_descriptors, queue.descriptors_at());
    set_address(queue_available, queue.available_at());
    set_address(queue_used, queue.used_at());
    at(base_, queue_ready) = 1;
  }

  void begin() override { set_status(status_ | status::driver_is_ready); }
  std::uint8_t config(unsigned offset) override {
    if (configuration + offset >= registers_bytes) return 0;
    return *reinterpret_cast<volatile std::uint8_t*>(base_ + configuration + offset);
  }
  std::uint32_t config_generation() override { return is_old_ ? 0 : at(base_, generation); }
  void notify(unsigned queue) noexcept override { at(base_, queue_notify) = queue; }
  bool took_interrupt() noexcept override {
    if (!arrivals::has_come(vector_)) return false;
    at(base_, interrupt_acknowledge) = at(base_, interrupt_status);
    return true;
  }
  void reset() noexcept override { set_status(0); }

 private:
  void set_status(unsigned to) {
    status_ = static_cast<std::uint8_t>(to);
    at(base_, device_status) = status_;
  }
  void set_address(Register field, std::uint64_t address) {
    at(base_, field) = static_cast<std::uint32_t>(address);
    at(base_, field + 4U) = static_cast<std::uint32_t>(address >> 32U);
  }

  std::uint64_t base_;
  bool is_old_;
  unsigned vector_;
  std::uint8_t status_ = 0;
};

void find_at(const MmioPlaces& places, DeviceKind kind,
             std::vector<std::unique_ptr<Transport>>& out) {
  for (std::size_t i = 0; i < places.count; ++i) {
    const MmioPlace& place = places.at[i];
    map_registers(place.base, registers_bytes);
    if (at(place.base, magic) != magic_value) continue;
    if (at(place.base, device_id) != static_cast<std::uint32_t>(kind)) continue;
    out.push_back(std::make_unique<MmioTransport>(place));
  }
}

}  // namespace

void find(DeviceKind kind, std::vector<std::unique_ptr<Transport>>& out) {
  // A hypervisor that names its devices on the command line may tell of them in ACPI again.
  find_at(words::places().count != 0 ? words::places() : acpi::places(), kind, out);
}

}  // namespace virtio_target::mmio
