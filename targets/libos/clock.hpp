// SPDX-License-Identifier: ISC
// targets/libos/clock.hpp: time, from the time stamp counter and the machine's calendar.
//
// Rule:    the counter is taken to run at one speed, as every processor of the last ten years does
//          it. The calendar is read again every wall_again_ns, so that neither its drift nor a
//          pause of the machine shows in dates for longer.

#pragma once

#include <cstdint>

namespace libos::clock {

inline constexpr std::uint64_t wall_again_ns = 10'000'000'000;

// Asks the machine for the counter's speed and for the date.
void begin() noexcept;
// After the machine was put away and taken up again, maybe elsewhere: asks again, and now_ns() goes
// on from `ns`, which it was before.
void go_on_from(std::uint64_t ns) noexcept;

// Since the machine was entered. Never goes back.
[[nodiscard]] std::uint64_t now_ns() noexcept;
// Since 1970-01-01 UTC; now_ns() where the machine has no calendar.
[[nodiscard]] std::uint64_t wall_ns() noexcept;
[[nodiscard]] bool has_wall() noexcept;

// The counter's speed, if a hypervisor or the processor says it; 0: it does not.
[[nodiscard]] std::uint64_t tsc_hz_from_cpuid() noexcept;

}  // namespace libos::clock
