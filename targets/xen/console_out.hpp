// SPDX-License-Identifier: ISC
// targets/xen/console_out.hpp: our end of the console's ring, without waiting and without calls.
//
// States:  ConsoleOut.   Used by: console_ring.cpp.
// Trust:   the page is the console daemon's to write at any time. Our index is kept here and never
//          read back; its index is read once, and one that makes no sense leaves no room.
// Rule:    usable before the C library has started.   Source: xen/io/console.h.

#pragma once

#include <atomic>
#include <cstdint>

#include "targets/xen/abi.hpp"

namespace xen_target {

class ConsoleOut {
 public:
  static constexpr std::uint32_t size_bytes = sizeof(xencons_interface::out);

  // Goes on where the ring is: Xen keeps what nobody has read when a machine is put away.
  void begin(xencons_interface& ring) noexcept {
    ring_ = &ring;
    put_ = index(ring.out_prod).load(std::memory_order_relaxed);
  }
  [[nodiscard]] bool has_ring() const noexcept { return ring_ != nullptr; }

  // Bytes that wait for the reader. More than the ring holds: its index makes no sense.
  [[nodiscard]] std::uint32_t unread() const noexcept {
    return put_ - index(ring_->out_cons).load(std::memory_order_acquire);
  }
  // False: there is no room.
  [[nodiscard]] bool put(char c) noexcept {
    if (unread() >= size_bytes) return false;
    ring_->out[put_ % size_bytes] = c;
    index(ring_->out_prod).store(++put_, std::memory_order_release);
    return true;
  }

 private:
  static std::atomic_ref<std::uint32_t> index(std::uint32_t& of) noexcept {
    return std::atomic_ref<std::uint32_t>(of);
  }

  xencons_interface* ring_ = nullptr;
  std::uint32_t put_ = 0;
};

}  // namespace xen_target
