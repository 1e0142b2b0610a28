// SPDX-License-Identifier: ISC
// targets/libos/cpu.hpp: the instructions that C++ has no words for.
//
// Source:  AMD64 Architecture Programmer's Manual, volume 3.

#pragma once

#include <cstddef>
#include <cstdint>

namespace libos::cpu {

struct Cpuid {
  std::uint32_t eax, ebx, ecx, edx;
};

inline Cpuid cpuid(std::uint32_t leaf, std::uint32_t subleaf = 0) noexcept {
  Cpuid out{};
  asm volatile("cpuid"
               : "=a"(out.eax), "=b"(out.ebx), "=c"(out.ecx), "=d"(out.edx)
               : "a"(leaf), "c"(subleaf));
  return out;
}

// Not ordered with what stands before it: good for clocks.
inline std::uint64_t rdtsc() noexcept {
  std::uint32_t low = 0;
  std::uint32_t high = 0;
  asm volatile("rdtsc" : "=a"(low), "=d"(high));
  return std::uint64_t{high} << 32U | low;
}

inline std::uint64_t read_msr(std::uint32_t msr) noexcept {
  std::uint32_t low = 0;
  std::uint32_t high = 0;
  asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
  return std::uint64_t{high} << 32U | low;
}
inline void write_msr(std::uint32_t msr, std::uint64_t value) noexcept {
  asm volatile("wrmsr"
               :
               : "c"(msr), "a"(static_cast<std::uint32_t>(value)),
                 "d"(static_cast<std::uint32_t>(value >> 32U))
               : "memory");
}

inline void out8(std::uint16_t port, std::uint8_t value) noexcept {
  asm volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}
inline void out16(std::uint16_t port, std::uint16_t value) noexcept {
  asm volatile("outw %0, %1" : : "a"(value), "Nd"(port) : "memory");
}
inline void out32(std::uint16_t port, std::uint32_t value) noexcept {
  asm volatile("outl %0, %1" : : "a"(value), "Nd"(port) : "memory");
}
inline std::uint8_t in8(std::uint16_t port) noexcept {
  std::uint8_t value = 0;
  asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
  return value;
}
inline std::uint16_t in16(std::uint16_t port) noexcept {
  std::uint16_t value = 0;
  asm volatile("inw %1, %0" : "=a"(value) : "Nd"(port) : "memory");
  return value;
}
inline std::uint32_t in32(std::uint16_t port) noexcept {
  std::uint32_t value = 0;
  asm volatile("inl %1, %0" : "=a"(value) : "Nd"(port) : "memory");
  return value;
}

inline void pause() noexcept { asm volatile("pause"); }
inline void disable_interrupts() noexcept { asm volatile("cli" : : : "memory"); }

// Takes the interrupts that wait, if any.
inline void take_interrupts() noexcept { asm volatile("sti; nop; cli" : : : "memory"); }
// Sleeps until an interrupt came, and takes it. One that waits already ends it at once: sti works
// only after the instruction that follows it.
inline void halt_until_interrupt() noexcept { asm volatile("sti; hlt; cli" : : : "memory"); }
// For ever.
[[noreturn]] inline void halt() noexcept {
  for (;;) asm volatile("cli; hlt" : : : "memory");
}

// Memory without the C library: these are used before it runs and inside system calls.
inline void copy(void* to, const void* from, std::size_t bytes) noexcept {
  asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes) : : "memory");
}
inline void zero(void* to, std::size_t bytes) noexcept {
  asm volatile("rep stosb" : "+D"(to), "+c"(bytes) : "a"(0) : "memory");
}

}  // namespace libos::cpu
