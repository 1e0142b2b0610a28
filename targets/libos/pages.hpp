// SPDX-License-Identifier: ISC
// targets/libos/pages.hpp: which pages of RAM are taken.
//
// Owns:    a bitmap of all RAM, which lies behind the image.
// Bounds:  what the machine has; a taken page is counted, and one more than there is is refused.
// Rule:    memory is mapped as it is: an address is physical and virtual.

#pragma once

#include <cstddef>
#include <cstdint>

namespace libos::pages {

inline constexpr std::uint64_t page_bytes = 4096;

constexpr std::uint64_t round_up(std::uint64_t value, std::uint64_t unit = page_bytes) {
  return (value + unit - 1) / unit * unit;
}

// Takes over boot().memory, without what lies below `begin` (the image's end). False: no RAM
// there is large enough for the bitmap.
[[nodiscard]] bool begin(std::uint64_t begin) noexcept;

// Where all RAM ends.
[[nodiscard]] std::uint64_t top() noexcept;
// Taken by the image and by who took pages; of all RAM from 1 MiB on; the most it ever was.
[[nodiscard]] std::uint64_t used_bytes() noexcept;
[[nodiscard]] std::uint64_t total_bytes() noexcept;
[[nodiscard]] std::uint64_t used_bytes_most() noexcept;

// `count` pages side by side, the highest or lowest there are; 0: there are none. Not zeroed.
[[nodiscard]] std::uint64_t take_highest(std::uint64_t count) noexcept;
[[nodiscard]] std::uint64_t take_lowest(std::uint64_t count) noexcept;
// Just these; false, and none of them, if one is taken.
[[nodiscard]] bool take(std::uint64_t address, std::uint64_t count) noexcept;
// Pages that were taken, and others, which is harmless.
void give_back(std::uint64_t address, std::uint64_t count) noexcept;

}  // namespace libos::pages
