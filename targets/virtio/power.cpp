// SPDX-License-Identifier: ISC
#include "targets/virtio/power.hpp"

#include "targets/libos/cpu.hpp"

namespace virtio_target::power {

namespace {

namespace cpu = libos::cpu;

Way way;

void off_by_acpi() {
  if (!way.is_known) return;
  const auto type = static_cast<unsigned>(way.type);
  if (way.control_port != 0) {
    cpu::out16(way.control_port, static_cast<std::uint16_t>(type << 10U | 1U << 13U));
  }
  const auto value = static_cast<std::uint8_t>(type << 2U | 1U << 5U);
  if (way.sleep_memory != 0) *reinterpret_cast<volatile std::uint8_t*>(way.sleep_memory) = value;
  if (way.sleep_port != 0) cpu::out8(way.sleep_port, value);
}

}  // namespace

void use(const Way& to) noexcept { way = to; }

void off(int status) noexcept {
  constexpr std::uint16_t debug_exit = 0x501;
  constexpr int status_max = 127;
  if (status != 0) {
    cpu::out8(debug_exit, static_cast<std::uint8_t>(status < status_max ? status : status_max));
  }
  off_by_acpi();
  // A machine that failed is not restarted: an operator should look at why.
  if (status != 0) cpu::halt();
  // Without ACPI: a reset, by the keyboard's controller or by three faults at once. It ends
  // Firecracker, and QEMU with -no-reboot.
  cpu::out8(0x64, 0xfe);
  struct [[gnu::packed]] {
    std::uint16_t limit = 0;
    std::uint64_t base = 0;
  } none;
  asm volatile("lidt %0; int3" : : "m"(none));
  cpu::halt();
}

}  // namespace virtio_target::power
