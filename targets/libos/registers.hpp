// SPDX-License-Identifier: ISC
// targets/libos/registers.hpp: what a running program had in its registers, as trap.S leaves it.
//
// States:  Registers.   Rule: trap.S names the same offsets.

#pragma once

#include <cstddef>
#include <cstdint>

namespace libos {

struct Registers {
  std::uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
  std::uint64_t rbp, rdi, rsi, rdx, rcx, rbx, rax;
  std::uint64_t vector;  // of the exception or interrupt; ~0: a system call
  std::uint64_t error;
  std::uint64_t rip, cs, rflags, rsp, ss;
};
static_assert(offsetof(Registers, rip) == 136 && offsetof(Registers, rsp) == 160 &&
              sizeof(Registers) == 176);

}  // namespace libos
