// SPDX-License-Identifier: ISC
// targets/virtio/calendar.hpp: the date, from KVM's clock or from the PC's real-time clock, and the
// speed of the time stamp counter, from CPUID, KVM or a measurement.
//
// Source:  Linux's Documentation/virt/kvm/x86/msr.rst; the MC146818's data sheet (ports 0x70,
//          0x71); the 8254's (ports 0x40 to 0x43, 0x61).

#pragma once

#include <cstdint>

namespace virtio_target::calendar {

// Nanoseconds since 1970-01-01 UTC; 0: the date is not known here.
[[nodiscard]] std::uint64_t now_ns() noexcept;
// Counts a second: said by CPUID or KVM, else measured against the 8254 for a millisecond; 0:
// neither.
[[nodiscard]] std::uint64_t tsc_hz() noexcept;

}  // namespace virtio_target::calendar
