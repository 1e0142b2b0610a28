// SPDX-License-Identifier: ISC
// The calls that led to a panic, by name where the image has its table of symbols.
//
// Source:  the C++ ABI's unwinding library, which exceptions use too; crunch/build/symbols.hpp says
//          how the table is made.

#include <unwind.h>

#include <cstdint>

#include "targets/libos/machine.hpp"
#include "targets/libos/report.hpp"

extern "C" {
// Absent in programs that crunch did not link: the count of symbols, then for each, in order of
// address, its address and how far behind the beginning of the table its name stands. The last one
// stands behind all code and has no name.
[[gnu::weak]] extern const std::uint32_t libos_symbols[];
[[noreturn]] void libos_backtrace_and_stop();
}

namespace libos {

namespace {

constexpr int frames_max = 40;

void say_symbol(std::uint64_t address) {
  if (libos_symbols == nullptr) return;
  auto address_of = [](std::uint32_t index) { return libos_symbols[1 + 2 * index]; };
  const std::uint32_t count = libos_symbols[0];
  std::uint32_t low = 0;
  std::uint32_t high = count;
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    if (address_of(middle) <= address) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == 0 || low == count) return;
  const char* name =
      reinterpret_cast<const char*>(libos_symbols) + libos_symbols[2 + 2 * (low - 1)];
  say({"  ", name, "+", decimal(address - address_of(low - 1))});
}

_Unwind_Reason_Code say_frame(_Unwind_Context* context, void* argument) {
  int& count = *static_cast<int*>(argument);
  const std::uint64_t address = _Unwind_GetIP(context);
  // The first two are this file's and libos_call_below.
  if (++count <= 2) return _URC_NO_REASON;
  if (address == 0 || count > frames_max + 2) return _URC_END_OF_STACK;
  say({"  ", hex(address)});
  say_symbol(address);
  say({"\n"});
  return _URC_NO_REASON;
}

}  // namespace
}  // namespace libos

void libos_backtrace_and_stop() {
  libos::say({"backtrace:\n"});
  int count = 0;
  _Unwind_Backtrace(libos::say_frame, &count);
  libos::machine::stop(libos::panic_status);
}
