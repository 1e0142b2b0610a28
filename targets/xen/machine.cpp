// SPDX-License-Identifier: ISC
// The machine that libos runs on: a PVH guest of Xen.
//
// Models:  targets/libos/machine.hpp.
// Elsewhere: a PC that is not run by Xen says so on its serial line, and ends QEMU with status 1
//          where that has its debug exit at port 0x501.

#include "targets/libos/machine.hpp"

#include "targets/libos/cpu.hpp"
#include "targets/libos/report.hpp"
#include "targets/libos/serial.hpp"
#include "targets/xen/console_ring.hpp"
#include "targets/xen/life.hpp"
#include "targets/xen/shared.hpp"

namespace libos::machine {

namespace {

bool has_xen = false;

}  // namespace

const char* name() noexcept { return "image"; }

void begin() noexcept {
  serial::begin();
  const char* why = nullptr;
  has_xen = xen_target::life::begin(why);
  if (!has_xen) refuse({why});
}

bool console(const char* text, std::size_t bytes) noexcept {
  if (!has_xen) static_cast<void>(serial::write(text, bytes));
  return xen_target::console_ring::write(text, bytes);
}

void stop(int status) noexcept {
  constexpr std::uint16_t debug_exit = 0x501;
  if (has_xen) xen_target::life::end(status);
  cpu::out8(debug_exit, static_cast<std::uint8_t>(status));
  cpu::halt();
}

std::uint64_t tsc_hz() noexcept {
  const std::uint64_t hz = xen_target::shared::tsc_hz();
  if (hz == 0) refuse({"Xen does not tell how fast the time stamp counter counts"});
  return hz;
}

std::uint64_t wall_ns() noexcept { return xen_target::shared::wall_ns(); }

void interrupt(unsigned) noexcept {}

bool takes_word(const char*) noexcept { return false; }

}  // namespace libos::machine
