// SPDX-License-Identifier: ISC
#include "targets/xen/console_ring.hpp"

#include "targets/libos/cpu.hpp"
#include "targets/xen/console_out.hpp"
#include "targets/xen/hypercall.hpp"
#include "targets/xen/shared.hpp"

namespace xen_target::console_ring {

namespace {

constexpr std::uint16_t log_port = 0xe9;
constexpr std::uint64_t wait_ns = 10'000'000;
constexpr unsigned waits_max = 10;

constinit ConsoleOut ring;
hypercall::Port event = 0;
// The ring is not read: nothing waits until it is read again.
bool is_stuck = false;

// Waits until at most `bytes` are unread; false: that takes too long.
bool wait_for(std::uint32_t bytes) {
  for (unsigned waits = 0; ring.unread() > bytes; ++waits) {
    if (is_stuck || waits == waits_max) {
      is_stuck = true;
      return false;
    }
    hypercall::notify(event);
    static_cast<void>(shared::take_event(event));
    if (ring.unread() <= bytes) break;
    hypercall::poll(&event, 1, shared::system_ns() + wait_ns);
  }
  is_stuck = false;
  return true;
}

// False: the ring is not read.
bool put(char c) {
  if (ring.has_ring()) return wait_for(ConsoleOut::size_bytes - 1) && ring.put(c);
  libos::cpu::out8(log_port, static_cast<std::uint8_t>(c));
  return true;
}

}  // namespace

void begin(std::uint64_t page, std::uint32_t port) noexcept {
  if (page == 0 || port == 0) return;
  ring.begin(*reinterpret_cast<xencons_interface*>(page));
  event = port;
  is_stuck = false;
}

bool write(const char* text, std::size_t bytes) noexcept {
  bool all = true;
  for (std::size_t i = 0; all && i < bytes; ++i) {
    all = (text[i] != '\n' || put('\r')) && put(text[i]);
  }
  if (ring.has_ring()) hypercall::notify(event);
  return all;
}

void flush() noexcept {
  if (ring.has_ring()) static_cast<void>(wait_for(0));
}

}  // namespace xen_target::console_ring
