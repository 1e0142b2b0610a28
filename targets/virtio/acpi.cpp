// SPDX-License-Identifier: ISC
#include "targets/virtio/acpi.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

#include "targets/libos/cpu.hpp"
#include "targets/libos/machine.hpp"
#include "targets/libos/paging.hpp"
#include "targets/virtio/power.hpp"

namespace virtio_target::acpi {

namespace {

namespace cpu = libos::cpu;

constexpr std::size_t header_bytes = 36;
constexpr std::size_t table_bytes_max = 1U << 20U;
constexpr std::size_t io_controllers_max = 8;

std::array<IoController, io_controllers_max> controllers{{{0xfec00000, 0}}};
std::size_t controller_count = 1;
Events found_events;
power::Way way;
MmioPlaces found_places;

using Table = std::string_view;

// The little-endian number at `at`; 0 beyond the end, which is "there is none" throughout.
template <class T>
T number(Table table, std::size_t at) {
  T value{};
  if (at <= table.size() && sizeof value <= table.size() - at) {
    std::memcpy(&value, table.data() + at, sizeof value);
  }
  return value;
}

// Empty: it cannot be read.
Table table_at(std::uint64_t address) {
  if (address == 0 || !libos::paging::map_tables(address, header_bytes)) return {};
  const char* begin = reinterpret_cast<const char*>(address);
  const auto bytes = number<std::uint32_t>({begin, header_bytes}, 4);
  if (bytes < header_bytes || bytes > table_bytes_max) return {};
  if (!libos::paging::map_tables(address, bytes)) return {};
  return {begin, bytes};
}

// MADT: an I/O APIC is a structure of type 1.
void read_controllers(Table table) {
  constexpr std::size_t first = 44;
  std::size_t count = 0;
  for (std::size_t at = first; at + 2 <= table.size();) {
    const auto bytes = number<std::uint8_t>(table, at + 1);
    if (bytes < 2) break;
    if (number<std::uint8_t>(table, at) == 1 && count < io_controllers_max) {
      controllers[count++] = {number<std::uint32_t>(table, at + 4),
                              number<std::uint32_t>(table, at + 8)};
    }
    at += bytes;
  }
  if (count > 0) controller_count = count;
}

// Name(_S5_, Package{type, ...}): the first number of the package.
void read_off_type(Table code) {
  constexpr std::uint8_t package = 0x12;
  constexpr std::uint8_t byte_prefix = 0x0a;
  const std::size_t name = code.find("_S5_");
  if (name == Table::npos || number<std::uint8_t>(code, name + 4) != package) return;
  const std::size_t length_at = name + 5;
  std::size_t at = length_at + 2U + (number<std::uint8_t>(code, length_at) >> 6U);
  if (number<std::uint8_t>(code, at) == byte_prefix) ++at;
  way.type = number<std::uint8_t>(code, at) & 7U;
  way.is_known = true;
}

// The base of the first 32-bit fixed memory descriptor and the first extended interrupt in `code`.
MmioPlace place_in(Table code) {
  constexpr std::string_view memory("\x86\x09\x00", 3);
  constexpr char interrupt = '\x89';
  MmioPlace place;
  const std::size_t at = code.find(memory);
  if (at == Table::npos) return place;
  const std::size_t irq = code.find(interrupt, at + 12);
  if (irq == Table::npos) return place;
  place.base = number<std::uint32_t>(code, at + 4);
  place.interrupt = number<std::uint32_t>(code, irq + 5);
  return place;
}

// Device objects with _HID "LNRO0005": virtio over MMIO. A device's code is short.
void read_places(Table code) {
  constexpr std::string_view id = "LNRO0005";
  constexpr std::size_t device_bytes_max = 96;
  for (std::size_t at = code.find(id); at != Table::npos; at = code.find(id, at + 1)) {
    const MmioPlace place = place_in(code.substr(at, device_bytes_max));
    if (place.base != 0 && found_places.count < mmio_places_max) {
      found_places.at[found_places.count++] = place;
    }
  }
}

// The Generic Event Device: its selector is the first operation region behind its _HID.
void read_event_device(Table code) {
  constexpr std::size_t device_bytes_max = 256;
  constexpr std::string_view region("\x5b\x80", 2);
  constexpr std::uint8_t dword_prefix = 0x0c;
  constexpr char interrupt = '\x89';
  const std::size_t id = code.find("ACPI0013");
  if (id == Table::npos) return;
  const Table device = code.substr(id, device_bytes_max);
  const std::size_t irq = device.find(interrupt);
  const std::size_t at = device.find(region);
  if (irq == Table::npos || at == Table::npos) return;
  if (number<std::uint8_t>(device, at + 7) != dword_prefix) return;
  found_events.device = number<std::uint32_t>(device, at + 8);
  found_events.interrupt = number<std::uint32_t>(device, irq + 5);
}

void enable(Table fadt) {
  constexpr std::uint16_t is_enabled = 1;
  constexpr int tries_max = 100'000;
  const auto command_port = static_cast<std::uint16_t>(number<std::uint32_t>(fadt, 48));
  if (command_port == 0 || (cpu::in16(way.control_port) & is_enabled) != 0) return;
  cpu::out8(command_port, number<std::uint8_t>(fadt, 52));
  for (int i = 0; i < tries_max; ++i) {
    if ((cpu::in16(way.control_port) & is_enabled) != 0) return;
    cpu::pause();
  }
}

// A generic address: space, width, offset, access, address.
void read_sleep_control(Table at) {
  constexpr std::uint8_t space_memory = 0;
  const auto address = number<std::uint64_t>(at, 4);
  if (number<std::uint8_t>(at, 0) != space_memory) {
    way.sleep_port = static_cast<std::uint16_t>(address);
  } else if (address != 0 && libos::paging::map_device(address, 1)) {
    way.sleep_memory = address;
  }
}

void read_fadt(Table fadt) {
  constexpr std::uint32_t has_no_registers = 1U << 20U;
  const auto wide = number<std::uint64_t>(fadt, 140);
  const Table code = table_at(wide != 0 ? wide : number<std::uint32_t>(fadt, 40));
  if ((number<std::uint32_t>(fadt, 112) & has_no_registers) != 0) {
    read_sleep_control(fadt.substr(std::min<std::size_t>(fadt.size(), 244)));
    read_event_device(code);
  } else {
    found_events.interrupt = number<std::uint16_t>(fadt, 46);
    found_events.port = static_cast<std::uint16_t>(number<std::uint32_t>(fadt, 56));
    found_events.bytes = number<std::uint8_t>(fadt, 88);
    way.control_port = static_cast<std::uint16_t>(number<std::uint32_t>(fadt, 64));
    if (way.control_port != 0) enable(fadt);
  }
  read_off_type(code);
  power::use(way);
  read_places(code);
}

// The RSDP, from the machine's start info or where PCs have it.
const char* find_root() {
  const std::uint64_t said = libos::boot().acpi_root;
  if (said != 0) {
    return libos::paging::map_tables(said, header_bytes) ? reinterpret_cast<const char*>(said)
                                                         : nullptr;
  }
  constexpr std::uint64_t begin = 0xe0000;
  constexpr std::uint64_t end = 0x100000;
  const Table area(reinterpret_cast<const char*>(begin), end - begin);
  const std::size_t at = area.find("RSD PTR ");
  return at == Table::npos ? nullptr : area.data() + at;
}

}  // namespace

void begin() {
  const char* root = find_root();
  if (root == nullptr || std::string_view(root, 8) != "RSD PTR ") return;
  const Table pointers(root, header_bytes);
  const bool is_wide = number<std::uint8_t>(pointers, 15) >= 2;
  Table list;
  if (is_wide) list = table_at(number<std::uint64_t>(pointers, 24));
  const std::size_t entry_bytes = list.empty() ? 4 : 8;
  if (list.empty()) list = table_at(number<std::uint32_t>(pointers, 16));
  for (std::size_t at = header_bytes; at + entry_bytes <= list.size(); at += entry_bytes) {
    const Table table = table_at(entry_bytes == 8 ? number<std::uint64_t>(list, at)
                                                  : number<std::uint32_t>(list, at));
    if (table.substr(0, 4) == "APIC") read_controllers(table);
    if (table.substr(0, 4) == "FACP") read_fadt(table);
  }
}

std::span<const IoController> io_controllers() noexcept {
  return {controllers.data(), controller_count};
}
const Events& events() noexcept { return found_events; }
const MmioPlaces& places() noexcept { return found_places; }

}  // namespace virtio_target::acpi
