// SPDX-License-Identifier: ISC
// tender/layout.hpp: a guest's memory as it is at its entry.
//
// States:  lay_out, ring_place, and where things lie.   Used by: tender/vm.cpp.
// Map:     0x1000 GDT, 0x2000 PML4, 0x3000 PDPT, 0x4000-0x7fff directories, 0x8000 the first table,
//          0x10000 boot info, command line, manifest; 0x100000 the image; the stack at the top,
//          or, where there is a ring, below it: then the guest's memory ends where the ring begins.
//          Addresses are what they are; below 0x10000 nothing is there for the guest, up to
//          0xfffff it is read only.
// Source:  Solo5's hvt_cpu_x86_64.h; AMD64 manual volume 2, chapter 5.

#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/bytes.hpp"
#include "solo5/abi.hpp"
#include "tender/image.hpp"

namespace tender {

inline constexpr std::uint64_t gdt_address = 0x1000;
inline constexpr std::uint64_t gdt_bytes = 24;
inline constexpr std::uint64_t pml4_address = 0x2000;
inline constexpr std::uint64_t boot_info_address = 0x10000;

// Where the ring lies in so much memory; 0: there is no room for one.
[[nodiscard]] std::uint64_t ring_place(std::uint64_t memory_bytes) noexcept;

// `memory` is all of it, zeroed; `ring_at` is the ring's place, or 0: there is none; `file` is what
// `image` was read from; `manifest` has what is attached. The command line has
// command_line_bytes_max bytes at most.
void lay_out(base::MutableBytes memory, const Image& image, base::Bytes file,
             std::span<const solo5::ManifestEntry> manifest, std::string_view command_line,
             std::uint64_t tsc_hz, std::uint64_t ring_at);

}  // namespace tender
