// SPDX-License-Identifier: ISC
// targets/hvt/hypercall.hpp: how the tender is asked.
//
// States:  ask.   Used by: targets/hvt, also before the C library runs.
// Rule:    `call` lies below 4 GiB, as all memory of a guest does.

#pragma once

#include <cstdint>

#include "solo5/abi.hpp"
#include "targets/libos/cpu.hpp"

namespace hvt_target {

// The answer, if there is one, is in `call` afterwards.
template <class Structure>
inline void ask(solo5::Call number, Structure& call) noexcept {
  libos::cpu::out32(static_cast<std::uint16_t>(solo5::port_base + static_cast<unsigned>(number)),
                    static_cast<std::uint32_t>(reinterpret_cast<std::uint64_t>(&call)));
}

inline std::uint64_t address_of(const void* at) noexcept {
  return reinterpret_cast<std::uint64_t>(at);
}

}  // namespace hvt_target
