// SPDX-License-Identifier: ISC
#include "targets/xen/life.hpp"

#include "targets/libos/clock.hpp"
#include "targets/libos/cpu.hpp"
#include "targets/libos/machine.hpp"
#include "targets/libos/random.hpp"
#include "targets/libos/report.hpp"
#include "targets/xen/abi.hpp"
#include "targets/xen/console_ring.hpp"
#include "targets/xen/shared.hpp"

namespace xen_target::life {

namespace {

Store the_store;
hypercall::Reason end_reason = hypercall::Reason::power_off;

void begin_console() {
  const std::uint64_t page = hypercall::parameter(HVM_PARAM_CONSOLE_PFN) * page_bytes;
  console_ring::begin(page,
                      static_cast<std::uint32_t>(hypercall::parameter(HVM_PARAM_CONSOLE_EVTCHN)));
}

void find_store() {
  the_store.page = hypercall::parameter(HVM_PARAM_STORE_PFN) * page_bytes;
  the_store.port = static_cast<hypercall::Port>(hypercall::parameter(HVM_PARAM_STORE_EVTCHN));
}

// The toolstack takes a guest that has set a callback for one that answers to control/shutdown. No
// vector is ever taken: interrupts stay off and events masked.
void say_that_we_listen() {
  constexpr std::uint64_t vector = 0xf3;
  hypercall::set_parameter(HVM_PARAM_CALLBACK_IRQ,
                           std::uint64_t{HVM_PARAM_CALLBACK_TYPE_VECTOR} << 56U | vector);
}

void share(std::uint64_t page) {
  libos::Boot& boot = libos::boot();
  if (page == 0 || boot.shared_count == libos::Boot::shared_max) return;
  boot.shared[boot.shared_count].begin = page;
  boot.shared[boot.shared_count].end = page + page_bytes;
  ++boot.shared_count;
}

}  // namespace

Store store() noexcept { return the_store; }

bool begin(const char*& why) noexcept {
  if (!hypercall::begin()) {
    why = "this machine is not run by Xen, for which the image was made: start it by xl create";
    return false;
  }
  begin_console();
  find_store();
  share(hypercall::parameter(HVM_PARAM_CONSOLE_PFN) * page_bytes);
  share(the_store.page);
  why = "Xen does not share its page with this guest";
  if (!shared::begin()) return false;
  say_that_we_listen();
  return true;
}

void reboot_at_end() noexcept { end_reason = hypercall::Reason::reboot; }

void end(int status) noexcept {
  console_ring::flush();
  static_cast<void>(hypercall::shut_down(status == 0 ? end_reason : hypercall::Reason::crash));
  libos::cpu::halt();
}

bool suspend() noexcept {
  console_ring::flush();
  const std::uint64_t now = libos::clock::now_ns();
  const bool is_same = hypercall::shut_down(hypercall::Reason::suspend) != 0;
  if (!is_same) {
    // Another Xen may have other words for the same calls.
    if (!hypercall::begin() || !shared::begin()) libos::refuse({"this is not Xen any more"});
    begin_console();
    find_store();
    say_that_we_listen();
  }
  libos::clock::go_on_from(now);
  libos::random::go_on();
  return !is_same;
}

}  // namespace xen_target::life
