// SPDX-License-Identifier: ISC
// targets/xen/life.hpp: how this machine begins, ends, and is put away and taken up again.
//
// Rule:    usable before the C library has started.

#pragma once

#include <cstdint>

#include "targets/xen/hypercall.hpp"

namespace xen_target::life {

// The page and the port of the ring that leads to xenstore; set when the machine was entered, and
// again when it was taken up.
struct Store {
  std::uint64_t page = 0;
  hypercall::Port port = 0;
};
[[nodiscard]] Store store() noexcept;

// Xen, the shared page, the console. False: Xen does not give one of them; `why` says which.
[[nodiscard]] bool begin(const char*& why) noexcept;

// When status 0 ends the machine, it is started again instead of switched off.
void reboot_at_end() noexcept;

// Ends the domain: with 0 in order, with another status as crashed (on_crash= of xl).
[[noreturn]] void end(int status) noexcept;

// Hands the machine to the toolstack, which puts it away or moves it, and comes back when it was
// taken up: true in a domain that was made anew, where ports, grants and rings are gone; false in
// the same one, where all is as it was. The clock goes on in both.
[[nodiscard]] bool suspend() noexcept;

}  // namespace xen_target::life
