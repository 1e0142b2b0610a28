// SPDX-License-Identifier: ISC
// targets/libos/serial.hpp: the first serial line, COM1, which a PC has or ignores.
//
// Source:  the 16550's data sheet; port 0x3f8.

#pragma once

#include <cstddef>

namespace libos::serial {

// 115200 8N1, with its queue of 16 bytes.
void begin() noexcept;
// False: the line did not take all of it within a tenth of a second; the rest is dropped. After
// that nothing waits for a host that does not read until it has read something. "\n" is
// sent as "\r\n", as terminals want it.
bool write(const char* text, std::size_t bytes) noexcept;

}  // namespace libos::serial
