// SPDX-License-Identifier: ISC
// targets/libos/traps.hpp: the descriptor tables: what the processor does on exceptions, interrupts
// and system calls.
//
// Rule:    interrupts are off, but inside cpu::take_interrupts and cpu::halt_until_interrupt:
//          nothing is ever interrupted in the middle.

#pragma once

namespace libos::traps {

inline constexpr unsigned first_interrupt = 32;  // vectors below are exceptions

// Loads GDT, TSS and IDT, sets the system call entry and the vector state of the processor.
void begin() noexcept;

}  // namespace libos::traps
