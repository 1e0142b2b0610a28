// SPDX-License-Identifier: ISC
// targets/libos/paging.hpp: the page tables: every address is its own, with the rights that the
// image's segments ask for.
//
// Invariants: 1. Nothing is writable and executable.
//             2. Page 0 and the page below the stack are not there.
//             3. RAM outside the image is writable, never executable; what is neither RAM nor was
//                mapped by map_device is not there.
// Source:  AMD64 manual volume 2, chapter 5.

#pragma once

#include <cstdint>

namespace libos::paging {

enum class Rights : std::uint8_t { none, read, write, execute, device };

// Builds the tables from boot().memory and the image's program headers, and uses them.
void begin() noexcept;

// Makes the registers or tables of a device reachable at their physical address; `write` makes
// them uncached. False: no memory left for the tables.
[[nodiscard]] bool map_device(std::uint64_t physical, std::uint64_t bytes) noexcept;
// Firmware's tables: read only.
[[nodiscard]] bool map_tables(std::uint64_t physical, std::uint64_t bytes) noexcept;

// For mprotect: whole pages. False: no memory for the tables.
[[nodiscard]] bool protect(std::uint64_t begin, std::uint64_t end, Rights rights) noexcept;

// Whether `address` is in the page below the stack.
[[nodiscard]] bool is_stack_guard(std::uint64_t address) noexcept;
[[nodiscard]] bool is_on_stack(std::uint64_t address) noexcept;

}  // namespace libos::paging
