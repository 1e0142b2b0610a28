// SPDX-License-Identifier: ISC
// targets/xen/console_ring.hpp: the paravirtual console, which `xl console` shows.
//
// Rule:    usable before the C library has started.   Source: xen/io/console.h.

#pragma once

#include <cstddef>
#include <cstdint>

namespace xen_target::console_ring {

// Where its page is, and which port wakes its reader. Until then, and where there is none, text
// goes to port 0xE9, which Xen's own log shows (`xl dmesg`).
void begin(std::uint64_t page, std::uint32_t port) noexcept;

// Writes all of it; waits for a reader that is behind a tenth of a second, then drops the rest:
// false.
bool write(const char* text, std::size_t bytes) noexcept;

// Waits until all was read, as long as write would.
void flush() noexcept;

}  // namespace xen_target::console_ring
