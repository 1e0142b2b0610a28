// SPDX-License-Identifier: ISC
// targets/xen/shared.hpp: the page that Xen shares with its guest: time, and which events came.
//
// Rule:    usable before the C library has started. No event ever interrupts: all are masked, and
//          who sleeps names the ports that shall wake it.
// Source:  xen/xen.h, struct shared_info and struct vcpu_time_info.

#pragma once

#include <cstdint>

#include "targets/xen/hypercall.hpp"

namespace xen_target::shared {

// Has the page put into our memory. False: Xen does not.
[[nodiscard]] bool begin() noexcept;

// Xen's clock, by which hypercall::poll takes its time.
[[nodiscard]] std::uint64_t system_ns() noexcept;
// Of the time stamp counter.
[[nodiscard]] std::uint64_t tsc_hz() noexcept;
// Since 1970-01-01 UTC.
[[nodiscard]] std::uint64_t wall_ns() noexcept;

// Whether an event came at this port since it was last asked.
[[nodiscard]] bool take_event(hypercall::Port port) noexcept;

}  // namespace xen_target::shared
