// SPDX-License-Identifier: ISC
#include "targets/libos/report.hpp"

#include "targets/libos/machine.hpp"
#include "targets/libos/pages.hpp"

extern "C" {
[[noreturn]] void libos_call_below(const libos::Registers* registers, void (*function)());
void libos_backtrace_and_stop();
}

namespace libos {

namespace {

bool is_panicking = false;

void say_text(const char* text) noexcept {
  std::size_t bytes = 0;
  while (text[bytes] != '\0') ++bytes;
  static_cast<void>(machine::console(text, bytes));
}

void say_number(std::uint64_t number, unsigned base, unsigned digits_min) noexcept {
  char digits[20];
  unsigned count = 0;
  do {
    digits[sizeof digits - ++count] = "0123456789abcdef"[number % base];
    number /= base;
  } while (number != 0 || count < digits_min);
  static_cast<void>(machine::console(digits + sizeof digits - count, count));
}

void say_registers(const Registers& r) noexcept {
  say({"  rip ", hex(r.rip), "  rsp ", hex(r.rsp), "  flags ", hex(r.rflags), "\n"});
  say({"  rax ", hex(r.rax), "  rbx ", hex(r.rbx), "  rcx   ", hex(r.rcx), "\n"});
  say({"  rdx ", hex(r.rdx), "  rsi ", hex(r.rsi), "  rdi   ", hex(r.rdi), "\n"});
  say({"  rbp ", hex(r.rbp), "  r8  ", hex(r.r8), "  r9    ", hex(r.r9), "\n"});
  say({"  r10 ", hex(r.r10), "  r11 ", hex(r.r11), "  r12   ", hex(r.r12), "\n"});
  say({"  r13 ", hex(r.r13), "  r14 ", hex(r.r14), "  r15   ", hex(r.r15), "\n"});
}

}  // namespace

void say(std::initializer_list<Word> words) noexcept {
  for (const Word& word : words) {
    switch (word.kind) {
      case Word::Kind::text:
        say_text(word.text);
        break;
      case Word::Kind::decimal:
        say_number(word.number, 10, 1);
        break;
      case Word::Kind::hex:
        say_number(word.number, 16, 16);
        break;
    }
  }
}

void refuse(std::initializer_list<Word> why) noexcept {
  say({"error: "});
  say(why);
  say({"\n"});
  machine::stop(1);
}

void panic(const Registers& registers, std::initializer_list<Word> why) noexcept {
  if (is_panicking) {
    say({"(and a fault while that was being told: "});
    say(why);
    say({")\n"});
    machine::stop(panic_status);
  }
  is_panicking = true;
  say({"\npanic: "});
  say(why);
  say({"\n"});
  say_registers(registers);
  say({"  memory used ", decimal(pages::used_bytes() >> 10U), " KiB of ",
       decimal(pages::total_bytes() >> 10U), " KiB, at most ",
       decimal(pages::used_bytes_most() >> 10U), " KiB\n"});
  libos_call_below(&registers, libos_backtrace_and_stop);
}

}  // namespace libos
