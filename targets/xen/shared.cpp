// SPDX-License-Identifier: ISC
#include "targets/xen/shared.hpp"

#include "targets/libos/cpu.hpp"
#include "targets/xen/abi.hpp"

namespace xen_target::shared {

namespace {

namespace cpu = libos::cpu;

constexpr std::uint64_t second_ns = 1'000'000'000;
constexpr unsigned word_bits = 64;
constexpr unsigned ports = 64 * 64;

// Xen's page takes the place of this one.
alignas(page_bytes) char page[page_bytes];

__extension__ using Wide = unsigned __int128;

volatile shared_info_t& info() { return *reinterpret_cast<volatile shared_info_t*>(page); }

void compiler_barrier() { asm volatile("" : : : "memory"); }

struct Time {
  std::uint64_t tsc = 0;
  std::uint64_t system = 0;
  std::uint32_t scale = 0;
  std::int8_t shift = 0;
};

// As Xen wrote it in one go: the version is odd while it writes.
Time read_time() {
  volatile vcpu_time_info_t& from = info().vcpu_info[0].time;
  for (;;) {
    const std::uint32_t version = from.version;
    compiler_barrier();
    Time time;
    time.tsc = from.tsc_timestamp;
    time.system = from.system_time;
    time.scale = from.tsc_to_system_mul;
    time.shift = from.tsc_shift;
    compiler_barrier();
    if (version % 2 == 0 && version == from.version) return time;
    cpu::pause();
  }
}

std::uint64_t shifted(std::uint64_t value, int by) { return by < 0 ? value >> -by : value << by; }

}  // namespace

bool begin() noexcept {
  if (!hypercall::place_shared_info(reinterpret_cast<std::uint64_t>(page))) return false;
  for (auto& word : info().evtchn_mask) word = ~xen_ulong_t{0};
  return true;
}

std::uint64_t system_ns() noexcept {
  const Time time = read_time();
  const std::uint64_t ticks = shifted(cpu::rdtsc() - time.tsc, time.shift);
  return time.system + static_cast<std::uint64_t>(Wide{ticks} * time.scale >> 32U);
}

std::uint64_t tsc_hz() noexcept {
  const Time time = read_time();
  if (time.scale == 0) return 0;
  return shifted((second_ns << 32U) / time.scale, -time.shift);
}

std::uint64_t wall_ns() noexcept {
  for (;;) {
    const std::uint32_t version = info().wc_version;
    compiler_barrier();
    const std::uint64_t seconds = info().wc_sec | std::uint64_t{info().wc_sec_hi} << 32U;
    const std::uint64_t ns = info().wc_nsec;
    compiler_barrier();
    if (version % 2 == 0 && version == info().wc_version) {
      return seconds == 0 ? 0 : seconds * second_ns + ns + system_ns();
    }
    cpu::pause();
  }
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
