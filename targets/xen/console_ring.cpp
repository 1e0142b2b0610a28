// SPDX-License-Identifier: ISC
#include "targets/xen/console_ring.hpp"

#include "targets/libos/cpu.hpp"
#include "targets/xen/abi.hpp"
#include "targets/xen/hypercall.hpp"
#include "targets/xen/shared.hpp"

namespace xen_target::console_ring {

namespace {

constexpr std::uint16_t log_port = 0xe9;
constexpr std::uint32_t ring_bytes = sizeof(xencons_interface::out);
constexpr std::uint64_t wait_ns = 10'000'000;
constexpr unsigned waits_max = 100;

volatile xencons_interface* ring = nullptr;
hypercall::Port event = 0;
// Nobody reads: nobody is waited for until somebody has.
bool is_stuck = false;

std::uint32_t unread() { return ring->out_prod - ring->out_cons; }

// Waits until at most `bytes` are unread; false: that takes too long.
bool wait_for(std::uint32_t bytes) {
  for (unsigned waits = 0; unread() > bytes; ++waits) {
    if (is_stuck || waits == waits_max) {
      is_stuck = true;
      return false;
    }
    hypercall::notify(event);
    static_cast<void>(shared::take_event(event));
    if (unread() <= bytes) break;
    hypercall::poll(&event, 1, shared::system_ns() + wait_ns);
  }
  is_stuck = false;
  return true;
}

void put(char c) {
  if (ring == nullptr) {
    libos::cpu::out8(log_port, static_cast<std::uint8_t>(c));
    return;
  }
  if (!wait_for(ring_bytes - 1)) return;
  const std::uint32_t at = ring->out_prod;
  ring->out[MASK_XENCONS_IDX(at, ring->out)] = c;
  __atomic_thread_fence(__ATOMIC_RELEASE);
  ring->out_prod = at + 1;
}

}  // namespace

void begin(std::uint64_t page, std::uint32_t port) noexcept {
  if (page == 0 || port == 0) return;
  ring = reinterpret_cast<volatile xencons_interface*>(page);
  event = port;
  is_stuck = false;
}

void write(const char* text, std::size_t bytes) noexcept {
  for (std::size_t i = 0; i < bytes; ++i) {
    if (text[i] == '\n') put('\r');
    put(text[i]);
  }
  if (ring != nullptr) hypercall::notify(event);
}

void flush() noexcept {
  if (ring != nullptr) static_cast<void>(wait_for(0));
}

}  // namespace xen_target::console_ring
