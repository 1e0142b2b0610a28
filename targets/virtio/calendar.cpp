// SPDX-License-Identifier: ISC
#include "targets/virtio/calendar.hpp"

#include <initializer_list>

#include "base/calendar.hpp"
#include "targets/libos/clock.hpp"
#include "targets/libos/cpu.hpp"
#include "targets/libos/pvclock.hpp"

namespace virtio_target::calendar {

namespace {

namespace cpu = libos::cpu;

constexpr std::uint64_t second_ns = 1'000'000'000;

// KVM's clock.

namespace pvclock = libos::pvclock;

alignas(64) volatile pvclock::SharedTime kvm_time;
alignas(64) volatile pvclock::SharedWall kvm_wall;
constexpr std::uint32_t msr_kvm_wall = 0x4b564d00;
constexpr std::uint32_t msr_kvm_time = 0x4b564d01;

bool has_kvm_clock() {
  constexpr std::uint32_t leaf = 0x40000000;
  constexpr std::uint32_t is_virtual = 1U << 31U;
  constexpr std::uint32_t clock2 = 1U << 3U;
  if ((cpu::cpuid(1).ecx & is_virtual) == 0) return false;
  const cpu::Cpuid id = cpu::cpuid(leaf);
  const bool is_kvm =
      id.ebx == 0x4b4d564b && id.ecx == 0x564b4d56 && id.edx == 0x4d;  // "KVMKVMKVM"
  return is_kvm && (cpu::cpuid(leaf + 1).eax & clock2) != 0;
}

void ask_kvm_time() {
  constexpr std::uint64_t enable = 1;
  if (kvm_time.version == 0) {
    cpu::write_msr(msr_kvm_time, reinterpret_cast<std::uint64_t>(&kvm_time) | enable);
  }
}

std::uint64_t kvm_tsc_hz() {
  ask_kvm_time();
  return pvclock::tsc_hz(pvclock::read_time(kvm_time));
}

// Nanoseconds since the machine was made.
std::uint64_t kvm_system_ns() {
  ask_kvm_time();
  const pvclock::Time time = pvclock::read_time(kvm_time);
  return pvclock::ns_at(time, cpu::rdtsc());
}

std::uint64_t kvm_wall_ns() {
  cpu::write_msr(msr_kvm_wall, reinterpret_cast<std::uint64_t>(&kvm_wall));
  const std::uint64_t made_at = pvclock::read_wall(kvm_wall);
  return made_at == 0 ? 0 : made_at + kvm_system_ns();
}

// The PC's real-time clock.

struct Date {
  unsigned second, minute, hour, day, month, year;
  bool operator==(const Date&) const = default;
};

unsigned cmos(std::uint8_t index) {
  cpu::out8(0x70, index);
  return cpu::in8(0x71);
}

constexpr std::uint8_t status_a = 10;
constexpr std::uint8_t status_b = 11;

Date read_date() {
  Date date{};
  date.second = cmos(0);
  date.minute = cmos(2);
  date.hour = cmos(4);
  date.day = cmos(7);
  date.month = cmos(8);
  date.year = cmos(9);
  return date;
}

unsigned from_bcd(unsigned value) { return value / 16 * 10 + value % 16; }

bool is_being_changed() { return (cmos(status_a) & 0x80U) != 0; }

std::uint64_t rtc_ns() {
  constexpr int tries_max = 20'000;  // an update takes 2 ms at most
  if (cmos(status_b) == 0xff) return 0;
  for (int i = 0; i < tries_max && is_being_changed(); ++i) cpu::pause();
  Date date = read_date();
  for (int i = 0; i < 3; ++i) {
    const Date again = read_date();
    if (again == date) break;
    date = again;
  }
  const unsigned format = cmos(status_b);
  const bool is_binary = (format & 4U) != 0;
  const bool is_24 = (format & 2U) != 0;
  const bool is_afternoon = !is_24 && (date.hour & 0x80U) != 0;
  date.hour &= 0x7fU;
  if (!is_binary) {
    for (unsigned* part :
         {&date.second, &date.minute, &date.hour, &date.day, &date.month, &date.year}) {
      *part = from_bcd(*part);
    }
  }
  if (!is_24) date.hour = date.hour % 12 + (is_afternoon ? 12 : 0);
  const auto seconds = base::seconds_of({static_cast<std::int32_t>(2000 + date.year), date.month,
                                         date.day, date.hour, date.minute, date.second});
  return seconds ? static_cast<std::uint64_t>(*seconds) * second_ns : 0;
}

// The 8254's channel 0 counts down from 65,536; microvm has no other channel that could be seen.
std::uint32_t pit_ticks() {
  constexpr std::uint8_t latch = 0;
  cpu::out8(0x43, latch);
  const std::uint32_t low = cpu::in8(0x40);
  return 0xffffU - (low | std::uint32_t{cpu::in8(0x40)} << 8U);
}

std::uint64_t measured_tsc_hz() {
  constexpr std::uint64_t pit_hz = 1'193'182;
  constexpr std::uint32_t ticks_min = 1193;  // a millisecond
  constexpr int polls_max = 1'000'000;
  cpu::out8(0x43, 0x30);  // channel 0, both bytes, mode 0: once
  cpu::out8(0x40, 0xff);
  cpu::out8(0x40, 0xff);
  const std::uint32_t first_ticks = pit_ticks();
  const std::uint64_t first = cpu::rdtsc();
  for (int i = 0; i < polls_max; ++i) {
    const std::uint32_t ticks = pit_ticks() - first_ticks;
    if (ticks >= ticks_min && ticks < 0x8000) return (cpu::rdtsc() - first) * pit_hz / ticks;
  }
  return 0;
}

}  // namespace

std::uint64_t now_ns() noexcept {
  if (has_kvm_clock()) {
    const std::uint64_t ns = kvm_wall_ns();
    if (ns != 0) return ns;
  }
  return rtc_ns();
}

std::uint64_t tsc_hz() noexcept {
  std::uint64_t hz = libos::clock::tsc_hz_from_cpuid();
  if (hz == 0 && has_kvm_clock()) hz = kvm_tsc_hz();
  return hz != 0 ? hz : measured_tsc_hz();
}

}  // namespace virtio_target::calendar
