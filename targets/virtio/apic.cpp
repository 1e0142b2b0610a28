// SPDX-License-Identifier: ISC
#include "targets/virtio/apic.hpp"

#include <algorithm>
#include <stdexcept>

#include "targets/libos/clock.hpp"
#include "targets/libos/cpu.hpp"
#include "targets/libos/paging.hpp"
#include "targets/libos/traps.hpp"
#include "targets/virtio/acpi.hpp"
#include "targets/virtio/arrivals.hpp"

namespace virtio_target::apic {

namespace {

namespace cpu = libos::cpu;

constexpr unsigned timer_vector = libos::traps::first_interrupt;
constexpr unsigned vectors_end = 250;

// Offsets of the local controller's registers.
constexpr std::uint32_t spurious = 0xf0;
constexpr std::uint32_t priority = 0x80;
constexpr std::uint32_t timer = 0x320;
constexpr std::uint32_t line0 = 0x350;
constexpr std::uint32_t line1 = 0x360;
constexpr std::uint32_t timer_start = 0x380;
constexpr std::uint32_t timer_now = 0x390;
constexpr std::uint32_t timer_divisor = 0x3e0;
constexpr std::uint32_t is_masked = 0x10000;
constexpr std::uint32_t is_nmi = 0x400;

std::uint64_t local = 0;
unsigned next_vector = timer_vector + 1;
double ticks_each_ns = 0;
base::Instant armed = base::never;

volatile std::uint32_t& at(std::uint64_t base, std::uint32_t offset) {
  return *reinterpret_cast<volatile std::uint32_t*>(base + offset);
}

void disable_old_controllers() {
  cpu::out8(0x21, 0xff);
  cpu::out8(0xa1, 0xff);
}

// The timer's speed, by the clock.
void measure_timer() {
  constexpr std::uint64_t measured_ns = 100'000;
  constexpr std::uint32_t most = ~std::uint32_t{0};
  at(local, timer_divisor) = 3;  // by 16
  at(local, timer) = is_masked | timer_vector;
  const std::uint64_t begin = libos::clock::now_ns();
  at(local, timer_start) = most;
  while (libos::clock::now_ns() - begin < measured_ns) cpu::pause();
  const std::uint32_t ticks = most - at(local, timer_now);
  const std::uint64_t ns = libos::clock::now_ns() - begin;
  at(local, timer_start) = 0;
  if (ticks == 0) throw std::runtime_error("the interrupt controller's timer stands still");
  ticks_each_ns = static_cast<double>(ticks) / static_cast<double>(ns);
  at(local, timer) = timer_vector;
}

std::uint32_t io_read(std::uint64_t base, std::uint32_t index) {
  at(base, 0) = index;
  return at(base, 0x10);
}
void io_write(std::uint64_t base, std::uint32_t index, std::uint32_t value) {
  at(base, 0) = index;
  at(base, 0x10) = value;
}

}  // namespace

void begin() {
  constexpr std::uint32_t msr_base = 0x1b;
  constexpr std::uint64_t address_mask = 0xffffff000;
  constexpr std::uint64_t enabled = 1U << 11U;
  disable_old_controllers();
  const std::uint64_t base = cpu::read_msr(msr_base);
  local = base & address_mask;
  if (!libos::paging::map_device(local, 4096)) throw std::bad_alloc();
  cpu::write_msr(msr_base, base | enabled);
  at(local, spurious) = 0x100 | arrivals::spurious_vector;
  at(local, priority) = 0;
  at(local, line0) = is_masked;
  at(local, line1) = is_nmi;  // which an operator can send, for a report of where we are
  arrivals::begin(local);
  measure_timer();
  for (const acpi::IoController& controller : acpi::io_controllers()) {
    if (!libos::paging::map_device(controller.base, 4096)) throw std::bad_alloc();
  }
}

unsigned new_vector() {
  if (next_vector == vectors_end) throw std::runtime_error("more devices than interrupts");
  return next_vector++;
}

bool route(std::uint32_t line, unsigned vector) {
  constexpr std::uint32_t version = 1;
  constexpr std::uint32_t entries = 0x10;
  for (const acpi::IoController& controller : acpi::io_controllers()) {
    const std::uint32_t count = (io_read(controller.base, version) >> 16U & 0xff) + 1;
    if (line < controller.first_line || line - controller.first_line >= count) continue;
    const std::uint32_t entry = entries + 2 * (line - controller.first_line);
    io_write(controller.base, entry + 1, at(local, 0x20) & 0xff000000);  // to this processor
    io_write(controller.base, entry, vector);                            // edge, active high
    return true;
  }
  return false;
}

void wake_at(base::Instant when, base::Instant now) {
  if (when == base::never || (armed > now && armed <= when)) return;
  constexpr double most = 4e9;
  const auto left_ns = static_cast<double>((when - now).count());
  const double ticks = std::clamp(left_ns * ticks_each_ns + 1, 1.0, most);
  armed = now + base::Duration(static_cast<base::Duration::rep>(ticks / ticks_each_ns));
  at(local, timer_start) = static_cast<std::uint32_t>(ticks);
}

}  // namespace virtio_target::apic
