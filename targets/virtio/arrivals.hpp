// SPDX-License-Identifier: ISC
// targets/virtio/arrivals.hpp: which interrupts came.
//
// Rule:    an interrupt only wakes: it is noted, and looked at by who slept.

#pragma once

#include <cstdint>

namespace virtio_target::arrivals {

// What the local controller sends when an interrupt went away before it was taken.
inline constexpr unsigned spurious_vector = 255;

// `local_controller`: where its registers are.
void begin(std::uint64_t local_controller) noexcept;
// From an interrupt, see targets/libos/machine.hpp for what is allowed: notes it, and says to the
// controller that it was taken.
void came(unsigned vector) noexcept;
// Whether it came since it was last asked.
[[nodiscard]] bool has_come(unsigned vector) noexcept;

}  // namespace virtio_target::arrivals
