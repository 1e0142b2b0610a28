// SPDX-License-Identifier: ISC
#include "targets/virtio/button.hpp"

#include "targets/libos/cpu.hpp"
#include "targets/libos/paging.hpp"
#include "targets/virtio/acpi.hpp"
#include "targets/virtio/apic.hpp"
#include "targets/virtio/arrivals.hpp"

namespace virtio_target::button {

namespace {

namespace cpu = libos::cpu;

constexpr std::uint16_t button_bit = 1U << 8U;  // in PM1 status and enable
constexpr std::uint32_t event_power_down = 2;   // of the Generic Event Device

unsigned vector = 0;

// What happened; reading clears it.
std::uint32_t take_events() {
  return *reinterpret_cast<volatile std::uint32_t*>(acpi::events().device);
}

}  // namespace

void listen() {
  const acpi::Events& events = acpi::events();
  if (events.device != 0) {
    if (!libos::paging::map_device(events.device, 4)) return;
    static_cast<void>(take_events());
  } else if (events.port != 0) {
    const auto enable_port = static_cast<std::uint16_t>(events.port + events.bytes / 2U);
    cpu::out16(events.port, button_bit);  // writing 1 clears it
    cpu::out16(enable_port, button_bit);
  } else {
    return;
  }
  const unsigned mine = apic::new_vector();
  if (apic::route(events.interrupt, mine)) vector = mine;
}

bool is_pressed() noexcept {
  if (vector == 0 || !arrivals::has_come(vector)) return false;
  const acpi::Events& events = acpi::events();
  if (events.device != 0) return (take_events() & event_power_down) != 0;
  const bool pressed = (cpu::in16(events.port) & button_bit) != 0;
  cpu::out16(events.port, button_bit);
  return pressed;
}

}  // namespace virtio_target::button
