// SPDX-License-Identifier: ISC
// The machine that libos runs on: a PC under QEMU, Firecracker or Cloud Hypervisor.
//
// Models:  targets/libos/machine.hpp.

#include "targets/libos/machine.hpp"

#include "targets/libos/cpu.hpp"
#include "targets/libos/report.hpp"
#include "targets/libos/serial.hpp"
#include "targets/virtio/arrivals.hpp"
#include "targets/virtio/calendar.hpp"
#include "targets/virtio/power.hpp"
#include "targets/virtio/words.hpp"

namespace libos::machine {

const char* name() noexcept { return "image"; }

void begin() noexcept { serial::begin(); }

bool console(const char* text, std::size_t bytes) noexcept { return serial::write(text, bytes); }

void stop(int status) noexcept { virtio_target::power::off(status); }

std::uint64_t tsc_hz() noexcept {
  const std::uint64_t hz = virtio_target::calendar::tsc_hz();
  if (hz == 0) refuse({"nothing here tells how fast the time stamp counter counts"});
  return hz;
}

std::uint64_t wall_ns() noexcept { return virtio_target::calendar::now_ns(); }

void interrupt(unsigned vector) noexcept { virtio_target::arrivals::came(vector); }

bool takes_word(const char* word) noexcept { return virtio_target::words::take(word); }

}  // namespace libos::machine
