// SPDX-License-Identifier: ISC
// targets/libos/heap.hpp: memory for malloc: one area that grows upwards from the image, and
// pages from the top of RAM.
//
// Bounds:  all RAM that is free (targets/libos/pages.hpp).   Source: brk(2), mmap(2).

#pragma once

#include <cstdint>

namespace libos::heap {

inline constexpr std::uint64_t stack_bytes = 0x40000;

// The area begins at the lowest free page from here on; everything else must have been taken.
void begin() noexcept;
// brk(2): the break after the call, which is the old one if `wanted` cannot be had. Zeroed.
[[nodiscard]] std::uint64_t set_break(std::uint64_t wanted) noexcept;
// Zeroed pages, or 0.
[[nodiscard]] std::uint64_t map(std::uint64_t bytes) noexcept;
void unmap(std::uint64_t at, std::uint64_t bytes) noexcept;

}  // namespace libos::heap
