// SPDX-License-Identifier: ISC
// targets/virtio/apic.hpp: interrupts and the timer that ends a sleep.
//
// Source:  Intel's manual volume 3, chapter 11; the 82093AA's data sheet.

#pragma once

#include <cstdint>

#include "base/clock.hpp"

namespace virtio_target::apic {

// Turns the old interrupt controllers off and the local one on, and measures its timer. Throws
// std::runtime_error if it cannot be had.
void begin();

// An interrupt's vector, for a device to send. Throws when there are no more (over 200 devices).
[[nodiscard]] unsigned new_vector();
// Where a device writes to send a vector (MSI).
inline constexpr std::uint64_t message_address = 0xfee00000;
// Makes input `line` of the I/O controllers send `vector` at each rising edge. False: no
// controller has that line.
[[nodiscard]] bool route(std::uint32_t line, unsigned vector);

// Wakes once, at or after `at`, or a while before when that is far away.
void wake_at(base::Instant at, base::Instant now);

}  // namespace virtio_target::apic
