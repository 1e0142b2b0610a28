// SPDX-License-Identifier: ISC
#include "targets/virtio/pci.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

#include "targets/libos/cpu.hpp"
#include "targets/virtio/apic.hpp"
#include "targets/virtio/arrivals.hpp"

namespace virtio_target::pci {

namespace {

namespace cpu = libos::cpu;

constexpr std::uint16_t virtio_vendor = 0x1af4;
constexpr std::uint16_t modern_first = 0x1040;
constexpr std::uint8_t capability_vendor = 0x09;
constexpr std::uint8_t capability_msix = 0x11;
constexpr int capabilities_max = 64;

// A function's configuration space.
class Function {
 public:
  Function(unsigned bus, unsigned device, unsigned function)
      : address_(0x80000000U | bus << 16U | device << 11U | function << 8U) {}

  [[nodiscard]] std::uint32_t read32(unsigned offset) const {
    cpu::out32(0xcf8, address_ | (offset & 0xfcU));
    return cpu::in32(0xcfc);
  }
  [[nodiscard]] std::uint16_t read16(unsigned offset) const {
    return static_cast<std::uint16_t>(read32(offset) >> (offset & 2U) * 8);
  }
  [[nodiscard]] std::uint8_t read8(unsigned offset) const {
    return static_cast<std::uint8_t>(read32(offset) >> (offset & 3U) * 8);
  }
  void write16(unsigned offset, std::uint16_t value) const {
    cpu::out32(0xcf8, address_ | (offset & 0xfcU));
    cpu::out16(static_cast<std::uint16_t>(0xcfcU + (offset & 2U)), value);
  }

  [[nodiscard]] bool is_there() const { return read16(0) != 0xffff; }
  // The physical address that a base register holds; 0: none, or I/O space.
  [[nodiscard]] std::uint64_t base(unsigned index) const {
    constexpr unsigned registers = 6;
    if (index >= registers) return 0;
    const std::uint32_t low = read32(0x10 + 4 * index);
    if ((low & 1U) != 0) return 0;
    const bool is_wide = (low & 6U) == 4;
    const std::uint64_t high = is_wide && index + 1 < registers ? read32(0x14 + 4 * index) : 0;
    return high << 32U | (low & ~15U);
  }

 private:
  std::uint32_t address_;
};

// Memory of a device; T is the width of the access.
template <class T>
volatile T& in_memory(std::uint64_t address) {
  return *reinterpret_cast<volatile T*>(address);
}

// The common configuration: VIRTIO 1.2 section 4.1.4.3.
enum Common : unsigned {
  device_feature_select = 0,
  device_feature = 4,
  driver_feature_select = 8,
  driver_feature = 12,
  config_vector = 16,
  device_status = 20,
  generation = 21,
  queue_select = 22,
  queue_size = 24,
  queue_vector = 26,
  queue_enable = 28,
  queue_notify_offset = 30,
  queue_descriptors = 32,
  queue_available = 40,
  queue_used = 48,
  common_bytes = 56,
};

class PciTransport final : public Transport {
 public:
  explicit PciTransport(const Function& function) : function_(function) {
    function_.write16(4, static_cast<std::uint16_t>((function_.read16(4) & 0x400U) | 0x406U));
    read_capabilities();
    if (common_.bytes < common_bytes || notify_.bytes == 0) {
      throw std::runtime_error("a virtio device is older than virtio 1 (disable-modern?)");
    }
    if (msix_ == 0)
      throw std::runtime_error("a virtio device has no MSI-X interrupts (vectors=0?)");
    begin_interrupts();
  }

  std::uint64_t features() override {
    reset();
    set_status(status::acknowledged | status::has_driver);
    std::uint64_t all = 0;
    for (std::uint32_t half = 0; half < 2; ++half) {
      common<std::uint32_t>(device_feature_select) = half;
      all |= std::uint64_t{common<std::uint32_t>(device_feature)} << 32U * half;
    }
    return all;
  }

  void agree(std::uint64_t features) override {
    if ((features & feature_version_1) == 0) {
      throw std::runtime_error("a virtio device does not offer virtio 1");
    }
    for (std::uint32_t half = 0; half < 2; ++half) {
      common<std::uint32_t>(driver_feature_select) = half;
      common<std::uint32_t>(driver_feature) = static_cast<std::uint32_t>(features >> 32U * half);
    }
    set_status(status_ | status::features_are_agreed);
    if ((common<std::uint8_t>(device_status) & status::features_are_agreed) == 0) {
      throw std::runtime_error("a virtio device refuses what it offered");
    }
  }

  std::uint16_t queue_size_max(unsigned index) override {
    common<std::uint16_t>(queue_select) = static_cast<std::uint16_t>(index);
    return common<std::uint16_t>(queue_size);
  }

  void add_queue(unsigned index, const Queue& queue) override {
    constexpr std::uint16_t none = 0xffff;
    common<std::uint16_t>(queue_select) = static_cast<std::uint16_t>(index);
    common<std::uint16_t>(queue_size) = queue.size();
    set_address(queue_descriptors, queue.descriptors_at());
    set_address(queue_available, queue.available_at());
    set_address(queue_used, queue.used_at());
    common<std::uint16_t>(queue_vector) = 0;
    if (common<std::uint16_t>(queue_vector) == none) {
      throw std::runtime_error("a virtio device has no interrupt for a queue");
    }
    const std::uint64_t notify_offset =
        std::uint64_t{common<std::uint16_t>(queue_notify_offset)} * notify_multiplier_;
    if (notify_offset + sizeof(std::uint16_t) > notify_.bytes) {
      throw std::runtime_error("a virtio device says that a queue is notified outside of it");
    }
    notify_at_.at(index) = notify_.at + notify_offset;
    common<std::uint16_t>(queue_enable) = 1;
  }

  void begin() override { set_status(status_ | status::driver_is_ready); }
  std::uint8_t config(unsigned offset) override {
    return offset < device_.bytes ? in_memory<std::uint8_t>(device_.at + offset) : std::uint8_t{0};
  }
  std::uint32_t config_generation() override { return common<std::uint8_t>(generation); }
  void notify(unsigned queue) noexcept override {
    in_memory<std::uint16_t>(notify_at_[queue]) = static_cast<std::uint16_t>(queue);
  }
  bool took_interrupt() noexcept override { return arrivals::has_come(vector_); }
  void reset() noexcept override {
    constexpr int tries_max = 1'000'000;
    set_status(0);
    for (int i = 0; i < tries_max && common<std::uint8_t>(device_status) != 0; ++i) cpu::pause();
  }

 private:
  static constexpr unsigned queues_max = 4;

  template <class T>
  volatile T& common(Common field) const {
    return in_memory<T>(common_.at + field);
  }
  void set_status(unsigned to) {
    status_ = static_cast<std::uint8_t>(to);
    common<std::uint8_t>(device_status) = status_;
  }
  void set_address(Common field, std::uint64_t address) {
    in_memory<std::uint32_t>(common_.at + field) = static_cast<std::uint32_t>(address);
    in_memory<std::uint32_t>(common_.at + field + 4) = static_cast<std::uint32_t>(address >> 32U);
  }

  // Registers of the device in memory.
  struct Place {
    std::uint64_t at = 0;
    std::uint32_t bytes = 0;  // 0: there are none
  };
  // One that says more bytes than are ever used is mapped as far as they are.
  [[nodiscard]] Place mapped(unsigned bar, std::uint32_t offset, std::uint32_t bytes) const {
    constexpr std::uint32_t bytes_max = 1U << 20U;
    const std::uint64_t base = function_.base(bar);
    if (base == 0) throw std::runtime_error("the firmware gave a virtio device no addresses");
    const Place place{base + offset, std::min(bytes, bytes_max)};
    if (place.at < base) throw std::runtime_error("a virtio device has registers nowhere");
    map_registers(place.at, place.bytes);
    return place;
  }

  void read_capabilities() {
    constexpr std::uint16_t has_list = 0x10;
    if ((function_.read16(6) & has_list) == 0) return;
    unsigned at = function_.read8(0x34) & 0xfcU;
    for (int i = 0; i < capabilities_max && at != 0; ++i) {
      const std::uint8_t kind = function_.read8(at);
      if (kind == capability_vendor) read_virtio(at);
      if (kind == capability_msix) msix_ = at;
      at = function_.read8(at + 1) & 0xfcU;
    }
  }

  void read_virtio(unsigned at) {
    enum Kind : std::uint8_t { common_place = 1, notify_place = 2, device_place = 4 };
    const std::uint8_t kind = function_.read8(at + 3);
    const unsigned bar = function_.read8(at + 4);
    const std::uint32_t offset = function_.read32(at + 8);
    const std::uint32_t bytes = function_.read32(at + 12);
    if (kind == common_place && common_.bytes == 0) common_ = mapped(bar, offset, bytes);
    if (kind == device_place && device_.bytes == 0) device_ = mapped(bar, offset, bytes);
    if (kind == notify_place && notify_.bytes == 0) {
      notify_ = mapped(bar, offset, bytes);
      notify_multiplier_ = function_.read32(at + 16);
    }
  }

  // One interrupt for all queues: the first entry of the table.
  void begin_interrupts() {
    constexpr std::uint16_t enable = 0x8000;
    vector_ = apic::new_vector();
    const std::uint32_t place = function_.read32(msix_ + 4);
    const std::uint64_t entry = mapped(place & 7U, place & ~7U, 16).at;
    in_memory<std::uint32_t>(entry) = static_cast<std::uint32_t>(apic::message_address);
    in_memory<std::uint32_t>(entry + 4) = 0;
    in_memory<std::uint32_t>(entry + 8) = vector_;
    in_memory<std::uint32_t>(entry + 12) = 0;  // not masked
    function_.write16(msix_ + 2, enable);
  }

  Function function_;
  Place common_;
  Place device_;
  Place notify_;
  std::uint32_t notify_multiplier_ = 0;
  std::array<std::uint64_t, queues_max> notify_at_{};
  unsigned msix_ = 0;
  unsigned vector_ = 0;
  std::uint8_t status_ = 0;
};

bool is_virtio(const Function& function, DeviceKind kind) {
  if (function.read16(0) != virtio_vendor) return false;
  const std::uint16_t device = function.read16(2);
  // Devices that also speak the old protocol have old numbers, and the kind elsewhere.
  const unsigned number = device >= modern_first ? device - modern_first : function.read16(0x2e);
  return number == static_cast<unsigned>(kind);
}

void find_on_bus(unsigned bus, DeviceKind kind, std::vector<std::unique_ptr<Transport>>& out,
                 std::array<bool, 256>& seen) {  // NOLINT(misc-no-recursion)
  constexpr unsigned devices = 32;
  constexpr unsigned functions = 8;
  constexpr std::uint8_t header_bridge = 1;
  if (seen.at(bus)) return;
  seen.at(bus) = true;
  for (unsigned device = 0; device < devices; ++device) {
    for (unsigned number = 0; number < functions; ++number) {
      const Function function(bus, device, number);
      if (!function.is_there()) {
        if (number == 0) break;
        continue;
      }
      const std::uint8_t header = function.read8(0x0e);
      if ((header & 0x7fU) == header_bridge) {
        find_on_bus(function.read8(0x19), kind, out, seen);
      } else if (is_virtio(function, kind)) {
        out.push_back(std::make_unique<PciTransport>(function));
      }
      if (number == 0 && (header & 0x80U) == 0) break;  // it has one function only
    }
  }
}

bool has_pci() {
  constexpr std::uint32_t probe = 0x80000000;
  cpu::out32(0xcf8, probe);
  return cpu::in32(0xcf8) == probe;
}

}  // namespace

void find(DeviceKind kind, std::vector<std::unique_ptr<Transport>>& out) {
  if (!has_pci()) return;
  std::array<bool, 256> seen{};
  find_on_bus(0, kind, out, seen);
}

}  // namespace virtio_target::pci
