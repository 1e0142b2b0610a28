// SPDX-License-Identifier: ISC
#include "targets/libos/clock.hpp"

#include "targets/libos/cpu.hpp"
#include "targets/libos/machine.hpp"

extern "C" std::uint64_t libos_entry_tsc;
std::uint64_t libos_entry_tsc = 0;

namespace libos::clock {

namespace {

constexpr std::uint64_t second_ns = 1'000'000'000;

// Nanoseconds of a tick, times 2^32.
std::uint64_t scale = 0;
// What the counter and now_ns() were when they were last set side by side.
std::uint64_t counter_then = 0;
std::uint64_t ns_then = 0;
std::uint64_t wall_at_entry = 0;  // the date that now_ns() == 0 had
std::uint64_t wall_read_at = 0;

__extension__ using Wide = unsigned __int128;

void read_wall(std::uint64_t now) {
  const std::uint64_t wall = machine::wall_ns();
  wall_read_at = now;
  if (wall != 0) wall_at_entry = wall - now;
}

}  // namespace

void begin() noexcept {
  counter_then = libos_entry_tsc;
  go_on_from(0);
}

void go_on_from(std::uint64_t ns) noexcept {
  if (ns != 0) counter_then = cpu::rdtsc();
  ns_then = ns;
  scale = static_cast<std::uint64_t>((Wide{second_ns} << 32U) / machine::tsc_hz());
  read_wall(now_ns());
}

std::uint64_t now_ns() noexcept {
  return ns_then + static_cast<std::uint64_t>(Wide{cpu::rdtsc() - counter_then} * scale >> 32U);
}

std::uint64_t wall_ns() noexcept {
  const std::uint64_t now = now_ns();
  if (now - wall_read_at >= wall_again_ns) read_wall(now);
  return wall_at_entry + now;
}

bool has_wall() noexcept { return wall_at_entry != 0; }

std::uint64_t tsc_hz_from_cpuid() noexcept {
  constexpr std::uint32_t is_virtual = 1U << 31U;
  constexpr std::uint32_t hypervisor = 0x40000000;
  constexpr std::uint32_t timing = 0x40000010;  // VMware's leaf, which KVM and QEMU give too
  if ((cpu::cpuid(1).ecx & is_virtual) != 0 && cpu::cpuid(hypervisor).eax >= timing &&
      cpu::cpuid(hypervisor).eax < hypervisor + 0x10000) {
    const std::uint64_t khz = cpu::cpuid(timing).eax;
    if (khz != 0) return khz * 1000;
  }
  if (cpu::cpuid(0).eax < 0x15) return 0;
  const cpu::Cpuid ratio = cpu::cpuid(0x15);  // TSC = crystal * ebx / eax
  if (ratio.eax == 0 || ratio.ebx == 0 || ratio.ecx == 0) return 0;
  return std::uint64_t{ratio.ecx} * ratio.ebx / ratio.eax;
}

}  // namespace libos::clock
