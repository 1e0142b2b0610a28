// SPDX-License-Identifier: ISC
// targets/hvt/notes.hpp: what the image asks of a tender: the ABI's version, and its devices.
//
// States:  service_handle.   Source: Solo5's elf_abi.h and mft_abi.h.

#pragma once

#include <cstdint>

namespace hvt_target {

// The handle of the network device `service`: its index in the manifest.
inline constexpr std::uint64_t service_handle = 1;

}  // namespace hvt_target
