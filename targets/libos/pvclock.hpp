// SPDX-License-Identifier: ISC
// targets/libos/pvclock.hpp: the clock that KVM and Xen share with a guest: a time, the time stamp
// counter at that time, and how fast the counter runs.
//
// States:  SharedTime, SharedWall, Time; read_time, read_wall, ns_at, tsc_hz.
// Rule:    the host writes at any time. The version is odd while it writes, and another one when
//          it has written: a read during which it was odd or changed is made again.
//          Usable before the C library has started.
// Source:  Linux's Documentation/virt/kvm/x86/msr.rst; xen/xen.h, struct vcpu_time_info and
//          struct shared_info.

#pragma once

#include <cstdint>

#include "targets/libos/cpu.hpp"

namespace libos::pvclock {

inline constexpr std::uint64_t second_ns = 1'000'000'000;

// As it lies in memory: Xen's vcpu_time_info, KVM's pvclock_vcpu_time_info.
struct SharedTime {
  std::uint32_t version, padding;
  std::uint64_t tsc, system_ns;
  std::uint32_t multiplier;
  std::int8_t shift;
  std::uint8_t flags, more_padding[2];
};
static_assert(sizeof(SharedTime) == 32);

// The date at which the clock was 0. Xen has the high half of the seconds elsewhere.
struct SharedWall {
  std::uint32_t version, seconds, nanoseconds;
};
static_assert(sizeof(SharedWall) == 12);

// A private copy, of one version.
struct Time {
  std::uint64_t tsc = 0;
  std::uint64_t system_ns = 0;
  std::uint32_t multiplier = 0;  // 0: the host has written nothing
  std::int8_t shift = 0;
};

inline void wait_for_host() noexcept { cpu::pause(); }

// Calls read() until `version` is even and the same before and after it. `wait` is called between
// two attempts.
template <class Read, class Wait>
auto read_version(const volatile std::uint32_t& version, const Read& read,
                  const Wait& wait) noexcept {
  for (;;) {
    const std::uint32_t before = version;
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    const auto copy = read();
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    if (before % 2 == 0 && version == before) return copy;
    wait();
  }
}

template <class Wait = void() noexcept>
[[nodiscard]] Time read_time(const volatile SharedTime& from,
                             const Wait& wait = wait_for_host) noexcept {
  return read_version(
      from.version,
      [&from]() noexcept {
        Time time;
        time.tsc = from.tsc;
        time.system_ns = from.system_ns;
        time.multiplier = from.multiplier;
        time.shift = from.shift;
        return time;
      },
      wait);
}

// The date at which the clock was 0, in nanoseconds since 1970-01-01 UTC; 0: the host does not say.
template <class Wait = void() noexcept>
[[nodiscard]] std::uint64_t read_wall(const volatile SharedWall& from,
                                      const volatile std::uint32_t* seconds_high = nullptr,
                                      const Wait& wait = wait_for_host) noexcept {
  return read_version(
      from.version,
      [&from, seconds_high]() noexcept -> std::uint64_t {
        const std::uint64_t high = seconds_high == nullptr ? 0 : *seconds_high;
        const std::uint64_t seconds = high << 32U | from.seconds;
        const std::uint64_t nanoseconds = from.nanoseconds;
        return seconds == 0 ? 0 : seconds * second_ns + nanoseconds;
      },
      wait);
}

// Either way; what a host says that shifts all bits out gives 0.
[[nodiscard]] inline std::uint64_t shifted(std::uint64_t value, int by) noexcept {
  constexpr int bits = 64;
  if (by >= bits || by <= -bits) return 0;
  return by < 0 ? value >> -by : value << by;
}

// The clock, in nanoseconds, when the time stamp counter is `tsc`.
[[nodiscard]] inline std::uint64_t ns_at(const Time& time, std::uint64_t tsc) noexcept {
  __extension__ using Wide = unsigned __int128;
  const std::uint64_t ticks = shifted(tsc - time.tsc, time.shift);
  return time.system_ns + static_cast<std::uint64_t>(Wide{ticks} * time.multiplier >> 32U);
}

// Of the time stamp counter; 0: the host does not say.
[[nodiscard]] inline std::uint64_t tsc_hz(const Time& time) noexcept {
  if (time.multiplier == 0) return 0;
  return shifted((second_ns << 32U) / time.multiplier, -time.shift);
}

}  // namespace libos::pvclock
