// SPDX-License-Identifier: ISC
#include "targets/xen/shared.hpp"

#include <cstddef>

#include "targets/libos/cpu.hpp"
#include "targets/libos/pvclock.hpp"
#include "targets/xen/abi.hpp"

namespace xen_target::shared {

namespace {

namespace cpu = libos::cpu;

constexpr unsigned word_bits = 64;
constexpr unsigned ports = 64 * 64;

// Xen's page takes the place of this one.
alignas(page_bytes) char page[page_bytes];

namespace pvclock = libos::pvclock;

volatile shared_info_t& info() { return *reinterpret_cast<volatile shared_info_t*>(page); }

pvclock::Time read_time() {
  static_assert(sizeof(vcpu_time_info_t) == sizeof(pvclock::SharedTime));
  return pvclock::read_time(
      reinterpret_cast<const volatile pvclock::SharedTime&>(info().vcpu_info[0].time));
}

}  // namespace

bool begin() noexcept {
  if (!hypercall::place_shared_info(reinterpret_cast<std::uint64_t>(page))) return false;
  for (auto& word : info().evtchn_mask) word = ~xen_ulong_t{0};
  return true;
}

std::uint64_t system_ns() noexcept {
  const pvclock::Time time = read_time();
  return pvclock::ns_at(time, cpu::rdtsc());
}

std::uint64_t tsc_hz() noexcept { return pvclock::tsc_hz(read_time()); }

std::uint64_t wall_ns() noexcept {
  const volatile shared_info_t& from = info();
  static_assert(offsetof(shared_info_t, wc_nsec) == offsetof(shared_info_t, wc_version) + 8);
  const std::uint64_t at_0 = pvclock::read_wall(
      reinterpret_cast<const volatile pvclock::SharedWall&>(from.wc_version), &from.wc_sec_hi);
  return at_0 == 0 ? 0 : at_0 + system_ns();
}

bool take_event(hypercall::Port port) noexcept {
  if (port == 0 || port >= ports) return false;
  volatile xen_ulong_t& word = info().evtchn_pending[port / word_bits];
  const xen_ulong_t bit = xen_ulong_t{1} << port % word_bits;
  if ((word & bit) == 0) return false;
  __atomic_fetch_and(&word, ~bit, __ATOMIC_SEQ_CST);
  return true;
}

}  // namespace xen_target::shared
