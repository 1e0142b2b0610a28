// SPDX-License-Identifier: ISC
// targets/xen/console_out.hpp: our end of the console's ring, without waiting and without calls.
//
// States:  ConsoleOut.   Used by: console_ring.cpp.
// Trust:   the page is the console daemon's to write at any time. Our index is kept here and never
//          read back; its index is read once, and one that makes no sense leaves no room.
// Rule:    usable before the C library has started. <atomic> needs a long double, which code that
//          uses no vector registers does not have: hence the compiler's own atomics.
// Source:  xen/io/console.h.

#pragma once

#include <cstdint>

#include "targets/xen/abi.hpp"

namespace xen_target {

class ConsoleOut {
 public:
  static constexpr std::uint32_t size_bytes = sizeof(xencons_interface::out);

  // Goes on where the ring is: Xen keeps what was not read when a machine is saved.
  void begin(xencons_interface& ring) noexcept {
    ring_ = &ring;
    put_ = __atomic_load_n(&ring.out_prod, __ATOMIC_RELAXED);
  }
  [[nodiscard]] bool has_ring() const noexcept { return ring_ != nullptr; }

  // Bytes that wait for the reader. More than the ring holds: its index makes no sense.
  [[nodiscard]] std::uint32_t unread() const noexcept {
    return put_ - __atomic_load_n(&ring_->out_cons, __ATOMIC_ACQUIRE);
  }
  // False: there is no room.
  [[nodiscard]] bool put(char c) noexcept {
    if (unread() >= size_bytes) return false;
    ring_->out[put_ % size_bytes] = c;
    __atomic_store_n(&ring_->out_prod, ++put_, __ATOMIC_RELEASE);
    return true;
  }

 private:
  xencons_interface* ring_ = nullptr;
  std::uint32_t put_ = 0;
};

}  // namespace xen_target
