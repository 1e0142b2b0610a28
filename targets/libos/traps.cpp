// SPDX-License-Identifier: ISC
#include "targets/libos/traps.hpp"

#include "targets/libos/cpu.hpp"
#include "targets/libos/machine.hpp"
#include "targets/libos/pages.hpp"
#include "targets/libos/paging.hpp"
#include "targets/libos/report.hpp"

extern "C" {
extern const char libos_vectors[];
void libos_syscall();
}

namespace libos::traps {

namespace {

constexpr std::uint64_t vector_entry_bytes = 16;
constexpr unsigned page_fault = 14;

struct [[gnu::packed]] TaskState {
  std::uint32_t reserved0;
  std::uint64_t rsp[3];
  std::uint64_t reserved1;
  std::uint64_t ist[7];  // the first is IST 1
  std::uint64_t reserved2;
  std::uint16_t reserved3;
  std::uint16_t io_map;
};
static_assert(sizeof(TaskState) == 104);

struct Gate {
  std::uint16_t offset_low, selector;
  std::uint8_t ist, type;
  std::uint16_t offset_middle;
  std::uint32_t offset_high, reserved;
};
static_assert(sizeof(Gate) == 16);

struct [[gnu::packed]] TablePointer {
  std::uint16_t limit;
  std::uint64_t base;
};

alignas(16) TaskState task_state;
alignas(16) Gate gates[256];
alignas(16) char interrupt_stack[8192];
alignas(16) char exception_stack[32768];
alignas(16) std::uint64_t descriptors[5] = {
    0,
    0x00af9b000000ffff,  // 8: 64-bit code
    0x00cf93000000ffff,  // 16: data
    0,
    0,  // 24: the task state, written by begin
};
constexpr std::uint16_t task_selector = 24;

void load_tables() {
  const auto base = reinterpret_cast<std::uint64_t>(&task_state);
  descriptors[3] = (sizeof task_state - 1) | (base & 0xffffff) << 16U | std::uint64_t{0x89} << 40U |
                   (base >> 24U & 0xff) << 56U;
  descriptors[4] = base >> 32U;
  const TablePointer gdt{sizeof descriptors - 1, reinterpret_cast<std::uint64_t>(descriptors)};
  const TablePointer idt{sizeof gates - 1, reinterpret_cast<std::uint64_t>(gates)};
  asm volatile("lgdt %0; lidt %1; ltr %2" : : "m"(gdt), "m"(idt), "r"(task_selector) : "memory");
}

void fill_tables() {
  task_state.io_map = sizeof task_state;
  task_state.ist[0] = reinterpret_cast<std::uint64_t>(interrupt_stack + sizeof interrupt_stack);
  task_state.ist[1] = reinterpret_cast<std::uint64_t>(exception_stack + sizeof exception_stack);
  for (unsigned i = 0; i < 256; ++i) {
    const auto entry = reinterpret_cast<std::uint64_t>(libos_vectors) + vector_entry_bytes * i;
    gates[i].offset_low = static_cast<std::uint16_t>(entry);
    gates[i].selector = 8;
    gates[i].ist = i < first_interrupt ? 2 : 1;
    gates[i].type = 0x8e;  // present, interrupt gate
    gates[i].offset_middle = static_cast<std::uint16_t>(entry >> 16U);
    gates[i].offset_high = static_cast<std::uint32_t>(entry >> 32U);
  }
}

void begin_system_calls() {
  constexpr std::uint32_t star = 0xc0000081;
  constexpr std::uint32_t lstar = 0xc0000082;
  constexpr std::uint32_t fmask = 0xc0000084;
  cpu::write_msr(star, std::uint64_t{8} << 32U);  // CS 8, SS 16
  cpu::write_msr(lstar, reinterpret_cast<std::uint64_t>(&libos_syscall));
  cpu::write_msr(fmask, 0x40700);  // AC, DF, IF, TF off
}

// Before the C library chooses its functions by what the processor can do.
void begin_vector_state() {
  constexpr std::uint32_t has_xsave = 1U << 26U;
  constexpr std::uint64_t os_uses_xsave = 1U << 18U;
  constexpr std::uint32_t vector_states = 0xe7;  // x87, SSE, AVX, AVX-512
  if ((cpu::cpuid(1).ecx & has_xsave) == 0) return;
  std::uint64_t cr4 = 0;
  asm volatile("mov %%cr4, %0" : "=r"(cr4));
  asm volatile("mov %0, %%cr4" : : "r"(cr4 | os_uses_xsave));
  const std::uint32_t states = cpu::cpuid(0xd).eax & vector_states;
  asm volatile("xsetbv" : : "c"(0), "a"(states), "d"(0));
}

const char* name_of(std::uint64_t vector) {
  switch (vector) {
    case 0:
      return "division by zero";
    case 1:
      return "debug trap";
    case 2:
      return "non-maskable interrupt";
    case 3:
      return "breakpoint";
    case 6:
      return "undefined instruction";
    case 7:
      return "no floating-point unit";
    case 8:
      return "double fault";
    case 12:
      return "stack fault";
    case 13:
      return "general protection fault";
    case 16:
      return "floating-point exception";
    case 17:
      return "alignment check";
    case 18:
      return "machine check";
    case 19:
      return "vector floating-point exception";
    default:
      return "exception";
  }
}

const char* page_fault_reason(std::uint64_t error, std::uint64_t address) {
  constexpr std::uint64_t was_present = 1;
  constexpr std::uint64_t was_write = 2;
  constexpr std::uint64_t was_fetch = 16;
  if (paging::is_stack_guard(address)) return "stack overflow";
  if (address < pages::page_bytes) return "null pointer";
  if ((error & was_fetch) != 0) {
    return (error & was_present) != 0 ? "execution of data" : "execution of what is not there";
  }
  if ((error & was_write) != 0) {
    return (error & was_present) != 0 ? "write to read-only memory" : "write to what is not there";
  }
  return "read of what is not there";
}

// A call to where no code is: what called it is told instead, for the unwinder to begin with.
void return_to_caller(Registers& registers) {
  if (!paging::is_on_stack(registers.rsp)) return;
  registers.rip = *reinterpret_cast<const std::uint64_t*>(registers.rsp);
  registers.rsp += sizeof registers.rip;
}

}  // namespace

void begin() noexcept {
  fill_tables();
  load_tables();
  begin_system_calls();
  begin_vector_state();
}

extern "C" [[noreturn]] void libos_exception(const Registers* registers) {
  if (registers->vector == page_fault) {
    std::uint64_t address = 0;
    asm volatile("mov %%cr2, %0" : "=r"(address));
    Registers from = *registers;
    if (address == registers->rip) return_to_caller(from);
    panic(from, {page_fault_reason(registers->error, address), ", at address ", hex(address)});
  }
  panic(*registers, {name_of(registers->vector), ", vector ", decimal(registers->vector),
                     ", error code ", decimal(registers->error)});
}

extern "C" void libos_interrupt(const Registers* registers) {
  machine::interrupt(static_cast<unsigned>(registers->vector));
}

}  // namespace libos::traps
